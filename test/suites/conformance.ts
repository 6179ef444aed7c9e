// ONNX backend test cases: CASE/model.onnx with CASE/test_data_set_N/{input,output}_N.pb, through the public `load`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeTensorProto } from '../../src/io/onnx/tensor.ts';
import { compare, load, Mismatch, parseSuite, runSuite } from './suite.ts';

const rtol = 1e-3;
const atol = 1e-5;

function tensors(directory: string, prefix: 'input' | 'output') {
  const found = [];
  for (let i = 0; existsSync(join(directory, `${prefix}_${i}.pb`)); i++) {
    found.push(decodeTensorProto(readFileSync(join(directory, `${prefix}_${i}.pb`))));
  }
  return found;
}

const options = parseSuite('conformance', 'a directory with CASE/model.onnx');
const cases = readdirSync(options.path)
  .filter((name) => existsSync(join(options.path, name, 'model.onnx')))
  .sort();

await runSuite(options, cases, async (name) => {
  const directory = join(options.path, name);
  const model = await load(join(directory, 'model.onnx'), options.load);
  let worst = 0;
  try {
    for (const set of readdirSync(directory).filter((entry) => entry.startsWith('test_data_set_'))) {
      const given = tensors(join(directory, set), 'input');
      const expected = tensors(join(directory, set), 'output');
      const infos = model.inputs.filter((info) => !info.optional);
      if (given.length !== infos.length) {
        throw new Mismatch(`${set} has ${given.length} inputs, the model ${infos.length}`);
      }
      const inputs = Object.fromEntries(infos.map((info, i) => [info.name, given[i]]));
      const outputs = await model.run(inputs);
      model.outputs.forEach((info, i) => {
        worst = Math.max(worst, compare(info.name, outputs[info.name], expected[i], rtol, atol));
      });
    }
  } finally {
    model.dispose();
  }
  return `largest difference ${worst}`;
});
