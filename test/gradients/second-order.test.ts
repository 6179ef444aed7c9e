// Gradients of gradients. Every op that has a gradient is tried: what replaces its gradient op gives the same numbers, and the gradient
// of its gradient is that of differences.
import { describe, expect, test } from 'vitest';
import { useBackend } from '../../src/autograd/engine.ts';
import { grad, Variable } from '../../src/autograd/index.ts';
import { apply } from '../../src/autograd/tape.ts';
import { allocateArray, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import type { OpName } from '../../src/ops/attrs.ts';
import type { OpCase } from '../../src/ops/case.ts';
import { execute } from '../../src/ops/core/execute.ts';
import type { OpApplier, OpDef } from '../../src/ops/core/op.ts';
import { getOp, trainingOps } from '../../src/ops/training.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { constant, type Tensor, tensor, wrap } from '../../src/tensor/tensor.ts';
import { casesOf, caseValues, seed } from '../ops/cases.ts';
import { jsBackend } from '../support/js-backend.ts';

const js = jsBackend();
const nameOf = ({ name }: OpDef): string => name;

/** Plain JS at once, on doubles as well. */
const applier: OpApplier = {
  op: (name, inputs, ...[attrs]) => execute(js, getOp(name), inputs as (Tensor | null)[], attrs ?? {}),
  constant: (array, shape) => constant(array, shape),
};

const doubles = (array: TypedArray, dtype: string): [TypedArray, 'float64' | undefined] =>
  dtype === 'float32' ? [Float64Array.from(array), 'float64'] : [array, undefined];

describe.each(
  [...trainingOps.values()].filter((op) => op.composed !== undefined).map((op) => [nameOf(op), op] as const),
)('%s is what it is composed of', (name, op) => {
  test.each(casesOf(op).map((opCase, i) => [i + 1, opCase] as const))('case %i', (i, { inputs, attrs }) => {
    const arrays = caseValues(inputs, seed + i);
    const given = inputs.map((input, k) => {
      if (input === null) return null;
      const [array, dtype] = doubles(arrays[k]!, input.dtype ?? 'float32');
      return wrap(array, input.shape, dtype ?? input.dtype);
    });
    if (given.some((t) => t?.size === 0)) return;
    const expected = execute(js, op, given, attrs);
    const got = op.composed!(applier, given, attrs) as Tensor[];
    expected.forEach((tensor, k) => {
      const values = got[k].data;
      tensor.data.forEach((value, j) => {
        if (!Number.isFinite(value)) return;
        const what = `${name} case ${i}, output ${k}, element ${j} (seed ${seed})`;
        expect(Math.abs(values[j] - value), what).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(value)));
      });
    });
  });
});

/** Ops without a second gradient, and why. */
const without: { readonly [name in OpName]?: string } = {
  ctcLoss: 'the gradient comes with the loss from one recursion',
  cumProd: 'a plain recursion without zeros is not differentiable where there are some',
  gridSample: 'piecewise linear in the grid; the gradient op is a host function of three inputs',
};
/** Cases that lie on corners, where differences say nothing. */
const corners = new Set<string>(['unaryGrad', 'sign', 'floor', 'ceil', 'round', 'trunc']);
const mostElements = 220;
const step = 1e-4;

const differentiable = [...trainingOps.values()].filter((op) => op.backward !== undefined && !corners.has(op.name));

/** Variables of a case, floats in double precision. */
function variablesOf(opCase: OpCase<unknown>, arrays: readonly (TypedArray | null)[]): (Variable | null)[] {
  return opCase.inputs.map((input, i) => {
    if (input === null) return null;
    const [array, dtype] = doubles(arrays[i]!, input.dtype ?? 'float32');
    const made = tensor(array.slice(), input.shape, dtype ?? input.dtype);
    return new Variable(made, made, dtype !== undefined);
  });
}

const weights = (like: Variable, from: number): Variable => {
  const array = allocateArray(like.dtype, like.size);
  for (let i = 0; i < array.length; i++) array[i] = Math.cos(from + 1.3 * i) + 0.2;
  const made = tensor(array, like.shape, like.dtype);
  return new Variable(made, made);
};

const isDouble = (v: Variable | null): v is Variable => v !== null && v.dtype === 'float64';

