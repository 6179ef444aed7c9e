// Several batches for one update: against one large batch, compiled against op by op, with clipping, schedules, checkpoints.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { Generator, seed } from '../../src/common/random.ts';
import { DataLoader, TensorDataset } from '../../src/data/index.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import '../../src/runtime/node-train.ts';
import { fit } from '../../src/train/fit.ts';
import type { Callback, FitOptions, StepInfo } from '../../src/train/options.ts';
import { describeEngines } from '../support/engines.ts';
import { type Task, task } from './setup.ts';

const states = (model: nn.Module) =>
  Object.fromEntries(Object.entries(model.stateDict()).map(([name, { data }]) => [name, [...data]]));

/** Without batch norm and dropout, which look at one batch: then small batches are one large one. */
const network = () => {
  seed(2);
  return new nn.Sequential(new nn.Conv2d(1, 4, 3), new nn.Tanh(), new nn.Flatten(), new nn.Linear(64, 3));
};
const samples = (count: number) => {
  const random = new Generator(4);
  const data = Float32Array.from({ length: count * 36 }, () => random.normal());
  return new TensorDataset(
    { shape: [count, 1, 6, 6], data },
    Array.from({ length: count }, () => random.below(3)),
  );
};

const close = (got: Record<string, number[]>, expected: Record<string, number[]>, tolerance = 2e-6): void => {
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected))
    values.forEach((value, i) => {
      expect(Math.abs(got[name][i] - value), `${name}[${i}]`).toBeLessThanOrEqual(tolerance * (1 + Math.abs(value)));
    });
};

async function train(batchSize: number, accumulate: number, more: Partial<FitOptions> = {}, count = 30) {
  const model = network();
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
  const steps: StepInfo[] = [];
  const note: Callback = { step: (info) => void steps.push(info) };
  const { history } = await fit(model, {
    train: new DataLoader(samples(count), { batchSize, shuffle: true, seed: 1 }),
    loss: F.crossEntropy,
    ...{ optimizer, accumulate, epochs: 3, quiet: true, callbacks: [note] },
    ...more,
  });
  return { state: states(model), history, steps };
}

