import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, noGrad, type Variable, variable } from '../../src/autograd/index.ts';
import { seed } from '../../src/common/random.ts';
import { compileModel } from '../../src/nn/compile-model.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import { SGD } from '../../src/optim/sgd.ts';
import { type InitOptions, init } from '../../src/runtime/node-train.ts';
import { variants } from '../kernels/harness.ts';
import { expectError } from '../ops/run.ts';
import { type Batch, batches, loss, smallNetwork } from '../support/networks.ts';

const settings: InitOptions[] = [
  { backend: 'js' },
  ...variants.flatMap((variant) => [{ variant }, { variant, threads: 2 }]),
];

const options = { lr: 0.05, momentum: 0.9, weightDecay: 1e-3, nesterov: true };

interface Run {
  readonly losses: number[];
  readonly state: nn.StateDict;
}

function eager(data: readonly Batch[], steps: number, dropout: number): Run {
  const model = smallNetwork(dropout);
  const optimizer = new SGD(model.parameters(), options);
  seed(11);
  const losses = Array.from({ length: steps }, (_, i) => {
    const { x, y } = data[i % data.length];
    optimizer.zeroGrad();
    optimizer.paramGroups[0].lr = 0.05 / (1 + i);
    const value = loss(model.forward(x), y);
    value.backward();
    optimizer.step();
    return value.item();
  });
  return { losses, state: model.stateDict() };
}

function compiled(data: readonly Batch[], steps: number, dropout: number): Run {
  const model = smallNetwork(dropout);
  const optimizer = new SGD(model.parameters(), options);
  const step = compileStep(model, loss, optimizer);
  seed(11);
  const losses = Array.from({ length: steps }, (_, i) => {
    const { x, y } = data[i % data.length];
    optimizer.paramGroups[0].lr = 0.05 / (1 + i);
    return step.step(x, y);
  });
  step.dispose();
  return { losses, state: model.stateDict() };
}

const values = ({ losses, state }: Run): unknown => [
  losses,
  Object.entries(state).map(([name, tensor]) => [name, Array.from(tensor.data)]),
];

const runs = new Map<string, unknown>();

