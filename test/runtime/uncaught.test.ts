// What Node prints of an error that nobody catches, and the names that classes keep in the built package.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage, root, run } from './package.ts';

const folder = mkdtempSync(join(tmpdir(), 'convlet-uncaught-'));
beforeAll(() => buildPackage());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (file: string): string => pathToFileURL(join(root, 'build/runtime', file)).href;

/** Programs that end with an error, and a part of its message. */
const programs: { readonly [name: string]: readonly [source: string, message: string] } = {
  'a file that is not there': [
    `import { load } from '${at('node.js')}'; await load('/nowhere.onnx');`,
    "load: cannot read '/nowhere.onnx'",
  ],
  'no model': [
    `import { load } from '${at('node.js')}'; await load(new Uint8Array([8, 9, 1, 2, 3, 4]));`,
    'ConvletError: onnx: ModelProto',
  ],
  'a wrong shape': [
    `import { init, nn, variable } from '${at('node-train.js')}';
    await init(); new nn.Conv2d(3, 4, 3).forward(variable([1, 2, 3]));`,
    'conv2d: input expects rank 4 or 3',
  ],
};

const engines = [
  ['this Node', process.execPath],
  ...(['CONVLET_NODE22', 'CONVLET_NODE24', 'CONVLET_NODE26'] as const).flatMap((name) => {
    const path = process.env[name];
    return path === undefined ? [] : [[name.slice('CONVLET_'.length), path] as const];
  }),
] as const;

describe.each(engines)('an uncaught error on %s', (_, node) => {
  test.each(Object.entries(programs))(
    '%s: at most 2 KB, and the message reaches a pipe',
    async (name, [source, message]) => {
      const file = join(folder, `${name.replaceAll(' ', '-')}.mjs`);
      writeFileSync(file, source);
      const { code, stderr } = await run(node, [file], { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toContain(message);
      expect(stderr.length, stderr).toBeLessThanOrEqual(2048);
    },
  );
});

test('exported classes have the names that they are exported by', async () => {
  const train = (await import(at('node-train.js'))) as Record<string, Record<string, unknown>>;
  const wrong: string[] = [];
  let count = 0;
  for (const [space, values] of [['', train], ...['nn', 'optim', 'data'].map((name) => [name, train[name]])] as const) {
    for (const [name, value] of Object.entries(values as Record<string, unknown>)) {
      if (typeof value !== 'function' || !/^class\b/.test(Function.prototype.toString.call(value))) continue;
      count++;
      // `Buffer` is a global in Node; the class has a longer name.
      if (value.name !== name && name !== 'Buffer') wrong.push(`${space}.${name} is called ${value.name}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(count).toBeGreaterThan(100);
});
