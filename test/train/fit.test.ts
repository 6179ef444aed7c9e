import { beforeEach, describe, expect, test } from 'vitest';
import { useFiles } from '../../src/common/files.ts';
import { DataLoader, TensorDataset } from '../../src/data/index.ts';
import { F } from '../../src/nn/functional.ts';
import { accuracy } from '../../src/nn/metrics.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import { evaluate, type FitOptions, fit, loadCheckpoint } from '../../src/train/index.ts';
import { MemoryFiles, systemError } from '../data/files.ts';
import { Net, type Task, task, useJs } from './setup.ts';

let files: MemoryFiles;
beforeEach(() => {
  useJs();
  files = new MemoryFiles();
  useFiles(files);
});

/** Every parameter and buffer. */
const weightsOf = (model: nn.Module) =>
  Object.fromEntries(Object.entries(model.stateDict()).map(([name, { data }]) => [name, Array.from(data)]));
/** All but the clock. */
const timeless = (history: unknown): unknown =>
  JSON.parse(JSON.stringify(history, (key, value) => (key === 'seconds' ? undefined : value)));
const train = ({ model, options }: Task) => fit(model, options);

describe('training', () => {
  test('learns, compiled and op by op with the same numbers', async () => {
    const results = [];
    for (const compiled of [true, false]) {
      const one = task({ compiled });
      const { history, best, ended } = await train(one);
      expect(history.epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
        [1, 7],
        [2, 14],
        [3, 21],
        [4, 28],
      ]);
      expect(history.epochs[3].validation!.metrics.accuracy).toBeGreaterThan(0.7);
      expect(history.epochs[3].loss).toBeLessThan(history.epochs[0].loss / 1.5);
      expect([ended, best!.monitor]).toEqual(['done', 'val_accuracy']);
      expect(best!.value).toBe(Math.max(...history.epochs.map(({ validation }) => validation!.metrics.accuracy)));
      const again = await evaluate(one.model, one.options.validation!, {
        loss: F.crossEntropy,
        metrics: [accuracy()],
        compiled,
      });
      expect(again.loss).toBe(history.epochs[3].validation!.loss);
      expect(again.samples).toBe(60);
      results.push({ weights: weightsOf(one.model), history: timeless(history) });
    }
    expect(results[0]).toEqual(results[1]);
  });

  test('the history has rates, the loss of every step, means over samples', async () => {
    const losses: number[] = [];
    const one = task({ epochs: 2, callbacks: [{ step: ({ loss }) => void losses.push(loss) }] });
    const { history } = await train(one);
    expect(history.epochs.map(({ lr }) => lr)).toEqual([0.05, expect.closeTo((0.05 * (1 + Math.SQRT1_2)) / 2, 10)]);
    expect(history.trace.map(({ loss }) => loss)).toEqual(losses);
    const sizes = [16, 16, 16, 16, 16, 16, 4];
    const mean = losses.slice(7).reduce((sum, loss, i) => sum + loss * sizes[i], 0) / 100;
    expect(history.epochs[1].loss).toBeCloseTo(mean, 10);
    expect(history.toCsv().split('\n')[0]).toBe('epoch,step,seconds,lr,loss,accuracy,f1,val_loss,val_accuracy,val_f1');
  });

  test('schedules move by steps or epochs', async () => {
    const rates = async (make: (optimizer: optim.Optimizer) => optim.LRScheduler, more: Partial<FitOptions> = {}) => {
      const one = task({ epochs: 2, ...more });
      const { history } = await fit(one.model, { ...one.options, schedule: make(one.options.optimizer) });
      return history.trace.map(({ lr }) => lr);
    };
    const oneCycle = await rates((optimizer) => new optim.OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 14 }));
    expect(new Set(oneCycle).size).toBe(14);
    const exponential = await rates((optimizer) => new optim.ExponentialLR(optimizer, { gamma: 0.5 }));
    expect([...new Set(exponential)]).toEqual([0.05, 0.025]);
    const bySteps = await rates((optimizer) => new optim.ExponentialLR(optimizer, { gamma: 0.5 }), {
      scheduleBy: 'step',
    });
    expect(bySteps.slice(0, 3)).toEqual([0.05, 0.025, 0.0125]);
    const one = task({ epochs: 3, monitor: 'val_loss' });
    const schedule = new optim.ReduceLROnPlateau(one.options.optimizer, {
      patience: 0,
      threshold: 100,
      thresholdMode: 'abs',
    });
    const { history } = await fit(one.model, { ...one.options, schedule });
    expect(history.epochs.map(({ lr }) => lr)).toEqual([0.05, 0.05, expect.closeTo(0.005, 12)]);
  });

  test('gradients are clipped the same way in both', async () => {
    const [a, b, free] = [task({ clipGradNorm: 0.1 }), task({ clipGradNorm: 0.1, compiled: false }), task()];
    for (const one of [a, b, free]) await fit(one.model, { ...one.options, epochs: 1 });
    expect(weightsOf(a.model)).toEqual(weightsOf(b.model));
    expect(weightsOf(a.model)).not.toEqual(weightsOf(free.model));
  });

  test('a model that cannot be compiled goes on op by op, unless that is refused', async () => {
    class Dynamic extends Net {
      override forward(x: import('../../src/autograd/index.ts').Variable) {
        const out = super.forward(x);
        return out.mul(out.data[0] === Number.POSITIVE_INFINITY ? 0 : 1);
      }
    }
    const run = async (model: nn.Module, compiled?: boolean) => {
      const { options } = task();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
      await fit(model, { ...options, epochs: 1, optimizer, schedule: undefined, compiled });
      return weightsOf(model);
    };
    const fresh = (Class: typeof Net) => {
      task();
      const model = new Class();
      model.loadStateDict(task().model.stateDict());
      return model;
    };
    expect(await run(fresh(Dynamic))).toEqual(await run(fresh(Net)));
    await expect(run(fresh(Dynamic), true)).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('early stopping, with the best weights at the end', async () => {
    const one = task({ epochs: 30, earlyStopping: { patience: 2, restoreBest: true }, schedule: undefined });
    const { history, best, ended } = await train(one);
    expect(ended).toBe('early');
    expect(history.epochs.length).toBe(best!.epoch + 2);
    const again = await evaluate(one.model, one.options.validation!, { metrics: [accuracy()] });
    expect(again.metrics.accuracy).toBe(best!.value);
  });

  test('a second run begins with the first epoch again', async () => {
    const { model, options } = task({ epochs: 2 });
    await fit(model, options);
    expect((await fit(model, options)).history.epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 7],
      [2, 14],
    ]);
  });

  test('a callback ends training', async () => {
    const one = task({ callbacks: [{ epoch: async ({ epoch }) => epoch < 2 }] });
    expect(await train(one)).toMatchObject({ ended: 'callback', history: { epochs: [{ epoch: 1 }, { epoch: 2 }] } });
    const two = task({ callbacks: [{ step: ({ step }) => step < 9 }] });
    const { history, ended } = await train(two);
    expect([ended, history.epochs.length, history.trace.length]).toEqual(['callback', 1, 9]);
  });

  test('wrong options', async () => {
    const wrong: [Partial<FitOptions>, RegExp][] = [
      [{ epochs: 0 }, /epochs expects a whole number ≥ 1, got 0/],
      [{ monitor: 'val_recall' }, /monitor expects loss or accuracy or f1 or val_loss .* got 'val_recall'/],
      [{ metrics: [accuracy(), accuracy()] }, /metrics expects different names, got 'accuracy' twice/],
      [{ resume: true }, /resume: true expects checkpoint\.directory/],
      [{ clipGradNorm: -1 }, /clipGradNorm expects a number > 0, got -1/],
      [{ earlyStopping: { patience: 0 } }, /patience expects a whole number ≥ 1, got 0/],
      [{ checkpoint: { directory: 'd', every: 0 } }, /every expects a whole number ≥ 1, got 0/],
      [{ checkpoint: { directory: 'd', everySteps: 0 } }, /everySteps expects a whole number ≥ 1, got 0/],
      [{ checkpoint: { directory: 'd', every: 0.5 } }, /checkpoint\.every expects a whole number ≥ 1, got 0\.5/],
    ];
    for (const [more, message] of wrong)
      await expect(train(task(more))).rejects.toMatchObject({
        code: 'argument',
        message: expect.stringMatching(message),
      });
    const { model, options } = task();
    const labels = new DataLoader(new TensorDataset({ shape: [2, 1, 6, 6], data: new Float32Array(72) }, [1, 7]));
    await expect(fit(model, { ...options, train: labels })).rejects.toMatchObject({
      name: 'ConvletError',
      code: 'index-range',
    });
  });
});

