// Backward rules of the arithmetic kinds. Each gives the gradients by both operands before broadcasting is undone.
import type { BinaryKind } from '../../backend/prims/elementwise.ts';
import { add, apply, castTo, div, expandTo, mul, neg, scalar, scale, sub } from '../core/gradient.ts';
import type { GradContext, TensorInfo } from '../core/op.ts';

type Rule = (g: GradContext<unknown>, a: TensorInfo, b: TensorInfo, gy: TensorInfo) => readonly (() => TensorInfo)[];

/**
 * Gradients of maximum and minimum: gy for the operand that wins, half of gy for both at a tie, as in PyTorch. Computed with `sign`
 * instead of comparisons, whose results are bool and would need a cast, which has no kernel.
 */
const winner = (sign: 1 | -1): Rule => {
  return (g, a, b, gy) => {
    const side = apply(g, 'sign', [sub(g, a, b)]);
    return [() => mul(g, gy, scale(g, side, sign * 0.5, 0.5)), () => mul(g, gy, scale(g, side, sign * -0.5, 0.5))];
  };
};

/** The remainder is a − b·r(a/b), where r is the rounding: its gradient is gy by a and −gy·r(a/b) by b. */
const remainder = (rounding: 'floor' | 'trunc'): Rule => {
  return (g, a, b, gy) => [() => gy, () => neg(g, mul(g, gy, apply(g, rounding, [div(g, a, b)])))];
};

const rules: { readonly [K in BinaryKind]?: Rule } = {
  add: (_, __, ___, gy) => [() => gy, () => gy],
  sub: (g, _, __, gy) => [() => gy, () => neg(g, gy)],
  mul: (g, a, b, gy) => [() => mul(g, gy, b), () => mul(g, gy, a)],
  div: (g, a, b, gy) => [() => div(g, gy, b), () => neg(g, div(g, mul(g, gy, div(g, a, b)), b))],
  pow: (g, a, power, gy) => {
    const b = castTo(g, power, a.dtype);
    const zero = scalar(g, 0, a.dtype);
    return [
      () => {
        const slope = mul(g, b, apply(g, 'pow', [a, scale(g, b, 1, -1)]));
        // b·a^(b−1) is 0 for b = 0, even if a = 0.
        return mul(g, gy, apply(g, 'where', [apply(g, 'equal', [b, zero]), zero, slope]));
      },
      () => {
        const y = apply(g, 'pow', [a, b]);
        const slope = mul(g, y, apply(g, 'log', [a]));
        // 0^b·log 0 is 0 for b ≥ 0, as in PyTorch.
        const flat = apply(g, 'and', [apply(g, 'equal', [a, zero]), apply(g, 'greaterOrEqual', [b, zero])]);
        return mul(g, gy, apply(g, 'where', [flat, zero, slope]));
      },
    ];
  },
  max: winner(1),
  min: winner(-1),
  mod: remainder('floor'),
  fmod: remainder('trunc'),
  prelu: (g, a, b, gy) => [
    () => {
      const right = apply(g, 'unaryGrad', [expandTo(g, a, gy.shape), gy], { kind: 'relu', alpha: 0, beta: 0 });
      return add(g, right, mul(g, sub(g, gy, right), b));
    },
    () => mul(g, gy, apply(g, 'clip', [a], { alpha: -Infinity, beta: 0 })),
  ],
  atan2: (g, a, b, gy) => {
    const perSquare = div(g, gy, add(g, mul(g, a, a), mul(g, b, b)));
    return [() => mul(g, perSquare, b), () => neg(g, mul(g, perSquare, a))];
  },
};

/** The rule of a kind: functions that compute the gradients by a and b, in the shape of gy. Null: not differentiable. */
export const binaryRule = (kind: BinaryKind): Rule | null => rules[kind] ?? null;
