// Backward rules against central differences in double precision, on random shapes.
import { describe, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { allocateArray, type DType, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import { HostMemory } from '../../src/memory/storage.ts';
import { execute } from '../../src/ops/core/execute.ts';
import { getOp } from '../../src/ops/training.ts';
import { canBeChannelsLast, elementCount, type Layout, stridesOf } from '../../src/tensor/layout.ts';
import { Tensor, wrap } from '../../src/tensor/tensor.ts';
import { backendOf, Random, seeds, variants } from '../kernels/harness.ts';
import { opGradients } from './gradients.ts';
import { jsBackend } from './js-backend.ts';

export interface GradInput {
  readonly shape: readonly number[];
  readonly range?: readonly [number, number];
  /** Default: a floating-point input, whose gradient is checked. */
  readonly dtype?: DType;
  readonly values?: ArrayLike<number>;
  /** Moves a value away from corners and steps of the function. */
  readonly avoid?: (v: number) => number;
  /** True for an input by which the op has no gradient (running statistics). */
  readonly fixed?: boolean;
}

export interface GradSample {
  readonly attrs: unknown;
  readonly inputs: readonly (GradInput | null)[];
  /** Only so many of the outputs have a gradient; default: all floating-point outputs. */
  readonly outputs?: number;
}

const js = jsBackend();
const step = 1e-5;
/** The number of an input's elements whose difference quotients are computed; the others run the same code. */
const probed = 24;

/**
 * Checks the backward rule of `op` on `count` random samples (at least 20): in double precision against difference
 * quotients (within 1e-3 of the gradient's largest value, since differences are not more accurate), and in single precision on every
 * backend, in both layouts, against double precision. CONVLET_SEED=n repeats one sample.
 */
export function gradCheck(
  op: string,
  sample: (random: Random) => GradSample,
  options: { count?: number; tolerance?: number } = {},
): void {
  describe(`gradient of ${op}`, () => {
    test.each(seeds(Math.max(20, options.count ?? 20)))('seed %i', (seed) => {
      const random = new Random(seed * 7919);
      const { attrs, inputs, outputs: seeded = Number.POSITIVE_INFINITY } = sample(random);
      const arrays = inputs.map((input) => input && valuesOf(input, random));
      const outputs = forward(op, inputs, arrays, attrs);
      const weights = outputs.map(({ dtype, size }, i) =>
        i < seeded && dtypes[dtype].kind === 'float' ? doubles(size, random) : null,
      );
      const text = `${op} (seed ${seed}, attrs ${JSON.stringify(attrs)}, inputs ${inputs.map((t) => t && `[${t.shape}]`)})`;
      const exact = gradients(js, op, inputs, arrays, attrs, weights, 'float64', 'row');
      compareWithDifferences(text, op, inputs, arrays, attrs, weights, exact, random);
      for (const backend of [js, ...variants.map(backendOf)]) {
        for (const layout of ['row', 'channelsLast'] as const) {
          const got = gradients(backend, op, inputs, arrays, attrs, weights, 'float32', layout);
          compareWithExact(`${text} on ${backend.name} ${backend.variant}, ${layout}`, got, exact, options.tolerance);
        }
      }
    });
  });
}

const isFloat = (input: GradInput | null): boolean => input !== null && (input.dtype ?? 'float32') === 'float32';

const doubles = (length: number, random: Random): Float64Array =>
  Float64Array.from({ length }, () => Math.fround(random.next() * 2 - 1));

/** Doubles if a gradient is checked, rounded to single precision so that both computations have the same values. */
function valuesOf({ shape, range = [-1, 1], dtype, values, avoid }: GradInput, random: Random): TypedArray {
  const array = dtype === undefined ? new Float64Array(elementCount(shape)) : allocateArray(dtype, elementCount(shape));
  const whole = dtype !== undefined && dtypes[dtype].kind !== 'float';
  for (let i = 0; i < array.length; i++) {
    const drawn = range[0] + random.next() * (range[1] - range[0]);
    const v = values?.[i] ?? (whole ? Math.floor(range[0] + random.next() * (range[1] - range[0] + 1)) : drawn);
    array[i] = whole ? v : Math.fround(avoid?.(v) ?? v);
  }
  return array;
}

function place(input: GradInput, array: TypedArray, float: 'float32' | 'float64', layout: Layout): Tensor {
  const dtype = isFloat(input) ? float : input.dtype!;
  const source = isFloat(input) && float === 'float32' ? Float32Array.from(array) : array.slice();
  if (layout === 'row' || !canBeChannelsLast(input.shape.length)) return wrap(source, input.shape, dtype);
  const out = new Tensor(dtype, input.shape, layout, new HostMemory().allocate(source.byteLength));
  const strides = stridesOf(input.shape, layout);
  const target = out.array;
  for (let i = 0; i < source.length; i++) {
    let at = 0;
    for (let axis = strides.length - 1, rest = i; axis >= 0; axis--) {
      at += (rest % input.shape[axis]) * strides[axis];
      rest = Math.floor(rest / input.shape[axis]);
    }
    target[at] = source[i];
  }
  return out;
}

function forward(
  op: string,
  inputs: GradSample['inputs'],
  arrays: readonly (TypedArray | null)[],
  attrs: unknown,
): Tensor[] {
  const tensors = inputs.map((input, i) => input && place(input, arrays[i]!, 'float64', 'row'));
  return execute(js, getOp(op), tensors, attrs);
}

function gradients(
  backend: Backend,
  op: string,
  inputs: GradSample['inputs'],
  arrays: readonly (TypedArray | null)[],
  attrs: unknown,
  weights: readonly (Float64Array | null)[],
  float: 'float32' | 'float64',
  layout: Layout,
): (TypedArray | null)[] {
  const before = backend.memory.liveBytes;
  const tensors = inputs.map((input, i) => input && place(input, arrays[i]!, float, layout));
  const { grads } = opGradients(backend, op, tensors, attrs, (outputs) =>
    outputs.map((output, i) => {
      const weight = weights[i];
      return weight && wrap(float === 'float64' ? weight : Float32Array.from(weight), output.shape, float);
    }),
  );
  if (backend.memory.liveBytes !== before) throw new Error(`${op}: memory is still held after its gradient`);
  return grads;
}

function compareWithDifferences(
  text: string,
  op: string,
  inputs: GradSample['inputs'],
  arrays: readonly (TypedArray | null)[],
  attrs: unknown,
  weights: readonly (Float64Array | null)[],
  grads: readonly (TypedArray | null)[],
  random: Random,
): void {
  const loss = (): number => {
    let sum = 0;
    forward(op, inputs, arrays, attrs).forEach(({ data }, k) => {
      weights[k]?.forEach((w, i) => {
        sum += w * data[i];
      });
    });
    return sum;
  };
  inputs.forEach((input, k) => {
    if (!isFloat(input) || input?.fixed) return;
    const array = arrays[k]!;
    const grad = grads[k] ?? new Float64Array(array.length);
    const scale = Math.max(1, ...Array.from(grad, Math.abs));
    const picks =
      array.length <= probed
        ? [...array.keys()]
        : doubles(probed, random).map((v) => Math.floor(Math.abs(v) * array.length));
    for (const i of picks) {
      const v = array[i];
      array[i] = v + step;
      const above = loss();
      array[i] = v - step;
      const below = loss();
      array[i] = v;
      const quotient = (above - below) / (2 * step);
      if (Math.abs(quotient - grad[i]) <= 1e-3 * Math.max(Math.abs(quotient), 0.01 * scale)) continue;
      throw new Error(
        `${text}: gradient of input ${k}, element ${i} is ${grad[i]}, differences say ${quotient} (value ${v})`,
      );
    }
  });
}

function compareWithExact(
  text: string,
  got: readonly (TypedArray | null)[],
  exact: readonly (TypedArray | null)[],
  tolerance = 1e-5,
): void {
  exact.forEach((expected, k) => {
    const actual = got[k];
    if ((actual === null) !== (expected === null)) throw new Error(`${text}: gradient of input ${k} is missing`);
    if (expected === null || actual === null) return;
    const allowed = tolerance * Math.max(1, ...Array.from(expected, Math.abs));
    for (let i = 0; i < expected.length; i++) {
      if (Math.abs(actual[i] - expected[i]) <= allowed) continue;
      throw new Error(`${text}: gradient of input ${k}, element ${i} is ${actual[i]}, expected ${expected[i]}`);
    }
  });
}

/** A random shape of `rank` axes (or a random rank up to 4) of 1 to `most` cells. */
export function randomShape(random: Random, rank = random.int(1, 4), most = 5): number[] {
  return Array.from({ length: rank }, () => random.int(1, most));
}

/** Moves a value at least a tenth away from the whole numbers (times `unit`), where steps and corners are. */
export const awayFromSteps = (v: number, unit = 1): number => {
  const base = Math.floor(v / unit);
  const rest = v / unit - base;
  return (base + 0.1 + rest * 0.8) * unit;
};