describe('checkpoints and resuming', () => {
  const directory = 'run';
  const whole = async () => {
    const one = task();
    const { history } = await train(one);
    return { weights: weightsOf(one.model), history: timeless(history) };
  };

  test('stopped after any epoch or step and resumed: the same bits', async () => {
    const expected = await whole();
    for (const compiled of [true, false]) {
      for (const stop of [1, 3, 7, 10, 13, 14, 27]) {
        files.content.clear();
        const checkpoint = { directory, everySteps: 1 };
        const first = task({ checkpoint, compiled, callbacks: [{ step: ({ step }) => step < stop }] });
        await train(first);
        // Another process: other weights, another state of the random numbers.
        const second = task({ checkpoint, compiled, resume: true });
        for (const parameter of second.model.parameters()) parameter.set(new Float32Array(parameter.size));
        const { history } = await train(second);
        expect({ weights: weightsOf(second.model), history: timeless(history) }, `${stop} ${compiled}`).toEqual(
          expected,
        );
      }
    }
  });

  test('last and best', async () => {
    const checkpoint = { directory };
    const one = task({ checkpoint });
    const { best } = await train(one);
    expect([...files.content.keys()].sort()).toEqual(['run/best.safetensors', 'run/last.safetensors']);
    const last = await loadCheckpoint('run/last.safetensors');
    expect(Array.from(last!.model.get('fc.weight')!.data)).toEqual(weightsOf(one.model)['fc.weight']);
    const model = new Net();
    model.loadStateDict((await loadCheckpoint('run/best.safetensors'))!.model);
    const { metrics } = await evaluate(model, one.options.validation!, { metrics: [accuracy()] });
    expect(metrics.accuracy).toBe(best!.value);
    // Nothing is left to do.
    const again = task({ checkpoint, resume: true });
    expect((await train(again)).history.epochs).toHaveLength(4);
    expect(weightsOf(again.model)).toEqual(weightsOf(one.model));
  });

  test('a schedule by steps goes on where it was', async () => {
    const by = (more: Partial<FitOptions>): Task => {
      const one = task(more);
      const schedule = new optim.OneCycleLR(one.options.optimizer, { maxLr: 0.1, totalSteps: 28 });
      return { ...one, options: { ...one.options, schedule } };
    };
    const expected = by({});
    await train(expected);
    for (const stop of [5, 14]) {
      const checkpoint = { directory, everySteps: 1 };
      await train(by({ checkpoint, callbacks: [{ step: ({ step }) => step < stop }] }));
      const one = by({ checkpoint, resume: true });
      await train(one);
      expect(weightsOf(one.model)).toEqual(weightsOf(expected.model));
    }
  });

  test('a run that goes on for more epochs, from a file', async () => {
    const expected = task({ epochs: 6 });
    await train(expected);
    await train(task({ epochs: 3, checkpoint: { directory, best: false } }));
    const one = task({ epochs: 6, resume: 'run/last.safetensors' });
    await train(one);
    expect(weightsOf(one.model)).toEqual(weightsOf(expected.model));
    await expect(train(task({ resume: 'nowhere.safetensors' }))).rejects.toThrow(/there is no checkpoint 'nowhere/);
  });

  test('another architecture: every name that does not fit', async () => {
    await train(task({ epochs: 1, checkpoint: { directory } }));
    const { options } = task();
    class Other extends Net {
      extra = new nn.Linear(2, 2);
      constructor() {
        super(5);
        delete (this as Partial<Net>).bn;
      }
    }
    const model = new Other();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const attempt = fit(model, { ...options, optimizer, checkpoint: { directory }, resume: true });
    const error = await attempt.catch((reason: Error) => reason);
    expect(error).toMatchObject({ name: 'ConvletError', code: 'shape' });
    const { message } = error as Error;
    expect(message).toContain("checkpoint 'run/last.safetensors'");
    expect(message).toContain('missing: extra.weight, extra.bias');
    for (const name of ['bn.weight', 'bn.running_mean', 'bn.num_batches_tracked']) expect(message).toContain(name);
    expect(message).toContain('fc.weight (expected [5,54], got [4,54]), fc.bias (expected [5], got [4])');
  });

  test('a damaged checkpoint and a full disk', async () => {
    const checkpoint = { directory };
    await train(task({ epochs: 1, checkpoint }));
    const good = files.content.get('run/last.safetensors')!;
    files.content.set('run/last.safetensors', good.slice().fill(7, good.length - 1));
    await expect(train(task({ checkpoint, resume: true }))).rejects.toMatchObject({ code: 'malformed' });
    files.content.set('run/last.safetensors', good);
    files.before = (what) => {
      if (what === 'write') throw systemError('ENOSPC');
    };
    await expect(train(task({ checkpoint, resume: true }))).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringContaining('the disk is full'),
    });
    expect(files.content.get('run/last.safetensors')).toBe(good);
  });
});

