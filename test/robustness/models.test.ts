// Model files that are wrong: one mistake each, and bytes changed at random. Whatever comes, it is a ConvletError that
// says where, or the model runs: no trap, no crash, no other error.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import { product } from '../../src/common/numbers.ts';
import { seededInputs } from '../../src/runtime/measure.ts';
import { defaultShape, type Model, type ModelInput } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import { describeShared } from '../shared.ts';
import { badModels, endlessLoop, vector } from './bad-models.ts';
import { failureOf, random } from './failure.ts';

const backends = ['js', 'wasm'] as const;

async function loadAndRun(bytes: Uint8Array, inputs: { readonly [name: string]: ModelInput }, backend: 'js' | 'wasm') {
  const model = await load(bytes, { backend, maxMemoryBytes: 2 ** 28 });
  try {
    return await model.run(inputs);
  } finally {
    model.dispose();
  }
}

describe.each(backends)('one mistake, %s', (backend) => {
  test.each(badModels)('$name', async ({ bytes, inputs, code, message }) => {
    const error = await failureOf(() => loadAndRun(bytes(), inputs, backend));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  test.each([false, true])('a loop without end (all states kept: %s)', async (scan) => {
    using model = await load(endlessLoop(scan), { backend, maxLoopIterations: 2000 });
    const run = (trips: number) => model.run({ ...vector, m: { data: Int32Array.of(trips), shape: [] } });
    const before = await run(70);
    const error = await failureOf(() => run(1e9));
    expect(error.code).toBe('unsupported');
    expect(error.message).toMatch(/^node 'loop' \(Loop\): .*maxLoopIterations, 2000/);
    const { total } = model.memory();
    expect(await run(70)).toEqual(before);
    expect(model.memory().total).toBe(total);
    // What an iteration does not pass on is gone with it.
    if (!scan) expect(model.memory().peak - total).toBeLessThan(20_000);
    expect(before.y.data[0]).toBe(2 ** 70);
    if (scan) expect(before.all.shape).toEqual([70, 4]);
  });
});

/** Changes a few bytes, or cuts the file; the first bytes, where the structure is, more often than the weights. */
function mutated(file: Uint8Array, next: () => number): Uint8Array {
  const at = (length: number): number => Math.floor(next() * length);
  if (next() < 0.15) return file.slice(0, at(file.length));
  const bytes = file.slice();
  for (let n = 1 + at(3); n > 0; n--) {
    const where = at(next() < 0.6 ? Math.min(bytes.length, 4000) : bytes.length);
    bytes[where] = next() < 0.5 ? at(256) : bytes[where] ^ (1 << at(8));
  }
  return bytes;
}

/** Inputs as the model declares them; null where it asks for more than a test should make. */
function inputsOf(model: Model): { [name: string]: ModelInput } | null {
  const cells = model.inputs.map(({ shape }) => product(defaultShape(shape)));
  return cells.every((count) => count <= 1e6) ? seededInputs(model, new Map()) : null;
}

/** Runs mutations of the files on both backends until `count` or the time is over. */
async function mutate(paths: readonly string[], seed: number, count: number, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const files = paths.map((path) => readFileSync(path));
  const found = { errors: 0, runs: 0 };
  for (let i = 0; i < count && performance.now() < end; i++) {
    const next = random(seed + i);
    const which = Math.floor(next() * files.length);
    const bytes = mutated(files[which], next);
    const results: (string | readonly (readonly number[])[])[] = [];
    for (const backend of backends) {
      try {
        using model = await load(bytes, { backend, maxMemoryBytes: 2 ** 28, maxLoopIterations: 1000 });
        const inputs = inputsOf(model);
        if (inputs === null) continue;
        results.push(Object.values(await model.run(inputs)).map(({ shape }) => shape));
        found.runs++;
      } catch (error) {
        if (!(error instanceof ConvletError && error.code !== 'internal')) {
          throw new Error(`seed ${seed + i}, ${paths[which]}, ${backend}: not a ConvletError`, { cause: error });
        }
        results.push(error.code);
        found.errors++;
      }
    }
    if (results.length === 2)
      expect(results[1], `seed ${seed + i}, ${paths[which]}: backends disagree`).toEqual(results[0]);
  }
  expect(found.errors).toBeGreaterThan(0);
  expect(found.runs).toBeGreaterThan(0);
}

const onnxFilesIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => `${directory}${name}`);

describe('changed bytes', () => {
  const seed = 20_260;

  test(`models of the project, seed ${seed}`, async () => {
    await mutate(onnxFilesIn(fileURLToPath(new URL('../fixtures/models/', import.meta.url))), seed, 150, 5);
  });

  describeShared('of ../shared', (shared) => {
    const cases = readdirSync(`${shared}onnx`).map((name) => `${shared}onnx/${name}/model.onnx`);
    test(`ONNX's cases and the small networks, seed ${seed}`, async () => {
      await mutate([...onnxFilesIn(`${shared}models/`), ...cases.filter((path) => existsSync(path))], seed, 400, 6);
    });
  });
});