/** Σ of gradients of Σ w·y by all inputs, each times fixed weights: a scalar function of the inputs. */
function slope(op: OpDef, inputs: readonly (Variable | null)[], attrs: unknown, createGraph: boolean): Variable | null {
  const outputs = apply(op.name as OpName, inputs, attrs as never).filter((y) => isDouble(y) && y.requiresGrad);
  if (outputs.length === 0) return null;
  const loss = outputs.map((y, i) => y.mul(weights(y, i)).sum()).reduce((a, b) => a.add(b));
  const leaves = inputs.filter(isDouble);
  const grads = grad(loss, leaves, { createGraph, allowUnused: true });
  const parts = grads.flatMap((g, i) => (g === null ? [] : [g.mul(weights(g, 7 + i)).sum()]));
  return parts.length === 0 ? null : parts.reduce((a, b) => a.add(b));
}

describe.each(differentiable.map((op) => [nameOf(op), op] as const))('second gradient of %s', (name, op) => {
  const fitting = casesOf(op)
    .map((opCase, i) => [i, opCase] as const)
    .filter(([, { inputs }]) => {
      const sizes = inputs.map((input) => (input === null ? 1 : elementCount(input.shape)));
      const floats = inputs.every(
        (input) =>
          input === null ||
          dtypes[input.dtype ?? 'float32'].kind !== 'float' ||
          (input.dtype ?? 'float32') === 'float32',
      );
      return floats && !sizes.includes(0);
    });
  const largest = ([, { inputs }]: (typeof fitting)[number]): number =>
    Math.max(...inputs.map((input) => (input === null ? 1 : elementCount(input.shape))));
  const few = fitting.filter((one) => largest(one) <= mostElements);
  const small = (few.length > 0 ? few : fitting.sort((a, b) => largest(a) - largest(b)).slice(0, 1)).slice(0, 3);
  const why = without[name as OpName];
  test.each(small.map(([i, opCase]) => [i + 1, opCase] as const))('case %i', (i, opCase) => {
    useBackend(jsBackend());
    if ((opCase.attrs as { activation?: unknown }).activation) return;
    const arrays = caseValues(opCase.inputs, seed + i - 1);
    const inputs = variablesOf(opCase, arrays);
    let value: Variable | null;
    try {
      value = slope(op, inputs, opCase.attrs, true);
    } catch (error) {
      // Some cases have no first one: statistics of layerNorm, products of scatter.
      if (why === undefined && !/: .*(have|has) no gradient/.test(String(error))) throw error;
      return;
    }
    if (value === null) return;
    const leaves = inputs.filter(isDouble);
    const outputs = apply(op.name as OpName, inputs, opCase.attrs as never).filter(
      (y) => isDouble(y) && y.requiresGrad,
    );
    const learns = grad(outputs, leaves, { gradOutputs: outputs.map((y) => weights(y, 0)), allowUnused: true }).map(
      (g) => g !== null,
    );
    if (!value.requiresGrad) return; // Linear: the gradient depends on nothing.
    const seconds = (() => {
      try {
        return grad(value, leaves, { allowUnused: true });
      } catch (error) {
        if (why === undefined) throw error;
        return null;
      }
    })();
    if (seconds === null) return;
    expect(why, `${name} has a second gradient: its row in 'without' can go`).toBeUndefined();
    leaves.forEach((leaf, k) => {
      // Class weights and the like: no first gradient either.
      if (!learns[k]) return;
      const given = seconds[k]?.data ?? new Float64Array(leaf.size);
      const at = leaf.data;
      const stride = Math.max(1, Math.floor(leaf.size / 12));
      for (let j = 0; j < leaf.size; j += stride) {
        const around = [-step, step].map((d) => {
          const moved = inputs.map((input) => (input === leaf ? movedBy(leaf, j, d) : input));
          return slope(op, moved, opCase.attrs, false)!.item();
        });
        const difference = (around[1] - around[0]) / (2 * step);
        const what = `${name} case ${i}, input ${k}, element ${j} = ${at[j]} (seed ${seed})\n${JSON.stringify(opCase)}`;
        expect(Math.abs(given[j] - difference), what).toBeLessThanOrEqual(2e-3 * (1 + Math.abs(difference)));
      }
    });
  });
});

function movedBy(leaf: Variable, j: number, d: number): Variable {
  const array = leaf.data;
  array[j] += d;
  const made = tensor(array, leaf.shape, leaf.dtype);
  return new Variable(made, made, true);
}