describe('numbers that are none', () => {
  test('the layer in which a weight makes them', async () => {
    for (const compiled of [true, false]) {
      const one = task({ compiled });
      const values = one.model.fc.weight.data;
      values[3] = 3e38;
      one.model.fc.weight.set(values);
      const error = await train(one).catch((reason: Error) => reason);
      expect(error).toMatchObject({ name: 'ConvletError', code: 'non-finite' });
      expect((error as Error).message).toMatch(
        /^fit: the loss is (NaN|Infinity) at step 1 \(epoch 1, batch 0, samples [\d, ]+, …\); it first appeared in the output of layer 'fc' \(Linear\) \(-?Infinity\)$/,
      );
    }
  });

  test('a learning rate that is far too high: the step before', async () => {
    const one = task({ epochs: 20, schedule: undefined });
    for (const group of one.options.optimizer.paramGroups) group.lr = 1e25;
    const error = await train(one).catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'non-finite', message: expect.stringMatching(/it first appeared in the /) });
    // Model and optimizer are as they were before.
    for (const values of Object.values(weightsOf(one.model))) expect(values.every(Number.isFinite)).toBe(true);
  });

  test('a sample that holds one', async () => {
    const { model, options } = task();
    const data = new Float32Array(40 * 36);
    data[29 * 36 + 5] = Number.NaN;
    const broken = new DataLoader(new TensorDataset({ shape: [40, 1, 6, 6], data }, new Array(40).fill(1)), {
      batchSize: 8,
    });
    await expect(fit(model, { ...options, train: broken })).rejects.toMatchObject({
      code: 'non-finite',
      message: expect.stringMatching(
        /^fit: the loss is NaN at step 4 \(epoch 1, batch 3, .* in the input of sample 29 \(NaN\)$/,
      ),
    });
  });

  test('the loss function', async () => {
    const { model, options } = task();
    const loss: FitOptions['loss'] = (output, target) => F.crossEntropy(output, target).sub(100).log();
    await expect(fit(model, { ...options, loss })).rejects.toMatchObject({
      message: expect.stringMatching(/it first appeared in the loss function \(NaN\)$/),
    });
  });
});

