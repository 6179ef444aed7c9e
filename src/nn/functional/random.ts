// Random numbers of torch, drawn anew in each step: eager or compiled, on any backend and number of threads the same. What
// JavaScript draws inside forward() is a constant of a compiled step, and refused there.
import { apply1, randomKey, Variable, withoutHistory } from '../../autograd/index.ts';
import type { DType } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import type { Distribution } from '../../ops/random/attrs.ts';

/** Dimensions one by one, or as one array. */
export type ShapeArgs = readonly number[] | readonly [readonly number[]];

const shapeOf = (args: ShapeArgs): readonly number[] =>
  Array.isArray(args[0]) ? args[0] : (args as readonly number[]);

const draw = (
  distribution: Distribution,
  shape: readonly number[],
  dtype: DType = 'float32',
  low = 0,
  high = 1,
): Variable => apply1('draw', [randomKey()], { shape, dtype, distribution, low, high });

/** The shape of `x`; random numbers have its type where that is floating, else float32. */
const floatLike = (distribution: Distribution, x: Variable): Variable =>
  draw(distribution, x.shape, x.dtype === 'float64' ? 'float64' : 'float32');

/**
 * Uniform numbers in [0, 1), multiples of 2^-24, of a shape: `F.rand(2, 3)` or `F.rand([2, 3])`. float32.
 *
 * @throws ConvletError `shape`, `argument` for what is no shape
 */
export const rand = (...shape: ShapeArgs): Variable => draw('uniform', shapeOf(shape));

/** Numbers of the standard normal distribution, of a shape: `F.randn(2, 3)` or `F.randn([2, 3])`. float32. */
export const randn = (...shape: ShapeArgs): Variable => draw('normal', shapeOf(shape));

/**
 * Whole numbers low … high − 1, int64: `F.randint(10, [2, 3])` (from 0) or `F.randint(5, 10, [2, 3])`.
 *
 * @throws ConvletError `argument` where high is not above low
 */
export function randint(
  ...args:
    | readonly [high: number, shape: readonly number[]]
    | readonly [low: number, high: number, shape: readonly number[]]
): Variable {
  const [first, second, third] = args;
  const [low, high, shape] = typeof second === 'number' ? [first, second, third] : [0, first, second];
  if (!Array.isArray(shape)) {
    throw new ConvletError('argument', 'randint: expects randint(high, shape) or randint(low, high, shape)');
  }
  return draw('integers', shape, 'int64', low, high);
}

/** As `rand`, of the shape of x. */
export const randLike = (x: Variable): Variable => floatLike('uniform', x);

/** As `randn`, of the shape of x. */
export const randnLike = (x: Variable): Variable => floatLike('normal', x);

/** As `randint`, of the shape of x. */
export const randintLike = (x: Variable, low: number, high: number): Variable =>
  draw('integers', x.shape, 'int64', low, high);

/**
 * 1 with the probability that p has for the element, else 0, in the type of p. Without gradient.
 *
 * @param p probabilities 0 … 1
 */
export function bernoulli(p: Variable): Variable {
  if (!(p instanceof Variable))
    throw new ConvletError(
      'argument',
      'bernoulli: p expects a variable of probabilities; use F.rand(shape).lt(p) for one number',
    );
  return draw('uniform', p.shape, 'float32').lt(withoutHistory(p)).to(p.dtype);
}

/** mean + std · a standard normal number, for each element: means and deviations are variables that broadcast, or numbers. */
export function normal(mean: Variable | number, std: Variable | number, shape?: readonly number[]): Variable {
  const like = mean instanceof Variable ? (std instanceof Variable ? mean.add(std) : mean) : std;
  const size = shape ?? (like instanceof Variable ? like.shape : []);
  return draw('normal', size).mul(std).add(mean);
}
