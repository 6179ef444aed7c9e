// Methods that are functions of each element by itself.
import type { UnaryKind } from '../backend/prims/elementwise.ts';
import { expectNothing } from '../common/options.ts';
import { toFloat } from './promote.ts';
import { apply1 } from './tape.ts';
import type { Variable } from './variable.ts';

type Unary = (x: Variable) => Variable;
export const unary =
  (name: UnaryKind): Unary =>
  (x: Variable, surplus?: unknown) => {
    expectNothing(name, surplus);
    return apply1(name, [x]);
  };
/** Of whole numbers the result is float32. */
const floating =
  (name: UnaryKind): Unary =>
  (x: Variable, surplus?: unknown) => {
    expectNothing(name, surplus);
    return apply1(name, [toFloat(x)]);
  };

const sameTypeNames = ['relu', 'abs', 'neg', 'square', 'floor', 'ceil', 'round', 'trunc'] as const;
const floatingNames = [
  ...(['sigmoid', 'tanh', 'exp', 'log', 'sqrt', 'rsqrt', 'reciprocal', 'erf', 'log1p', 'expm1', 'sin', 'cos'] as const),
  ...(['tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh'] as const),
] as const;
type UnaryName = (typeof sameTypeNames)[number] | (typeof floatingNames)[number];
/** Element by element. Of whole numbers, functions with fractions give float32. */
export interface UnaryMethods extends Record<UnaryName, (x: Variable) => Variable> {
  /** max(0, x). */
  relu(x: Variable): Variable;
  /** |x|. */
  abs(x: Variable): Variable;
  /** −x. */
  neg(x: Variable): Variable;
  /** x². */
  square(x: Variable): Variable;
  /** The next whole number downwards. */
  floor(x: Variable): Variable;
  /** The next whole number upwards. */
  ceil(x: Variable): Variable;
  /** The nearest whole number, the even one of two. */
  round(x: Variable): Variable;
  /** The next whole number towards 0. */
  trunc(x: Variable): Variable;
  /** 1 / (1 + e⁻ˣ). */
  sigmoid(x: Variable): Variable;
  /** The hyperbolic tangent. */
  tanh(x: Variable): Variable;
  /** eˣ. */
  exp(x: Variable): Variable;
  /** The natural logarithm; NaN below 0. */
  log(x: Variable): Variable;
  /** The square root; NaN below 0. */
  sqrt(x: Variable): Variable;
  /** 1 / √x. */
  rsqrt(x: Variable): Variable;
  /** 1 / x. */
  reciprocal(x: Variable): Variable;
  /** The error function. */
  erf(x: Variable): Variable;
  /** log(1 + x), exact near 0. */
  log1p(x: Variable): Variable;
  /** eˣ − 1, exact near 0. */
  expm1(x: Variable): Variable;
  /** The sine of radians. */
  sin(x: Variable): Variable;
  /** The cosine of radians. */
  cos(x: Variable): Variable;
  /** The tangent of radians. */
  tan(x: Variable): Variable;
  /** The arc sine, in radians. */
  asin(x: Variable): Variable;
  /** The arc cosine, in radians. */
  acos(x: Variable): Variable;
  /** The arc tangent, in radians. */
  atan(x: Variable): Variable;
  /** The hyperbolic sine. */
  sinh(x: Variable): Variable;
  /** The hyperbolic cosine. */
  cosh(x: Variable): Variable;
  /** The inverse of sinh. */
  asinh(x: Variable): Variable;
  /** The inverse of cosh; NaN below 1. */
  acosh(x: Variable): Variable;
  /** The inverse of tanh; NaN beyond ±1. */
  atanh(x: Variable): Variable;
}

export const unaryFunctions: UnaryMethods = Object.fromEntries([
  ...sameTypeNames.map((name) => [name, unary(name)]),
  ...floatingNames.map((name) => [name, floating(name)]),
]) as unknown as UnaryMethods;