describeEngines('accumulation', (use) => {
  use();

  test.each([
    { name: 'whole groups', batchSize: 5, accumulate: 3, large: 15 },
    { name: 'a group that ends with the epoch', batchSize: 5, accumulate: 4, large: 20 },
    { name: 'batches of different sizes', batchSize: 8, accumulate: 2, large: 16 },
    { name: 'more than there are', batchSize: 10, accumulate: 50, large: 30 },
  ])('is one large batch: $name', async ({ batchSize, accumulate, large }) => {
    for (const compiled of [true, false])
      for (const clipGradNorm of [undefined, 0.05]) {
        const small = await train(batchSize, accumulate, { compiled, clipGradNorm });
        const one = await train(large, 1, { compiled, clipGradNorm });
        close(small.state, one.state);
        expect(small.steps.length).toBe(one.steps.length);
        small.steps.forEach(({ loss, step }, i) => {
          expect(step).toBe(i + 1);
          expect(loss).toBeCloseTo(one.steps[i].loss, 5);
        });
        expect(small.history.epochs.map(({ step }) => step)).toEqual(one.history.epochs.map(({ step }) => step));
      }
  });

  test('has the same bits compiled and op by op', async () => {
    const compiled = await train(7, 3, { compiled: true, clipGradNorm: 0.2 });
    const eager = await train(7, 3, { compiled: false, clipGradNorm: 0.2 });
    expect(compiled.state).toEqual(eager.state);
    expect(compiled.steps).toEqual(eager.steps);
  });

  test('moves schedules by updates', async () => {
    const rates: number[] = [];
    const model = network();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    await fit(model, {
      train: new DataLoader(samples(30), { batchSize: 5 }),
      loss: F.crossEntropy,
      optimizer,
      schedule: new optim.ExponentialLR(optimizer, { gamma: 0.5 }),
      ...{ scheduleBy: 'step', epochs: 1, accumulate: 2, quiet: true },
      callbacks: [{ step: () => void rates.push(optimizer.paramGroups[0].lr) }],
    });
    expect(rates).toEqual([1, 0.5, 0.25]);
  });

  test('of compileStep: an update with every last batch, and with what is left', () => {
    const make = (accumulate: number) => {
      const model = network();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.01 });
      const loss = (output: Variable, target: Variable) => F.crossEntropy(output, target);
      return { model, optimizer, step: compileStep(model, loss, optimizer, { accumulate }) };
    };
    const set = samples(30);
    const part = (from: number, to: number): [Variable, Variable] => {
      const list = Array.from(
        { length: to - from },
        (_, i) => set.get(from + i) as { input: { data: Float32Array }; target: { data: Int32Array } },
      );
      const x = variable(Float32Array.from(list.flatMap(({ input }) => [...input.data])), [to - from, 1, 6, 6]);
      return [
        x,
        variable(
          Int32Array.from(list.map(({ target }) => Number(target.data === undefined ? target : target.data[0]))),
        ),
      ];
    };
    const small = make(3);
    const one = make(1);
    const before = states(small.model);
    small.step.step(...part(0, 4));
    small.step.step(...part(4, 10));
    expect([states(small.model), small.step.isWaiting, small.optimizer.paramGroups[0].stepCount]).toEqual([
      before,
      true,
      0,
    ]);
    small.step.step(...part(10, 15));
    one.step.step(...part(0, 15));
    expect([small.step.isWaiting, small.optimizer.paramGroups[0].stepCount]).toEqual([false, 1]);
    close(states(small.model), states(one.model));

    small.step.step(...part(15, 20)); // a group that is flushed
    expect(small.step.flush()).toBe(true);
    expect([small.step.flush(), small.step.isWaiting]).toEqual([false, false]);
    one.step.step(...part(15, 20));
    close(states(small.model), states(one.model));

    for (const [from, to] of [
      [0, 10],
      [10, 20],
      [20, 30],
    ])
      small.step.step(...part(from, to));
    one.step.step(...part(0, 30));
    close(states(small.model), states(one.model), 5e-6);
    expect([...small.model.parameters()].every(({ grad }) => grad === null)).toBe(true);
    small.step.dispose();
    one.step.dispose();
    expect(() => small.step.flush()).toThrow(/disposed/);
  });

  test('a parameter that one of the batches does not reach', () => {
    class Two extends nn.Module {
      a = new nn.Linear(2, 1);
      b = new nn.Linear(3, 1);
      forward(x: Variable): Variable {
        return (x.shape[1] === 2 ? this.a : this.b).forward(x);
      }
    }
    const run = (isCompiled: boolean) => {
      seed(3);
      const model = new Two();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      const square = (output: Variable) => output.square().mean();
      const step = compileStep(model, square, optimizer, { accumulate: 2 });
      for (let i = 0; i < 4; i++) {
        const inputs = [2, 3, i < 2 ? 2 : 3]
          .slice(i % 2, (i % 2) + 2)
          .map((n) => variable(new Float32Array(2 * n).fill(1 + i), [2, n]));
        if (isCompiled) for (const x of inputs) step.step(x);
        else {
          optimizer.zeroGrad();
          for (const x of inputs) square(model.forward(x)).mul(2).backward();
          for (const param of model.parameters()) if (param.grad !== null) param.grad = param.grad.mul(1 / 4);
          optimizer.step();
        }
      }
      step.dispose();
      return states(model);
    };
    close(run(true), run(false), 1e-6);
  });

  test('a checkpoint in the middle of an epoch: the same weights as without interruption', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'convlet-accumulate-'));
    try {
      const options = { accumulate: 3, epochs: 2 } as const;
      const whole: Task = task({ ...options });
      await fit(whole.model, whole.options);
      const checkpoint = { directory, everySteps: 1 };
      const first = task({ ...options, checkpoint, callbacks: [{ step: ({ step }) => step < 2 }] });
      expect((await fit(first.model, first.options)).ended).toBe('callback');
      const second = task({ ...options, checkpoint, resume: true });
      const { history } = await fit(second.model, second.options);
      expect(states(second.model)).toEqual(states(whole.model));
      expect(history.epochs.map(({ step }) => step)).toEqual([3, 6]); // 7 batches: 3 + 3 + 1
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('a loss that is no number is found in its batch, and the state before its update comes back', async () => {
    const model = network();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const set = samples(30);
    const bad = (set.get(23) as { input: { data: Float32Array } }).input;
    let good: ReturnType<typeof states> | null = null;
    const data = Float32Array.from({ length: 30 * 36 }, (_, i) => Math.sin(i));
    data[23 * 36 + 4] = Number.NaN;
    expect(bad.data.length).toBe(36);
    const broken = new TensorDataset(
      { shape: [30, 1, 6, 6], data },
      Array.from({ length: 30 }, (_, i) => i % 3),
    );
    await expect(
      fit(model, {
        train: new DataLoader(broken, { batchSize: 5 }),
        loss: F.crossEntropy,
        ...{ optimizer, accumulate: 3, epochs: 1, quiet: true },
        callbacks: [{ step: () => void (good = states(model)) }],
      }),
    ).rejects.toThrow(/the loss is NaN at step 2 \(epoch 1, batch 4, .*first appeared in the input of sample 23/);
    expect(states(model)).toEqual(good);
    expect([...model.parameters()].every(({ grad }) => grad === null)).toBe(true);
  });
});
