// What console.log, String() and JSON.stringify make of what users print.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { load } from '../../src/runtime/node.ts';
import { compileStep, data, F, init, nn, optim, tensor, variable } from '../../src/runtime/node-train.ts';
import { models } from './package.ts';

beforeAll(async () => void (await init()));

const twelve = (value: unknown): string => {
  const text = inspect(value);
  expect(text.split('\n').length).toBeLessThanOrEqual(12);
  return text;
};

test('variables and tensors: type, shape, history, first values', () => {
  const x = variable(
    [
      [1, 2.123456789],
      [3, -4],
    ],
    undefined,
    { requiresGrad: true },
  );
  expect(twelve(x)).toBe('Variable(float32[2,2], requiresGrad)\n[1, 2.1235]\n[3, -4]');
  expect(String(x.add(x))).toMatch(/^Variable\(float32\[2,2\], requiresGrad, made by add\)\n\[2, /);
  expect(twelve(tensor(new Float32Array([1, 2]), [2]))).toBe('Tensor(float32[2])\n[1, 2]');
  expect(twelve(variable([true, false]))).toBe('Variable(bool[2])\n[true, false]');
  expect(twelve(variable(3))).toBe('Variable(float32[])\n3');
  expect(twelve(F.zeros(0, 3))).toBe('Variable(float32[0,3])\n[]');
  expect(twelve(F.zeros(4, 50, 30))).toMatch(
    /\n\[0,0,:\] \[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, …\]\n(.*\n)*… 192 more rows$/,
  );
  expect(JSON.stringify(variable([1, 2]))).toBe('{"dtype":"float32","shape":[2],"data":[1,2]}');
  expect(JSON.stringify({ t: tensor(new Int32Array([7]), [1]) })).toBe(
    '{"t":{"dtype":"int32","shape":[1],"data":[7]}}',
  );
});

test('what is gone, or has no values yet, says so', () => {
  const gone = variable([1], undefined, { requiresGrad: true });
  gone.dispose();
  expect(twelve(gone)).toMatch(/^Variable\(float32\[1\], requiresGrad\), gone: /);
  const seen: string[] = [];
  const model = new nn.Linear(2, 1);
  const step = compileStep(
    model,
    (y, t) => {
      seen.push(twelve(y));
      return F.mseLoss(y, t);
    },
    new optim.SGD(model.parameters(), { lr: 0.1 }),
  );
  step.step(variable([[1, 2]]), variable([[1]]));
  expect(seen[0]).toMatch(/, inside a compiled step$/);
  expect(twelve(step)).toMatch(/^CompiledStep of Linear \(1 plans, \d+ bytes\)$/);
  step.dispose();
  expect(twelve(step)).toBe('CompiledStep of Linear (disposed)');
});

test('modules, optimizers, loaders', () => {
  expect(twelve(new nn.Linear(3, 2))).toBe('Linear(in_features=3, out_features=2, bias=True)\n8 parameters');
  const long = new nn.Sequential(...Array.from({ length: 30 }, () => new nn.ReLU()));
  expect(twelve(long)).toMatch(/… \d+ more lines: String\(model\)\n0 parameters$/);
  expect(String(long).split('\n').length).toBe(33);
  const adam = new optim.Adam(new nn.Linear(3, 2).parameters());
  expect(twelve(adam)).toMatch(/^Adam\(lr 0\.001, betas 0\.9 0\.999, .*\): 2 parameters, 0 steps taken$/);
  const set = new data.TensorDataset({ shape: [4, 3], data: new Float32Array(12) }, [0, 1, 0, 1]);
  expect(twelve(new data.DataLoader(set, { batchSize: 2, shuffle: true }))).toBe(
    'DataLoader(TensorDataset of 4, batches of 2, shuffled): epoch 0, batch 0 of 2 comes next',
  );
});

test('a model', async () => {
  const model = await load(readFileSync(join(models, 'resnet_tiny.onnx')));
  expect(twelve(model)).toMatch(
    /^Model \(wasm \w+, 1 thread\)\n {2}input input: float32 \[.*\]\n {2}output output: float32/,
  );
  model.dispose();
  expect(twelve(model)).toMatch(/^Model \(.*, disposed\)/);
});
