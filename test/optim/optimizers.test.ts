import { describe, expect, it, test } from 'vitest';
import { useBackend, type Variable, variable } from '../../src/autograd/index.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { mseLoss } from '../../src/nn/loss.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import { backendOf, Random, variants } from '../kernels/harness.ts';
import { expectError } from '../ops/run.ts';
import { jsBackend } from '../support/js-backend.ts';

type Make = (params: Iterable<Variable>) => optim.Optimizer;

const optimizers: { readonly [name: string]: Make } = {
  SGD: (p) => new optim.SGD(p, { lr: 0.05 }),
  'SGD, Nesterov': (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
  Adam: (p) => new optim.Adam(p, { lr: 0.02 }),
  'Adam, amsgrad': (p) => new optim.Adam(p, { lr: 0.02, amsgrad: true, weightDecay: 1e-3 }),
  AdamW: (p) => new optim.AdamW(p, { lr: 0.02 }),
  RMSprop: (p) => new optim.RMSprop(p, { lr: 0.01 }),
  'RMSprop, centred': (p) => new optim.RMSprop(p, { lr: 0.01, centered: true }),
  'RMSprop, momentum': (p) => new optim.RMSprop(p, { lr: 0.005, momentum: 0.5 }),
  Adagrad: (p) => new optim.Adagrad(p, { lr: 0.1, initialAccumulatorValue: 0.1, lrDecay: 0.01 }),
  Adadelta: (p) => new optim.Adadelta(p, { lr: 5 }),
  Adamax: (p) => new optim.Adamax(p, { lr: 0.02 }),
  NAdam: (p) => new optim.NAdam(p, { lr: 0.02 }),
  RAdam: (p) => new optim.RAdam(p, { lr: 0.05 }),
  Rprop: (p) => new optim.Rprop(p, { lr: 0.01 }),
  Lion: (p) => new optim.Lion(p, { lr: 0.01, weightDecay: 0.01 }),
  Lamb: (p) => new optim.Lamb(p, { lr: 0.05, weightDecay: 0.01 }),
};

test('every optimizer has a row in this table', () => {
  const classes = Object.entries(optim).filter(([, made]) => made.prototype instanceof optim.Optimizer);
  const rows = new Set(Object.keys(optimizers).map((title) => title.split(',')[0]));
  expect(classes.map(([name]) => name).filter((name) => !rows.has(name))).toEqual([]);
  expect(classes.length).toBeGreaterThan(10);
});

const random = new Random(5);
const batch = [random.floats(8 * 3), random.floats(8 * 2)] as const;

function network(): nn.Sequential {
  const values = new Random(11);
  const net = new nn.Sequential(new nn.Linear(3, 7), new nn.Tanh(), new nn.Linear(7, 2));
  for (const parameter of net.parameters()) parameter.set(values.floats(parameter.size, -0.5, 0.5));
  return net;
}

const inputs = (): [Variable, Variable] => [variable(batch[0].slice(), [8, 3]), variable(batch[1].slice(), [8, 2])];

const error = (y: Variable, t: Variable): Variable => mseLoss(y, t);

/** Losses of eager steps. */
function train(net: nn.Module, optimizer: optim.Optimizer, steps: number): number[] {
  return Array.from({ length: steps }, () => {
    const [x, t] = inputs();
    optimizer.zeroGrad();
    const loss = mseLoss(net.forward(x), t);
    loss.backward();
    optimizer.step();
    return loss.item();
  });
}

const values = (net: nn.Module): number[] => [...net.parameters()].flatMap((parameter) => Array.from(parameter.data));

const backends: [string, () => Backend][] = [
  ['js', () => jsBackend()],
  ...variants.map((variant): [string, () => Backend] => [`wasm ${variant}`, () => backendOf(variant)]),
];

describe.each(backends)('on %s', (_, make) => {
  // The variance of a gradient that does not change is 0, and what rounding leaves of it may be less.
  test.each([0.99, 0.9, 0.5])(
    'RMSprop, centred, under a constant gradient (alpha %f): no step is NaN or uphill',
    (alpha) => {
      useBackend(make());
      const gradients = new Random(17).floats(101, -3, 3);
      gradients[50] = 0;
      const p = new nn.Parameter([101]);
      const optimizer = new optim.RMSprop([p], { lr: 1e-3, alpha, centered: true });
      let before = Array.from(p.data);
      for (let step = 0; step < 1500; step++) {
        p.grad = variable(gradients.slice(), [101]);
        optimizer.step();
        const data = Array.from(p.data);
        const wrong = data.findIndex((v, i) => !(Number.isFinite(v) && (v - before[i]) * gradients[i] <= 0));
        expect(wrong, `step ${step}: ${before[wrong]} → ${data[wrong]}`).toBe(-1);
        before = data;
      }
      expect(before[50]).toBe(0);
    },
  );

  test.each(Object.entries(optimizers))(
    '%s: learns, leaves nothing behind, and goes on after a restart as if there had been none',
    (_, of) => {
      const backend = make();
      const engine = useBackend(backend);
      const before = backend.memory.liveBytes;
      const net = network();
      const optimizer = of(net.parameters());
      const losses = train(net, optimizer, 12);
      expect(losses[11]).toBeLessThan(losses[0]);
      const saved = JSON.parse(
        JSON.stringify(optimizer.stateDict(), (_, v) => (ArrayBuffer.isView(v) ? Array.from(v as Float32Array) : v)),
      );
      const other = network();
      other.loadStateDict(net.stateDict());
      const resumed = of(other.parameters());
      resumed.loadStateDict(saved);
      expect(train(other, resumed, 6)).toEqual(train(net, optimizer, 6));
      expect(values(other)).toEqual(values(net));
      for (const owner of [net, other, optimizer, resumed]) owner.dispose();
      engine.flush();
      expect(backend.memory.liveBytes).toBe(before);
    },
  );

  test.each(Object.entries(optimizers))('%s: a compiled step gives the same numbers as an eager one', (_, of) => {
    useBackend(make());
    const [eager, compiled] = [network(), network()];
    const [first, second] = [of(eager.parameters()), of(compiled.parameters())];
    const step = compileStep(compiled, error, second);
    const losses = train(eager, first, 8);
    expect(losses.map(() => step.step(...inputs()))).toEqual(losses);
    expect(values(compiled)).toEqual(values(eager));
    step.dispose();
  });

  test('gradients are clipped the same in a compiled step, and its learning rate can be changed', () => {
    useBackend(make());
    const [eager, compiled] = [network(), network()];
    const [first, second] = [eager, compiled].map((net) => new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 }));
    const step = compileStep(compiled, error, second, {
      beforeUpdate: () => void optim.clipGradNorm(compiled.parameters(), 0.3),
    });
    const schedules = [first, second].map((optimizer) => new optim.StepLR(optimizer, { stepSize: 2, gamma: 0.5 }));
    for (let i = 0; i < 6; i++) {
      const [x, t] = inputs();
      first.zeroGrad();
      mseLoss(eager.forward(x), t).backward();
      const norm = optim.clipGradNorm(eager.parameters(), 0.3).item();
      const squares = [...eager.parameters()].flatMap((p) => Array.from(p.grad!.data, (v) => v * v));
      const clipped = Math.sqrt(squares.reduce((a, b) => a + b, 0));
      expect(clipped).toBeCloseTo(Math.min(norm, 0.3), 5);
      first.step();
      step.step(...inputs());
      for (const schedule of schedules) schedule.step();
    }
    expect(first.paramGroups[0].lr).toBeCloseTo(0.1 * 0.5 ** 3, 12);
    expect(values(compiled)).toEqual(values(eager));
    step.dispose();
  });
});

