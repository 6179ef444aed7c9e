// Valid models with a few things changed, and inputs of changed shapes: results, or a ConvletError, whatever comes.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dtypes } from '../../src/common/dtype.ts';
import { ConvletError } from '../../src/common/error.ts';
import { product } from '../../src/common/numbers.ts';
import { OnnxProgram } from '../../src/io/onnx/import.ts';
import { type OnnxModel, parseModel } from '../../src/io/onnx/model.ts';
import { supportedOperators } from '../../src/io/onnx/ops/index.ts';
import { Model, type ModelInput } from '../../src/runtime/model.ts';
import { backendOf, variants } from '../kernels/harness.ts';
import { describeShared } from '../shared.ts';
import { jsBackend } from '../support/js-backend.ts';
import { random } from './failure.ts';
import { mutateModel } from './mutate-model.ts';

const seed = Number(process.env.CONVLET_SEED ?? 20_261_201);

/** Whether it says what is wrong with the model or its inputs; `internal` is a fault of ours. */
const isRefusal = (error: unknown): boolean => error instanceof ConvletError && error.code !== 'internal';

/** Inputs as declared, free dimensions at random, now and then of another shape or not there. */
function fuzzedInputs(model: Model, next: () => number): { [name: string]: ModelInput } {
  const inputs: { [name: string]: ModelInput } = {};
  for (const { name, dtype, shape } of model.inputs) {
    if (next() < 0.02) continue;
    const dims = (shape ?? [2, 3]).map((d) => (d === null || next() < 0.03 ? Math.floor(next() * 5) : d));
    if (next() < 0.02) dims.push(1);
    const size = product(dims);
    if (size > 1e6) continue;
    const data = new dtypes[dtype].array(size);
    for (let i = 0; i < size; i++) data[i] = dtypes[dtype].kind === 'float' ? next() * 4 - 2 : Math.floor(next() * 4);
    inputs[name] = { data, shape: dims };
  }
  return inputs;
}

async function runOnce(changed: OnnxModel, next: () => number, wasm: boolean): Promise<'ran' | 'refused'> {
  const made = new OnnxProgram(changed);
  made.check();
  const model = new Model(made, wasm ? backendOf(variants[0]) : jsBackend(2 ** 28), { maxLoopIterations: 1000 });
  try {
    await model.run(fuzzedInputs(model, next));
    return 'ran';
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return 'refused';
  } finally {
    if (!wasm) model.dispose(); // The backend of the kernels outlives the model.
  }
}

async function fuzz(files: readonly string[], count: number, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const models = new Map<string, OnnxModel>();
  const ops = supportedOperators();
  const found = { ran: 0, refused: 0 };
  for (let i = 0; i < count && performance.now() < end; i++) {
    const next = random(seed + i);
    const file = files[Math.floor(next() * files.length)];
    let outcome: 'ran' | 'refused' = 'refused';
    try {
      const model = models.get(file) ?? parseModel(readFileSync(file));
      models.set(file, model);
      outcome = await runOnce(mutateModel(model, ops, next), next, variants.length > 0 && next() < 0.3);
    } catch (error) {
      if (!isRefusal(error)) throw new Error(`CONVLET_SEED=${seed + i}, ${file}`, { cause: error });
    }
    found[outcome]++;
  }
  console.log(`seed ${seed}: ${found.ran} ran, ${found.refused} refused`);
  expect(found.ran).toBeGreaterThan(0);
  expect(found.refused).toBeGreaterThan(0);
}

const onnxFilesIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => `${directory}${name}`);

describe('changed models', () => {
  test('of the project', async () => {
    await fuzz(onnxFilesIn(fileURLToPath(new URL('../fixtures/models/', import.meta.url))), 500, 10);
  });

  describeShared('of ../shared', (shared) => {
    const cases = readdirSync(`${shared}onnx`).map((name) => `${shared}onnx/${name}/model.onnx`);
    test("ONNX's cases", async () => {
      await fuzz(
        cases.filter((path) => existsSync(path)),
        4000,
        30,
      );
    });
  });
});
