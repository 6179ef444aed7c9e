// Optimizers, gradient clipping and schedules of the golden set; see golden-variables.ts.
import { Variable } from '../../src/autograd/index.ts';
import * as optim from '../../src/optim/index.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import type { GoldenAttrs } from './golden-context.ts';
import type { VariableOp, VariableOps } from './golden-variables.ts';
import { compare, type Expected, Mismatch } from './suite.ts';

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
/** PyTorch's arguments in camelCase. */
export const camelKeys = (attrs: GoldenAttrs): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attrs).map(([name, value]) => [camel(name), value]));

const leaf = ({ data, shape }: Expected): Variable => {
  const host = tensor(Float32Array.from(data), shape);
  return new Variable(host, host, true, 'persistent');
};

export const optimizers = {
  sgd: optim.SGD,
  adam: optim.Adam,
  adamw: optim.AdamW,
  rmsprop: optim.RMSprop,
  adagrad: optim.Adagrad,
  adadelta: optim.Adadelta,
  adamax: optim.Adamax,
  nadam: optim.NAdam,
  radam: optim.RAdam,
  rprop: optim.Rprop,
} as const;
type OptimizerClass = new (params: Iterable<Variable>, options: object) => optim.Optimizer;

/** Steps with given gradients. Returns the parameters after each step, stacked. */
const trajectory =
  (Optimizer: OptimizerClass): VariableOp =>
  ({ attrs, values, case: { outputs } }) => {
    const params = outputs.map((_, k) => leaf(values(`p${k}`)));
    const grads = outputs.map((_, k) => values(`grad${k}`));
    const optimizer = new Optimizer(params, camelKeys(attrs));
    const paths = grads.map(({ data }) => new Float32Array(data.length));
    for (let step = 0; step < grads[0].shape[0]; step++) {
      params.forEach((param, k) => {
        const given = Float32Array.from(grads[k].data.subarray(step * param.size, (step + 1) * param.size));
        const host = tensor(given, param.shape);
        param.grad = new Variable(host, host, false, 'persistent');
      });
      optimizer.step();
      params.forEach((param, k) => {
        paths[k].set(param.data, step * param.size);
      });
    }
    optimizer.dispose();
    for (const param of params) param.dispose();
    return paths.map((data, k) => ({ dtype: 'float32', shape: grads[k].shape, data }));
  };

const clipping =
  (clip: (params: Variable[], attrs: GoldenAttrs, total: number) => void): VariableOp =>
  ({ attrs, values, case: given }) => {
    const params = given.outputs.map((_, k) => {
      const grad = leaf(values(`g${k}`));
      const param = leaf(values(`g${k}`));
      grad.requiresGrad = false;
      param.grad = grad;
      return param;
    });
    clip(params, attrs, (given as { total_norm?: number }).total_norm ?? 0);
    const results = params.map(({ shape, grad }): Expected => ({ dtype: 'float32', shape, data: grad!.data }));
    for (const param of params) param.dispose();
    return results;
  };

export const goldenOptimizers: VariableOps = {
  ...Object.fromEntries(
    Object.entries(optimizers).map(([name, Optimizer]) => [name, trajectory(Optimizer as unknown as OptimizerClass)]),
  ),
  clip_grad_norm: clipping((params, attrs, expected) => {
    const normType = attrs.norm_type === 'inf' ? Infinity : attrs.norm_type;
    const total = optim.clipGradNorm(params, attrs.max_norm, { normType }).item();
    if (Math.abs(total - expected) > 1e-4 * expected)
      throw new Mismatch(`total norm: expects ${expected}, got ${total}`);
  }),
  clip_grad_value: clipping((params, attrs) => optim.clipGradValue(params, attrs.clip_value)),
};

export interface GoldenSchedule {
  readonly id: string;
  readonly op: string;
  readonly attrs: GoldenAttrs;
  /** The initial rate, and the rate after each step. */
  readonly lr: readonly number[];
  readonly metric?: readonly number[];
}

type Schedule = { step(metric: number): void; getLastLr(): number[] };

const schedules: { readonly [op: string]: (on: optim.Scheduled, attrs: GoldenAttrs) => Schedule } = {
  step: (on, a) => new optim.StepLR(on, { stepSize: a.step_size, gamma: a.gamma }),
  multistep: (on, a) => new optim.MultiStepLR(on, { milestones: a.milestones, gamma: a.gamma }),
  exponential: (on, a) => new optim.ExponentialLR(on, { gamma: a.gamma }),
  cosine: (on, a) => new optim.CosineAnnealingLR(on, { tMax: a.T_max, etaMin: a.eta_min }),
  cosine_warm_restarts: (on, a) =>
    new optim.CosineAnnealingWarmRestarts(on, { t0: a.T_0, tMult: a.T_mult, etaMin: a.eta_min }),
  onecycle: (on, a) => new optim.OneCycleLR(on, camelKeys(a) as unknown as optim.OneCycleOptions),
  plateau: (on, a) => new optim.ReduceLROnPlateau(on, camelKeys(a) as optim.PlateauOptions),
  linear: (on, a) => new optim.LinearLR(on, camelKeys(a)),
  polynomial: (on, a) => new optim.PolynomialLR(on, camelKeys(a)),
  constant: (on, a) => new optim.ConstantLR(on, camelKeys(a)),
  cyclic: (on, a) =>
    new optim.CyclicLR(on, { baseLr: a.base_lr_, maxLr: a.max_lr, stepSizeUp: a.step_size_up, mode: a.mode }),
  warmup_cosine: (on, a) => {
    const warmup = new optim.LinearLR(on, camelKeys(a.warmup));
    const cosine = new optim.CosineAnnealingLR(on, { tMax: a.cosine.T_max });
    return new optim.SequentialLR(on, [warmup, cosine], a.milestones);
  },
};

/** Throws Mismatch if a schedule's rates are not PyTorch's. */
export function checkSchedule({ op, attrs, lr, metric }: GoldenSchedule): number {
  const make = schedules[op];
  if (make === undefined) throw new Mismatch(`there is no schedule '${op}'`);
  const { base_lr: base, ...options } = attrs;
  const on = { paramGroups: [{ params: [], lr: base as number, stepCount: 0 }] };
  const schedule = make(on, options);
  // The initial rate, and the rate after each step.
  const got = [schedule.getLastLr()[0]];
  while (got.length < lr.length) {
    schedule.step(metric?.[got.length - 1] ?? 0);
    got.push(schedule.getLastLr()[0]);
  }
  const expected = { dtype: 'float64', shape: [lr.length], data: Float64Array.from(lr) } as const;
  return compare('lr', { ...expected, data: Float64Array.from(got) }, expected, 1e-9, 1e-12);
}