describe('parameter groups', () => {
  it('have options of their own; parameters without a gradient stay', () => {
    useBackend(jsBackend());
    const [a, b, c] = [1, 2, 3].map((v) => variable([v], [1], { requiresGrad: true }));
    const optimizer = new optim.SGD([{ params: [a], lr: 1 }, { params: [b, c] }], { lr: 0.5 });
    a.mul(2).add(b).sum().backward();
    optimizer.step();
    expect([a, b, c].map((v) => v.item())).toEqual([-1, 1.5, 3]);
  });

  it('a parameter that got its first gradient later is corrected by its own steps', () => {
    useBackend(jsBackend());
    const [a, b] = [0, 0].map((v) => variable([v], [1], { requiresGrad: true }));
    const optimizer = new optim.Adam([a, b], { lr: 0.1 });
    a.sum().backward();
    optimizer.step();
    optimizer.zeroGrad();
    a.add(b).sum().backward();
    optimizer.step();
    expect(b.item()).toBeCloseTo(-0.1, 6);
  });
});

describe('wrong options', () => {
  const params = (): Variable[] => [variable([1], [1], { requiresGrad: true })];

  it.each([
    ['SGD', 'lr', () => new optim.SGD(params(), { lr: -1 })],
    ['SGD', 'nesterov', () => new optim.SGD(params(), { lr: 1, nesterov: true })],
    ['Adam', 'betas', () => new optim.Adam(params(), { betas: [0.9, 1] })],
    ['AdamW', 'weightDecay', () => new optim.AdamW(params(), { weightDecay: Number.NaN })],
    ['RMSprop', 'eps', () => new optim.RMSprop(params(), { eps: -1 })],
    ['Adadelta', 'rho', () => new optim.Adadelta(params(), { rho: 2 })],
    ['Rprop', 'etas', () => new optim.Rprop(params(), { etas: [1.5, 0.5] })],
    ['optimizer', 'no parameters', () => new optim.SGD([], { lr: 1 })],
  ])('%s: %s', (name, option, make) => {
    expectError('argument', [name, option], make);
  });
});

