import { describe, expect, it, test } from 'vitest';
import type { Backend } from '../../../src/backend/backend.ts';
import { execute } from '../../../src/ops/core/execute.ts';
import type { UpdateKind } from '../../../src/ops/optimizer/attrs.ts';
import { optimizerHyper, optimizerStates } from '../../../src/ops/optimizer/optimizer.ts';
import { getOp } from '../../../src/ops/training.ts';
import { Tensor } from '../../../src/tensor/tensor.ts';
import { backendOf, expectClose, Random, variants } from '../../kernels/harness.ts';
import { jsBackend } from '../../support/js-backend.ts';
import { expectError, run, t } from '../run.ts';

/** Numbers of a step that make every term count. */
const values: { readonly [entry: string]: number } = {
  ...{ lr: 0.05, momentum: 0.9, dampening: 0.2, weightDecay: 0.01, nesterov: 1, maximize: 0, first: 0, stepSize: 0.04 },
  ...{ beta1: 0.9, rest1: 0.1, beta2: 0.99, rest2: 0.01, epsilon: 1e-3, decay: 0.98, correction: 1.3, alpha: 0.9 },
  ...{ rest: 0.1, rho: 0.9, ofGrad: 0.02, ofMean: 0.03, adaptive: 1, etaMinus: 0.5, etaPlus: 1.2, least: 1e-3 },
  ...{ most: 0.2, scale1: 1.5 },
};

interface Setting {
  readonly states: number;
  readonly hyper: { readonly [entry: string]: number };
}

/** States from what is needed to all, and both values of the flags. */
function settings(kind: UpdateKind): Setting[] {
  const { names, needed } = optimizerStates[kind];
  const counts = Array.from({ length: names.length - needed + 1 }, (_, i) => needed + i);
  const entries: readonly string[] = optimizerHyper[kind];
  const flags = ['nesterov', 'maximize', 'first', 'adaptive'].filter((flag) => entries.includes(flag));
  return counts.flatMap((states) => [
    { states, hyper: values },
    ...flags.map((flag) => ({ states, hyper: { ...values, [flag]: 1 - values[flag] } })),
  ]);
}

/** Three steps with seeded gradients: the parameter and the states after each. */
function steps(backend: Backend, kind: UpdateKind, { states, hyper }: Setting, length: number): Float32Array[] {
  const random = new Random(length + 7 * states);
  const place = (data: Float32Array): Tensor => {
    const made = new Tensor('float32', [length], 'row', backend.memory.allocate(length * 4));
    made.array.set(data);
    return made;
  };
  const parameter = place(random.floats(length));
  const own = optimizerStates[kind].names.map((_, i) => (i < states ? place(random.floats(length, 0.05, 0.2)) : null));
  const numbers = optimizerHyper[kind].map((entry) => hyper[entry]);
  const out: Float32Array[] = [];
  for (let step = 0; step < 3; step++) {
    const grad = place(random.floats(length));
    const inputs = [parameter, grad, ...own, t(numbers)];
    const written = execute(backend, getOp(`${kind}Step`), inputs, {});
    expect(written.map((w) => w.storage)).toEqual([parameter, ...own.filter((s) => s !== null)].map((w) => w.storage));
    for (const w of written) out.push(Float32Array.from(w.array));
    grad.dispose();
  }
  for (const tensor of [parameter, ...own]) tensor?.dispose();
  return out;
}

describe.each(variants)('%s', (variant) => {
  test.each(Object.keys(optimizerStates) as UpdateKind[])('%s', (kind) => {
    const backend = backendOf(variant);
    const before = backend.memory.liveBytes;
    for (const setting of settings(kind)) {
      for (const length of [1, 2, 3, 4, 5, 9, 4095, 4099]) {
        const expected = steps(jsBackend(), kind, setting, length);
        const got = steps(backend, kind, setting, length);
        got.forEach((array, i) => {
          expectClose(`${kind} ${JSON.stringify(setting)} of ${length}, ${i}`, array, expected[i], 3e-6, 3e-6);
        });
      }
    }
    expect(backend.memory.liveBytes).toBe(before);
  });
});

describe('formulas that PyTorch does not have', () => {
  it('Lion moves by the sign of an interpolation (Chen et al. 2023, algorithm 2)', () => {
    const [lr, beta1, beta2, weightDecay] = [0.1, 0.9, 0.99, 0.5];
    const hyper = [lr, beta1, 1 - beta1, beta2, 1 - beta2, 1 - lr * weightDecay, 0];
    const [p, m] = run('lionStep', {}, t([1, 2, -1]), t([0.5, -4, 0]), t([0.2, 0.2, 0]), t(hyper));
    expectClose('p', p.array, [1 - 0.05 - 0.1, 2 - 0.1 + 0.1, -1 + 0.05], 1e-6);
    expectClose('m', m.array, [0.2 * 0.99 + 0.005, 0.2 * 0.99 - 0.04, 0], 1e-6);
  });

  it('LAMB scales the step to the length of the parameter (You et al. 2020, algorithm 2)', () => {
    // First step from zero moments: m̂ = g, v̂ = g², so that the step is sign(g) + weightDecay·p.
    const hyper = [0.1, 0.9, 0.1, 0.99, 0.01, 0, 0.5, 1 / 0.1, 1 / Math.sqrt(0.01), 0];
    const [p] = run('lambStep', {}, t([3, 4]), t([2, -7]), t([0, 0]), t([0, 0]), t(hyper));
    const step = [1 + 1.5, -1 + 2];
    const ratio = 5 / Math.hypot(...step);
    expectClose('p', p.array, [3 - 0.1 * ratio * step[0], 4 - 0.1 * ratio * step[1]], 1e-5);
  });

  it('LAMB takes the step as it is where the parameter is zero', () => {
    const hyper = [0.1, 0.9, 0.1, 0.99, 0.01, 0, 0, 1 / 0.1, 1 / Math.sqrt(0.01), 0];
    const [p] = run('lambStep', {}, t([0, 0]), t([2, -7]), t([0, 0]), t([0, 0]), t(hyper));
    expectClose('p', p.array, [-0.1, 0.1], 1e-5);
  });
});

describe('wrong input', () => {
  const hyper = t(optimizerHyper.adam.map(() => 0));

  it('names the state that is missing or does not fit', () => {
    expectError('missing-input', ['adamStep', 'exp_avg_sq'], () =>
      run('adamStep', {}, t([1]), t([1]), t([1]), null, null, hyper),
    );
    expectError('shape', ['adamStep', 'grad', '[2]', '[1]'], () =>
      run('adamStep', {}, t([1, 2]), t([1]), t([1, 1]), t([1, 1]), null, hyper),
    );
    expectError('shape', ['adamStep', 'max_exp_avg_sq'], () =>
      run('adamStep', {}, t([1]), t([1]), t([1]), t([1]), t([1, 2]), hyper),
    );
    expectError('shape', ['adamStep', 'hyper', '[10]'], () =>
      run('adamStep', {}, t([1]), t([1]), t([1]), t([1]), null, t([1])),
    );
    expectError('dtype', ['sgdStep', 'parameter', 'int32'], () =>
      run('sgdStep', {}, t([1], [1], 'int32'), t([1], [1], 'int32'), null, t(optimizerHyper.sgd.map(() => 0))),
    );
  });
});
