// Which epoch is the best, what is kept of it, and what a restart must not change of that.
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { useFiles } from '../../src/common/files.ts';
import type { Metric } from '../../src/nn/metrics.ts';
import { type FitOptions, fit, loadCheckpoint } from '../../src/train/index.ts';
import { Monitor } from '../../src/train/monitor.ts';
import { MemoryFiles } from '../data/files.ts';
import { type Net, task, useJs } from './setup.ts';

let files: MemoryFiles;
beforeEach(() => {
  useJs();
  files = new MemoryFiles();
  useFiles(files);
});

/** A hash of every parameter and buffer. */
const weightsOf = (model: Net) =>
  Object.fromEntries(
    Object.entries(model.stateDict()).map(([name, { data }]) => [name, createHash('md5').update(data).digest('hex')]),
  );
const timeless = (history: unknown): unknown =>
  JSON.parse(JSON.stringify(history, (key, value) => (key === 'seconds' ? undefined : value)));

/** A metric that says what it is told, a value for each epoch. */
function scripted(values: readonly number[], better: 'higher' | 'lower' = 'higher'): Metric {
  let epoch = 0;
  return {
    name: 'score',
    better,
    update() {},
    compute: () => values[epoch],
    // Before the first epoch, and behind each.
    reset: () => void epoch++,
    stateDict: () => [epoch],
    loadStateDict([at]) {
      epoch = at;
    },
  };
}

const of = (values: readonly number[], more: Partial<FitOptions> = {}) =>
  task({
    validation: undefined,
    schedule: undefined,
    metrics: [scripted([Number.NaN, ...values])],
    epochs: values.length,
    ...more,
  });

describe('the best epoch', () => {
  const monitor = (options: Partial<FitOptions>) => new Monitor({ ...task().options, ...options });
  const record = (epoch: number, loss: number) => ({
    ...{ epoch, step: epoch, seconds: 0, lr: 0, loss, metrics: {} },
    validation: null,
  });

  test.each([
    ['lower', [3, 2, 2, 1, 1], [true, true, false, true, false]],
    ['lower', [Number.NaN, 2, Number.NaN, 2, 1], [false, true, false, false, true]],
    ['lower', [Number.POSITIVE_INFINITY, 2, 3], [true, true, false]],
    ['higher', [1, 1, 2, 2, 0], [true, false, true, false, false]],
    ['higher', [Number.NaN, Number.NaN, -1, -1, 0], [false, false, true, false, true]],
  ] as const)('of values of which %s is better, %j: %j', (better, values, expected) => {
    const metric = scripted([], better);
    const named = monitor({ metrics: [metric], validation: undefined, monitor: 'score' });
    const got = values.map((value, i) => named.update({ ...record(i + 1, 0), metrics: { score: value } }));
    expect(got).toEqual(expected);
    const last = expected.lastIndexOf(true);
    expect(named.best).toEqual({ epoch: last + 1, monitor: 'score', value: values[last] });
  });

  test('an improvement is more than minDelta; patience counts the epochs without', () => {
    const waiting = monitor({ monitor: 'loss', metrics: [], earlyStopping: { patience: 2, minDelta: 0.5 } });
    const steps = [4, 3.5, 3.4, 3.3].map((loss, i) => [waiting.update(record(i + 1, loss)), waiting.exhausted]);
    expect(steps).toEqual([
      [true, false],
      [false, false],
      [true, false],
      [false, false],
    ]);
    expect([waiting.update(record(5, 3)), waiting.exhausted]).toEqual([false, true]);
    const restarted = monitor({ monitor: 'loss', metrics: [], earlyStopping: { patience: 2, minDelta: 0.5 } });
    restarted.loadStateDict(waiting.stateDict());
    expect([restarted.best?.epoch, restarted.exhausted]).toEqual([3, true]);
  });

  test('by default there is no end to waiting, and every improvement counts', () => {
    const plain = monitor({ monitor: 'loss', metrics: [] });
    expect([1, 1, 1, 1, 1, 1, 1, 1, 0.999].map((loss, i) => plain.update(record(i + 1, loss)))).toEqual([
      ...[true, false, false, false, false, false, false, false, true],
    ]);
    expect(plain.exhausted).toBe(false);
    const stopping = monitor({ monitor: 'loss', metrics: [], earlyStopping: {} });
    const ended = [9, 9, 9, 9, 9, 9].map((loss, i) => {
      stopping.update(record(i + 1, loss));
      return stopping.exhausted;
    });
    expect(ended).toEqual([false, false, false, false, false, true]);
  });

  test('of equal epochs the first is kept: weights, file, stars', async () => {
    const kept: unknown[] = [];
    const lines: string[] = [];
    const saves: string[] = [];
    files.before = (what, path) => void (what === 'rename' && saves.push(path));
    const one = of([1, 3, 3, Number.NaN, 2], {
      earlyStopping: { patience: 3, restoreBest: true },
      checkpoint: { directory: 'run' },
      callbacks: [{ epoch: () => void kept.push(weightsOf(one.model)) }],
      quiet: false,
      terminal: { columns: 100, write: (text: string) => void lines.push(text) } as never,
    });
    const { best, ended, history } = await fit(one.model, one.options);
    expect([best, ended, history.epochs.length]).toEqual([{ epoch: 2, monitor: 'score', value: 3 }, 'early', 5]);
    expect(weightsOf(one.model)).toEqual(kept[1]);
    expect(saves.filter((path) => path.includes('best'))).toHaveLength(2);
    one.model.loadStateDict((await loadCheckpoint('run/best.safetensors'))!.model);
    expect(weightsOf(one.model)).toEqual(kept[1]);
    expect(
      lines
        .join('')
        .split('\n')
        .filter((line) => line.includes('★')),
    ).toHaveLength(2);
  });

  test('an epoch without a number is never the best', async () => {
    const one = of([Number.NaN, Number.NaN], {
      earlyStopping: { restoreBest: true },
      checkpoint: { directory: 'run' },
    });
    expect((await fit(one.model, one.options)).best).toBe(null);
    expect([...files.content.keys()]).toEqual(['run/last.safetensors']);
    const late = of([Number.NaN, 5, 4]);
    expect((await fit(late.model, late.options)).best).toMatchObject({ epoch: 2, value: 5 });
  });
});

