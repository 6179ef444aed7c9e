import { load } from '../../../build/runtime/node.js';

export async function create({ modelPath, input, threads, backend, variant }) {
  const model = await load(modelPath, { threads, backend, variant });
  const inputs = { [input.name]: { data: input.data, shape: input.shape } };
  const [{ name }] = model.outputs;
  return {
    async run() {
      return (await model.run(inputs))[name].data;
    },
    rows: (result) => result,
    dispose: () => model.dispose(),
  };
}
