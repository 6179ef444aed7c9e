import { toChannelsLast, toRows } from '../layout.mjs';

/** CONVLET_BUILD: the URL of another build/ (bench/builds.mjs). */
const build = process.env.CONVLET_BUILD ?? new URL('../../../build/', import.meta.url);
const { load } = await import(new URL('runtime/node.js', build).href);

/** Pictures are given and returned channels-last, as the engine computes. */
export async function create({ modelPath, input, outputShape, threads, backend, variant }) {
  const model = await load(modelPath, { threads, backend, variant, layout: 'channels-last' });
  const inputs = { [input.name]: { data: toChannelsLast(input.data, input.shape), shape: input.shape } };
  const [{ name }] = model.outputs;
  // Results are written into an array of the caller: page faults of new memory would take longer than small ops.
  const into = { [name]: new Float32Array(outputShape.reduce((a, b) => a * b, 1)) };
  return {
    async run() {
      return (await model.run(inputs, { into }))[name].data;
    },
    rows: (result) => toRows(result, outputShape),
    dispose: () => model.dispose(),
  };
}
