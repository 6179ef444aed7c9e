// Small networks: index.json, NAME.onnx and NAME.io.safetensors (input…, output…), through the public `load`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { compare, load, Mismatch, parseSuite, runSuite } from './suite.ts';

interface Entry {
  readonly name: string;
  readonly rtol: number;
  readonly atol: number;
}

const options = parseSuite('models', 'a directory with index.json, NAME.onnx and NAME.io.safetensors');
const index = JSON.parse(readFileSync(join(options.path, 'index.json'), 'utf8')) as { models: Entry[] };
const entries = new Map(index.models.map((entry) => [entry.name, entry]));

await runSuite(options, [...entries.keys()], async (name) => {
  const { rtol, atol } = entries.get(name)!;
  const values = readSafetensors(readFileSync(join(options.path, `${name}.io.safetensors`)));
  const model = await load(join(options.path, `${name}.onnx`), options.load);
  let worst = 0;
  try {
    const outputs = await model.run(Object.fromEntries(model.inputs.map((info) => [info.name, valueNamed(info.name)])));
    for (const { name: output } of model.outputs) {
      worst = Math.max(worst, compare(output, outputs[output], valueNamed(output), rtol, atol));
    }
  } finally {
    model.dispose();
  }
  return `largest difference ${worst}`;

  function valueNamed(key: string) {
    const value = values.get(key);
    if (value === undefined)
      throw new Mismatch(`${name}.io.safetensors has no '${key}' (it has ${[...values.keys()]})`);
    return value;
  }
});