class Crash extends Error {}

/** Runs until `crash` throws, then again from what is there. */
async function interrupted(make: (more: Partial<FitOptions>) => ReturnType<typeof task>, crash: Partial<FitOptions>) {
  const first = make(crash);
  await expect(fit(first.model, first.options)).rejects.toThrow(Crash);
  const second = make({ resume: true });
  // Another process has other weights; where nothing was saved yet they are drawn as before.
  if (files.content.has('run/last.safetensors'))
    for (const p of second.model.parameters()) p.set(new Float32Array(p.size));
  const result = await fit(second.model, second.options);
  return {
    weights: weightsOf(second.model),
    history: timeless(result.history),
    best: result.best,
    ended: result.ended,
  };
}

async function whole({ model, options }: ReturnType<typeof task>) {
  const { history, best, ended } = await fit(model, options);
  return { weights: weightsOf(model), history: timeless(history), best, ended };
}

const throwing = (): never => {
  throw new Crash('the power is gone');
};

describe('a crash', () => {
  // An epoch has seven steps.
  const plain = task({}).options.train.length;

  test('the task has the steps that these tests are about', () => {
    expect(plain).toBe(7);
  });

  test.each([1, 2, 7, 14])(
    'anywhere, with a state every %i steps: the same bits and the same history',
    async (everySteps) => {
      const make = (more: Partial<FitOptions>) =>
        task({ checkpoint: { directory: 'run', everySteps, every: 2 }, ...more });
      const expected = await whole(task());
      for (const at of [1, 6, 7, 8, 14, 15, 20]) {
        files.content.clear();
        const step = { step: (info: { step: number }) => (info.step === at ? throwing() : undefined) };
        expect(await interrupted(make, { callbacks: [step] }), `a crash in step ${at}`).toEqual(expected);
      }
      for (const at of [1, 2, 3]) {
        files.content.clear();
        const epoch = { epoch: (record: { epoch: number }) => (record.epoch === at ? throwing() : undefined) };
        expect(await interrupted(make, { callbacks: [epoch] }), `a crash after epoch ${at}`).toEqual(expected);
      }
    },
  );

  test('everySteps that divide an epoch: its last step is a state too, behind its validation', async () => {
    const saved: number[] = [];
    files.before = (what, path) => {
      if (what === 'rename' && path.includes('last')) saved.push(steps);
    };
    let steps = 0;
    const count = { step: (info: { step: number }) => void (steps = info.step) };
    const one = task({ checkpoint: { directory: 'run', everySteps: 7, every: 100, best: false }, callbacks: [count] });
    await fit(one.model, one.options);
    expect(saved).toEqual([7, 14, 21, 28]);
  });

  test('while an epoch is validated: the steps of the epoch may be there, its end is not', async () => {
    for (const everySteps of [1, 7]) {
      files.content.clear();
      const make = (more: Partial<FitOptions>) => {
        const one = task({ checkpoint: { directory: 'run', everySteps, every: 3 }, ...more });
        if (more.resume === undefined) {
          const { validation } = one.options;
          let begun = 0;
          const iterate = validation!.dataset.get.bind(validation!.dataset);
          validation!.dataset.get = ((...args: Parameters<typeof iterate>) =>
            ++begun > 70 ? throwing() : iterate(...args)) as typeof iterate;
        }
        return one;
      };
      const first = make({});
      await expect(fit(first.model, first.options)).rejects.toThrow(/the power is gone/);
      const second = make({ resume: true });
      const result = await whole(second);
      expect(result).toEqual(await whole(task()));
    }
  });

  test('behind the best epoch: its weights are what is left at the end', async () => {
    for (const best of [true, false]) {
      const more = { earlyStopping: { patience: 9, restoreBest: true } };
      const values = [1, 5, 2, 3, 4];
      const expected = await whole(of(values, more));
      for (const at of [3, 4, 5]) {
        files.content.clear();
        const make = (given: Partial<FitOptions>) =>
          of(values, { ...more, checkpoint: { directory: 'run', best }, ...given });
        const epoch = { epoch: (record: { epoch: number }) => (record.epoch === at ? throwing() : undefined) };
        expect(await interrupted(make, { callbacks: [epoch] }), `a crash after epoch ${at}`).toEqual(expected);
      }
    }
  });
});
