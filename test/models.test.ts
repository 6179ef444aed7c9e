// Small networks through the public `load`: those kept in the project, and all of ../shared/models where it is there.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readSafetensors } from '../src/io/safetensors.ts';
import { load } from '../src/runtime/node.ts';
import { assertClose, engines } from './networks/engines.ts';
import { describeShared } from './shared.ts';

interface Entry {
  readonly name: string;
  /** Output name → shape. */
  readonly outputs: { readonly [name: string]: readonly number[] };
  readonly rtol: number;
  readonly atol: number;
}

function runAll(directory: string): void {
  const { models } = JSON.parse(readFileSync(`${directory}index.json`, 'utf8')) as { models: Entry[] };
  for (const { name: engine, options } of engines) {
    test.each(models)(`${engine}: $name`, async ({ name, outputs, rtol, atol }) => {
      const tensors = readSafetensors(readFileSync(`${directory}${name}.io.safetensors`));
      const model = await load(`${directory}${name}.onnx`, options);
      try {
        expect([model.backend, model.variant]).toEqual([options.backend, options.variant ?? 'plain']);
        const input = tensors.get('input')!;
        // Twice: the second run uses the plan of the first, and the memory that it left.
        for (let run = 1; run <= 2; run++) {
          const results = await model.run({ [model.inputs[0].name]: input });
          expect(Object.keys(results)).toEqual(Object.keys(outputs));
          for (const [output, shape] of Object.entries(outputs)) {
            expect(results[output].shape).toEqual(shape);
            const expected = tensors.get(output)!;
            expect(results[output].dtype).toBe(expected.dtype);
            assertClose(
              `${output}, run ${run}`,
              Array.from(results[output].data, Number),
              Array.from(expected.data, Number),
              rtol,
              atol,
            );
          }
        }
      } finally {
        model.dispose();
      }
    });
  }
}

describe('models kept in test/fixtures', () => runAll(fileURLToPath(new URL('fixtures/models/', import.meta.url))));

describeShared('models of ../shared', (shared) => runAll(`${shared}models/`));