describe.each(settings)('compiled step on %o', (setting) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await init(setting);
  });
  afterAll(() => {
    engine.dispose();
  });

  test.each([0, 0.3])('bit-equal to the eager step, parameters, buffers and all (dropout %f)', (dropout) => {
    const data = batches(3);
    const run = values(compiled(data, 7, dropout));
    expect(run).toEqual(values(eager(data, 7, dropout)));
    expect((run as [number[]])[0].every(Number.isFinite)).toBe(true);
    // Threads change nothing either.
    const key = `${setting.backend} ${setting.variant} ${dropout}`;
    if (runs.has(key)) expect(run).toEqual(runs.get(key));
    runs.set(key, run);
  });

  test('memory does not grow with steps; another batch size is another plan of the same parameters', () => {
    const model = smallNetwork();
    const optimizer = new SGD(model.parameters(), options);
    engine.flush();
    const before = engine.liveBytes;
    const step = compileStep(model, loss, optimizer);
    const [big, small] = [batches(1)[0], batches(1, 5)[0]];
    step.step(big.x, big.y);
    step.step(small.x, small.y);
    const live = engine.liveBytes;
    for (let i = 0; i < 4; i++) {
      step.step(big.x, big.y);
      expect(step.output.shape).toEqual([8, 10]);
      step.step(small.x, small.y);
      expect(step.output.shape).toEqual([5, 10]);
    }
    expect(engine.liveBytes).toBe(live);
    expect(step.plans.length).toBe(2);
    expect([...model.buffers()].at(-1)!.item()).toBe(10);
    step.dispose();
    expect(engine.liveBytes).toBeGreaterThanOrEqual(before);
    optimizer.dispose();
    model.dispose();
    expect(engine.liveBytes).toBeLessThanOrEqual(before);
  });

  test('eager and compiled steps may alternate', () => {
    const data = batches(1);
    const [{ x, y }] = data;
    const model = smallNetwork();
    const optimizer = new SGD(model.parameters(), options);
    const step = compileStep(model, loss, optimizer);
    const losses = Array.from({ length: 6 }, (_, i) => {
      optimizer.paramGroups[0].lr = 0.05 / (1 + i);
      if (i % 2 === 0) return step.step(x, y);
      optimizer.zeroGrad();
      const value = loss(model.forward(x), y);
      value.backward();
      optimizer.step();
      return value.item();
    });
    expect(losses).toEqual(eager(data, 6, 0).losses);
    step.dispose();
  });

  test('clipping between backward and update', () => {
    const model = new nn.Linear(4, 1);
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    const step = compileStep(model, (output, target) => output.sub(target).square().sum(), optimizer, {
      beforeUpdate: () => {
        for (const parameter of model.parameters()) parameter.grad = parameter.grad!.clamp(-0.5, 0.5);
      },
    });
    const before = Array.from(model.weight.data);
    step.step(variable([[100, -100, 0, 0]]), variable([[1e4]]));
    const moved = Array.from(model.weight.data).map((v, i) => v - before[i]);
    [0.5, -0.5, 0, 0].forEach((expected, i) => {
      expect(moved[i]).toBeCloseTo(expected, 5);
    });
    step.dispose();
  });

  test('a model for inference: batch norm and activations are folded; live: it follows the parameters', () => {
    const model = smallNetwork(0.5);
    const [{ x, y }] = batches(1);
    loss(model.forward(x), y).backward();
    model.eval();
    const expected = noGrad(() => model.forward(x)).data;
    model.train();
    const folded = compileModel(model, x.shape);
    const live = compileModel(model, x.shape, { live: true });
    expect(model.training).toBe(true);
    expect(folded.plan.steps.some(({ op }) => op === 'batchNorm' || op === 'relu')).toBe(false);
    for (const { run } of [folded, live]) {
      const got = run(x).data;
      expected.forEach((v, i) => {
        expect(got[i]).toBeCloseTo(v, 4);
      });
    }
    const [head] = [...model.parameters()].slice(-1);
    head.set(head.data.map((v) => v + 1));
    expect(live.run(x).data[0]).toBeCloseTo(expected[0] + 1, 4);
    expect(folded.run(x.data).data[0]).toBeCloseTo(expected[0], 4);
    expectError('shape', ['[8,1,10,10]'], () => folded.run(variable([1])));
    folded.dispose();
    live.dispose();
  });

  test('errors leave the model as it was', () => {
    const model = smallNetwork();
    const optimizer = new SGD(model.parameters(), options);
    const [{ x, y }] = batches(1);
    const state = model.stateDict();
    const noScalar = compileStep(model, (output: Variable) => output, optimizer);
    expectError('shape', ['one element', '[8,10]'], () => noScalar.step(x, y));
    const wrong = compileStep(model, loss, optimizer);
    expectError('shape', ['conv'], () => wrong.step(variable(new Float32Array(72), [1, 2, 6, 6]), y));
    expectError('argument', ['before the first step'], () => wrong.output);
    const reads = compileStep(model, (output) => output.mul(output.mean().item()).sum(), optimizer);
    expectError('unsupported', ['compiled step'], () => reads.step(x, y));
    const average = new nn.Sequential(new nn.BatchNorm2d(1, { momentum: null }), new nn.Flatten());
    const average0 = compileStep(average, (output) => F.relu(output).sum(), new SGD(average.parameters(), options));
    expectError('unsupported', ['momentum null'], () => average0.step(x));
    for (const parameter of model.parameters()) expect(parameter.grad).toBeNull();
    for (const [name, tensor] of Object.entries(model.stateDict())) expect(tensor.data, name).toEqual(state[name].data);
  });
});

test('init checks its options', async () => {
  await expect(init({ backend: 'gpu' as never })).rejects.toThrow(/backend/);
  await expect(init({ threads: 0 })).rejects.toThrow(/threads/);
});
