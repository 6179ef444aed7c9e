import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { load } from '../../src/runtime/node.ts';
import { describeShared } from '../shared.ts';
import { assertClose, engines, wasmEngines } from './engines.ts';

interface Expected {
  readonly input: number[];
  readonly output: number[];
  readonly macs: number;
  readonly every: number;
  readonly absMax: number;
  readonly values: number[];
}

/** Networks of torchvision's shapes with seeded weights (../shared/bench-models), against onnxruntime's outputs. */
describeShared('full-size networks', async (shared) => {
  const root = `${shared}bench-models/`;
  const { expand, input } = (await import(`${root}expand.mjs`)) as {
    expand(skeleton: Uint8Array): Uint8Array;
    input(shape: number[]): Float32Array;
  };
  const names = readdirSync(root)
    .filter((file) => file.endsWith('.expected.json'))
    .map((file) => file.slice(0, -14));
  /** Multiply–accumulates that plain JS does within ten seconds on a slow machine. */
  const jsLimit = 1e9;
  for (const name of names) {
    const expected = JSON.parse(readFileSync(`${root}${name}.expected.json`, 'utf8')) as Expected;
    for (const { name: engine, options } of expected.macs <= jsLimit ? engines : wasmEngines) {
      test(`${engine}: ${name}`, { timeout: 180_000 }, async () => {
        const model = await load(expand(readFileSync(`${root}${name}.skeleton.onnx`)), options);
        try {
          const inputs = { [model.inputs[0].name]: { data: input(expected.input), shape: expected.input } };
          const [output] = Object.values(await model.run(inputs));
          expect(output.shape).toEqual(expected.output);
          const got = expected.values.map((_, i) => output.data[i * expected.every]);
          assertClose(name, got, expected.values, 1e-3, 1e-4 * expected.absMax);
        } finally {
          model.dispose();
        }
      });
    }
  }
});