describe('while it runs', () => {
  test('a progress bar on a terminal, nothing when quiet', async () => {
    let text = '';
    const terminal = { columns: 100, write: (part: string) => void (text += part) };
    await train(task({ quiet: false, terminal }));
    const lines = text.split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toContain('epoch 1/4 ');
    expect(lines[0]).toMatch(/\d+:\d\d left/);
    expect(lines[0]).toMatch(
      /epoch 1\/4 {2}loss \d\.\d{4} {2}accuracy .* val loss .* val accuracy \d\.\d{4} .* s {2}★$/,
    );
    text = '';
    await train(task({ quiet: true, terminal }));
    expect(text).toBe('');
  });

  test('timers have their turn', async () => {
    let fired = 0;
    const timer = setInterval(() => void fired++, 5);
    const until = performance.now() + 400;
    await train(task({ epochs: 1000, callbacks: [{ step: () => performance.now() < until }] }));
    clearInterval(timer);
    expect(fired).toBeGreaterThan(2);
  });

  test('logs and report are whole after each epoch', async () => {
    const log = { csv: 'run/log.csv', json: 'run/log.json', html: 'run/report.html', title: 'Quarters <1>' };
    const seen: string[] = [];
    const text = (path: string): string => new TextDecoder().decode(files.content.get(path));
    await train(
      task({ log, callbacks: [{ epoch: () => void seen.push(files.content.has(log.html) ? text(log.html) : '') }] }),
    );
    expect(seen[2]).toContain('Running: 2 of 4 epochs.');
    expect(text(log.csv).trimEnd().split('\n')).toHaveLength(5);
    expect(JSON.parse(text(log.json)).epochs).toHaveLength(4);
    const page = text(log.html);
    expect(page).toContain('Finished: 4 of 4 epochs.');
    expect(page).toContain('<h1>Quarters &#60;1&#62;</h1>');
    for (const part of [
      'Confusion matrix',
      'Learning rate',
      'SGD (lr 0.05, momentum 0.9',
      '(conv): Conv2d',
      '>sw</text>',
    ])
      expect(page).toContain(part);
    // Self-contained: no address, no script.
    expect(page).not.toMatch(/(?:href|src)=|https?:|<script|NaN|undefined/);
    const opened = [...page.matchAll(/<(\w+)(?=[\s>])[^>]*?(\/?)>/g)].filter((m) => m[2] === '' && m[1] !== 'meta');
    const closed = [...page.matchAll(/<\/(\w+)>/g)];
    const count = (tags: RegExpExecArray[], name: string) => tags.filter((m) => m[1] === name).length;
    for (const name of ['svg', 'text', 'title', 'figure', 'table', 'tr', 'td', 'div', 'span', 'circle'])
      expect([name, count(opened, name)]).toEqual([name, count(closed, name)]);
  });
});
