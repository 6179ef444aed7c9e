import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { load } from '../../src/runtime/node.ts';
import { engines } from '../networks/engines.ts';
import { describeShared } from '../shared.ts';
import { caseFolders, difference, readCase } from './fault-cases.ts';

const runs = engines.flatMap(({ name, options }) =>
  options.backend === 'js'
    ? [{ name, options }]
    : [1, 2].map((threads) => ({ name: `${name}, ${threads} threads`, options: { ...options, threads } })),
);

/** Its values are those of the file's own `w`, although it gives another: test/io/onnx-edges.test.ts has the right ones. */
const wrong: readonly string[] = ['override_initializer'];

/** Models of bug reports with the values that they should have given, on every backend, kernel build and number of threads. */
export function faultTests(title: string): void {
  describeShared(title, (shared) => {
    const folder = join(shared, 'faults');
    describe.each(runs)('$name', ({ options }) => {
      test.each(caseFolders(folder).filter((name) => !wrong.includes(name)))('%s', async (name) => {
        const { model: bytes, inputs, outputs, tolerance } = readCase(join(folder, name));
        using model = await load(bytes, options);
        // Twice: the second run takes plans and branches that the first one compiled.
        for (let i = 0; i < 2; i++) {
          const results = await model.run(inputs);
          for (const [output, expected] of Object.entries(outputs)) {
            expect(difference(results[output], expected, tolerance), output).toBeNull();
          }
        }
      });
    });
  });
}
