import { beforeEach, expect, test } from 'vitest';
import { DataLoader } from '../../src/data/index.ts';
import { evaluate, fit } from '../../src/train/index.ts';
import { quarters, task, useJs } from './setup.ts';

beforeEach(useJs);

test('evaluate leaves the modes and the loader as they were', async () => {
  const { model, options } = task();
  model.train();
  model.bn.training = false;
  const loader = new DataLoader(quarters(30), { batchSize: 7, shuffle: true });
  loader.state = { epoch: 2, batch: 0 };
  const first = await evaluate(model, loader, { loss: options.loss, confusion: true });
  expect([model.training, model.bn.training, model.drop.training]).toEqual([true, false, true]);
  expect(loader.state).toEqual({ epoch: 2, batch: 0 });
  expect(first.confusion!.counts.reduce((a, b) => a + b, 0)).toBe(30);
  expect((await evaluate(model, loader, { loss: options.loss, compiled: false })).loss).toBeCloseTo(first.loss, 5);
});

test('evaluate sees all samples after a loop that looked at the first batch only', async () => {
  const { model } = task();
  const loader = new DataLoader(quarters(30), { batchSize: 7 });
  for await (const _ of loader) break;
  expect((await evaluate(model, loader)).samples).toBe(30);
  expect((await evaluate(model, loader)).samples).toBe(30);
});

test('samples that the data set leaves out are counted, in every epoch', async () => {
  let text = '';
  const terminal = { columns: 100, write: (part: string) => void (text += part) };
  const whole = quarters(30);
  const holes = { length: 30, get: (i: number) => (i % 10 === 3 || i > 27 ? null : whole.get(i)) };
  const train = new DataLoader(holes, { batchSize: 2, shuffle: true });
  const { model, options } = task({ quiet: false, terminal, train, epochs: 2 });
  const { history } = await fit(model, options);
  expect(text.match(/5 samples of the training set were left out/g)).toHaveLength(2);
  expect(history.epochs).toHaveLength(2);
});