describe('gradient clipping', () => {
  const withGrads = (...grads: number[][]): Variable[] =>
    grads.map((grad) => {
      const param = variable(grad, [grad.length], { requiresGrad: true });
      param.grad = variable(tensor(grad));
      return param;
    });

  it('scales all gradients together', () => {
    useBackend(jsBackend());
    const params = withGrads([3, 0], [-4]);
    expect(optim.clipGradNorm(params, 1).item()).toBeCloseTo(5, 6);
    expect(params.flatMap((p) => Array.from(p.grad!.data)).map((v) => Number(v.toFixed(4)))).toEqual([0.6, 0, -0.8]);
    expect(optim.clipGradNorm(withGrads([3, 0], [-4]), 1, { normType: Infinity }).item()).toBe(4);
    expect(optim.clipGradNorm(withGrads([3, 0], [-4]), 1, { normType: 1 }).item()).toBe(7);
    expect(optim.clipGradNorm(withGrads([3, 0], [-4]), 1, { normType: 3 }).item()).toBeCloseTo(91 ** (1 / 3), 4);
  });

  it('limits elements', () => {
    useBackend(jsBackend());
    const params = withGrads([3, -0.5, -9]);
    optim.clipGradValue(params, 1);
    expect(Array.from(params[0].grad!.data)).toEqual([1, -0.5, -1]);
  });

  it('says what is wrong', () => {
    useBackend(jsBackend());
    expectError('argument', ['clipGradNorm', 'maxNorm', '-1'], () => optim.clipGradNorm(withGrads([1]), -1));
    expectError('argument', ['clipGradNorm', 'none of the parameters'], () => optim.clipGradNorm([], 1));
    expectError('argument', ['clipGradNorm', 'NaN'], () =>
      optim.clipGradNorm(withGrads([Number.NaN]), 1, { errorIfNonfinite: true }),
    );
    expectError('argument', ['clipGradValue'], () => optim.clipGradValue(withGrads([1]), Number.NaN));
  });
});

describe('EMA', () => {
  it('averages, lends itself to the weights, and gives them back', () => {
    useBackend(jsBackend());
    const weight = variable([1, 2], [2], { requiresGrad: true });
    const ema = new optim.EMA([weight], { decay: 0.75 });
    weight.set([3, 6]);
    ema.update();
    ema.use();
    expect(Array.from(weight.data)).toEqual([1.5, 3]);
    expectError('argument', ['EMA', 'restore'], () => ema.update());
    ema.restore();
    expect(Array.from(weight.data)).toEqual([3, 6]);
    const other = new optim.EMA([weight], { decay: 0.75 });
    other.loadStateDict(ema.stateDict());
    ema.update();
    other.update();
    expect(other.stateDict()).toEqual(ema.stateDict());
    expect(Array.from(ema.stateDict().averages[0])).toEqual([1.875, 3.75]);
    expectError('shape', ['EMA'], () => other.loadStateDict({ updates: 1, averages: [] }));
  });
});
