import { describe, expect, it } from 'vitest';
import * as optim from '../../src/optim/index.ts';
import { expectError } from '../ops/run.ts';

const on = (lr = 0.1, more: object = {}): optim.Scheduled => ({
  paramGroups: [{ params: [], lr, stepCount: 0, ...more }],
});

const rates = (schedule: { step(): void; getLastLr(): number[] }, steps: number): number[] =>
  Array.from({ length: steps }, () => {
    const [lr] = schedule.getLastLr();
    schedule.step();
    return Number(lr.toFixed(10));
  });

const schedules: { readonly [name: string]: (on: optim.Scheduled) => optim.LRScheduler } = {
  LambdaLR: (o) => new optim.LambdaLR(o, (epoch) => 0.9 ** epoch),
  MultiplicativeLR: (o) => new optim.MultiplicativeLR(o, (epoch) => 1 - epoch / 100),
  StepLR: (o) => new optim.StepLR(o, { stepSize: 3 }),
  MultiStepLR: (o) => new optim.MultiStepLR(o, { milestones: [2, 5] }),
  ConstantLR: (o) => new optim.ConstantLR(o),
  LinearLR: (o) => new optim.LinearLR(o),
  ExponentialLR: (o) => new optim.ExponentialLR(o, { gamma: 0.9 }),
  PolynomialLR: (o) => new optim.PolynomialLR(o, { totalIters: 4 }),
  CosineAnnealingLR: (o) => new optim.CosineAnnealingLR(o, { tMax: 10 }),
  CosineAnnealingWarmRestarts: (o) => new optim.CosineAnnealingWarmRestarts(o, { t0: 3, tMult: 2 }),
  OneCycleLR: (o) => new optim.OneCycleLR(o, { maxLr: 1, totalSteps: 40 }),
  CyclicLR: (o) => new optim.CyclicLR(o, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 4, mode: 'expRange', gamma: 0.99 }),
};

describe('a schedule that is saved and loaded goes on with the same rates', () => {
  it.each(Object.entries(schedules))('%s', (_, make) => {
    const first = make(on());
    const early = rates(first, 7);
    const saved = JSON.parse(JSON.stringify(first.stateDict()));
    const second = make(on());
    second.loadStateDict(saved);
    expect(rates(second, 12)).toEqual(rates(first, 12));
    expect(new Set(early).size).toBeGreaterThan(1);
  });

  it('ReduceLROnPlateau', () => {
    const metrics = [3, 2, 2, 2, 2, 1, 1, 1, 1, 1];
    const make = () => new optim.ReduceLROnPlateau(on(), { patience: 1, factor: 0.5 });
    const [first, second] = [make(), make()];
    for (const metric of metrics.slice(0, 4)) first.step(metric);
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())));
    for (const metric of metrics.slice(4)) {
      first.step(metric);
      second.step(metric);
      expect(second.getLastLr()).toEqual(first.getLastLr());
    }
    expect(first.getLastLr()[0]).toBeLessThan(0.05 + 1e-12);
  });
});

describe('values by hand', () => {
  it('lambda, per group', () => {
    const two = { paramGroups: [1, 2].map((lr) => ({ params: [], lr, stepCount: 0 })) };
    const schedule = new optim.LambdaLR(two, [(epoch) => 1 / (epoch + 1), () => 3]);
    schedule.step();
    expect(schedule.getLastLr()).toEqual([0.5, 6]);
    expectError('argument', ['LambdaLR', '2 functions', 'got 1'], () => new optim.LambdaLR(two, [() => 1]));
  });

  it('multiplicative', () => {
    expect(rates(new optim.MultiplicativeLR(on(1), (epoch) => 1 / epoch), 4)).toEqual([1, 1, 0.5, 0.1666666667]);
  });

  it('one after another, and both at once', () => {
    const o = on(1);
    const parts = [new optim.ConstantLR(o, { factor: 0.5, totalIters: 9 }), new optim.ExponentialLR(o, { gamma: 0.1 })];
    expect(rates(new optim.SequentialLR(o, parts, [2]), 5)).toEqual([0.5, 0.5, 1, 0.1, 0.01]);
    expect(rates(new optim.ChainedScheduler(parts), 3)).toEqual([0.5, 0.05, 0.005]);
    expectError(
      'argument',
      ['SequentialLR', '2 schedules and 2 milestones'],
      () => new optim.SequentialLR(o, parts, [1, 2]),
    );
  });

  it('one cycle moves the momentum the other way, whatever it is called', () => {
    for (const [group, momentum] of [
      [{ momentum: 0.9 }, (g: optim.ParamGroup) => g.momentum],
      [{ betas: [0.9, 0.99] }, (g: optim.ParamGroup) => (g.betas as number[])[0]],
    ] as const) {
      const o = on(0.1, group);
      const schedule = new optim.OneCycleLR(o, { maxLr: 1, totalSteps: 11, pctStart: 0.5, annealStrategy: 'linear' });
      expect(momentum(o.paramGroups[0])).toBeCloseTo(0.95, 12);
      for (let i = 0; i < 5; i++) schedule.step();
      expect(momentum(o.paramGroups[0])).toBeLessThan(0.87);
      expect(o.paramGroups[0].lr).toBeGreaterThan(0.8);
    }
  });

  it('one cycle has an end', () => {
    const schedule = new optim.OneCycleLR(on(), { maxLr: 1, epochs: 2, stepsPerEpoch: 2 });
    for (let i = 0; i < 3; i++) schedule.step();
    const before = schedule.getLastLr();
    expectError('argument', ['OneCycleLR', 'step 4', '4 steps'], () => schedule.step());
    expect(schedule.getLastLr()).toEqual(before);
  });
});

describe('wrong options', () => {
  it.each([
    ['StepLR', 'stepSize', () => new optim.StepLR(on(), { stepSize: 0 })],
    ['LinearLR', 'totalIters', () => new optim.LinearLR(on(), { totalIters: 0 })],
    ['CosineAnnealingLR', 'tMax', () => new optim.CosineAnnealingLR(on(), { tMax: Number.NaN })],
    ['CosineAnnealingWarmRestarts', 'tMult', () => new optim.CosineAnnealingWarmRestarts(on(), { t0: 1, tMult: 0.5 })],
    ['OneCycleLR', 'totalSteps', () => new optim.OneCycleLR(on(), { maxLr: 1 })],
    ['OneCycleLR', 'pctStart', () => new optim.OneCycleLR(on(), { maxLr: 1, totalSteps: 3, pctStart: 2 })],
    ['CyclicLR', 'stepSizeUp', () => new optim.CyclicLR(on(), { baseLr: 0, maxLr: 1, stepSizeUp: 0 })],
    ['ReduceLROnPlateau', 'factor', () => new optim.ReduceLROnPlateau(on(), { factor: 1 })],
    ['loadStateDict', 'lastEpoch', () => new optim.StepLR(on(), { stepSize: 1 }).loadStateDict({ lastEpoch: -1 })],
    ['ChainedScheduler', 'at least one', () => new optim.ChainedScheduler([])],
  ])('%s: %s', (name, option, make) => {
    expectError('argument', [name, option], make);
  });
});
