// torch.nn.init: each writes a variable in place and returns it. Numbers come from a generator of src/common/random.ts, so
// that a seed gives the same weights everywhere.
import type { Variable } from '../autograd/index.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { product } from '../common/numbers.ts';
import { checkOptions, expectKind, type KnownOf, kind, number, oneOf } from '../common/options.ts';
import { defaultGenerator, Generator } from '../common/random.ts';

/** What follows the layer, for `calculateGain`. */
export type Nonlinearity = 'linear' | 'conv' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';
/** Which fan: 'fanIn' keeps the variance forwards, 'fanOut' backwards. */
export type FanMode = 'fanIn' | 'fanOut';

/** Of kaimingUniform and kaimingNormal. */
export interface KaimingOptions {
  /** Negative slope of leakyRelu. */
  readonly a?: number;
  /** 'fanIn' (default) or 'fanOut'. */
  readonly mode?: FanMode;
  /** What follows the layer; default 'leakyRelu'. */
  readonly nonlinearity?: Nonlinearity;
  /** Where numbers come from; default: the generator of `seed`. */
  readonly generator?: Generator;
}

const gains: { readonly [name in Nonlinearity]: (slope: number) => number } = {
  linear: () => 1,
  conv: () => 1,
  sigmoid: () => 1,
  tanh: () => 5 / 3,
  relu: () => Math.SQRT2,
  leakyRelu: (slope) => Math.sqrt(2 / (1 + slope * slope)),
  selu: () => 0.75,
};

const generatorKind = kind<Generator>('a Generator', (value) => value instanceof Generator);
const kaimingKnown: KnownOf<KaimingOptions> = {
  a: number,
  mode: oneOf('fanIn', 'fanOut'),
  nonlinearity: oneOf(...(Object.keys(gains) as Nonlinearity[])),
  generator: generatorKind,
};

/** What a nonlinearity wants its weights' standard deviation multiplied with. */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  const gain = gains[nonlinearity];
  if (gain === undefined)
    throw new ConvletError(
      'argument',
      `init: nonlinearity expects ${Object.keys(gains).join(' or ')}, got ${nonlinearity}`,
    );
  return gain(slope);
}

/** Connections into and out of one unit; weights are [out, in, kernel…]. */
export function calculateFan(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length < 2)
    throw new ConvletError('shape', `init: a fan expects two dimensions or more, got shape ${shapeText(shape)}`);
  const field = product(shape.slice(2));
  return { fanIn: shape[1] * field, fanOut: shape[0] * field };
}

/** Throws `argument` for an argument that is no number, and for a generator that is none. */
function expectNumbers(what: string, numbers: { readonly [name: string]: unknown }, generator?: Generator): void {
  for (const [name, value] of Object.entries(numbers)) expectKind(what, name, value, number);
  if (generator !== undefined) expectKind(what, 'generator', generator, generatorKind);
}

function fill(target: Variable, next: () => number): Variable {
  const values = new Float64Array(target.size);
  for (let i = 0; i < values.length; i++) values[i] = next();
  return target.set(values);
}

/** The same number everywhere. */
export function constant(target: Variable, value: number): Variable {
  expectNumbers('constant', { value });
  return fill(target, () => value);
}
/** Zeros. */
export const zeros = (target: Variable): Variable => constant(target, 0);
/** Ones. */
export const ones = (target: Variable): Variable => constant(target, 1);

/** Uniform in a … b (default 0 … 1). */
export function uniform(target: Variable, a = 0, b = 1, generator: Generator = defaultGenerator): Variable {
  expectNumbers('uniform', { a, b }, generator);
  return fill(target, () => a + (b - a) * generator.uniform());
}

/** Normal with this mean (default 0) and deviation (default 1). */
export function normal(target: Variable, mean = 0, std = 1, generator: Generator = defaultGenerator): Variable {
  expectNumbers('normal', { mean, std }, generator);
  return fill(target, () => mean + std * generator.normal());
}

/** Normal distribution cut off outside a … b (absolute bounds, as PyTorch's). */
export function truncNormal(
  target: Variable,
  mean = 0,
  std = 1,
  a = -2,
  b = 2,
  generator: Generator = defaultGenerator,
): Variable {
  expectNumbers('truncNormal', { mean, std, a, b }, generator);
  if (!(b > a)) throw new ConvletError('argument', `truncNormal: b expects more than a = ${a}, got ${b}`);
  if (b < mean - 6 * std || a > mean + 6 * std)
    throw new ConvletError('argument', `truncNormal: the bounds ${a} … ${b} are too far from the mean ${mean}`);
  return fill(target, () => {
    let value = mean + std * generator.normal();
    while (value < a || value > b) value = mean + std * generator.normal();
    return value;
  });
}

/** Uniform in ±gain · √(6 / (fanIn + fanOut)) (Glorot & Bengio 2010). */
export function xavierUniform(target: Variable, gain = 1, generator: Generator = defaultGenerator): Variable {
  expectNumbers('xavierUniform', { gain }, generator);
  const { fanIn, fanOut } = calculateFan(target.shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(target, -bound, bound, generator);
}

/** Normal with deviation gain · √(2 / (fanIn + fanOut)) (Glorot & Bengio 2010). */
export function xavierNormal(target: Variable, gain = 1, generator: Generator = defaultGenerator): Variable {
  expectNumbers('xavierNormal', { gain }, generator);
  const { fanIn, fanOut } = calculateFan(target.shape);
  return normal(target, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), generator);
}

function kaimingStd(target: Variable, options: KaimingOptions): number {
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options;
  return calculateGain(nonlinearity, a) / Math.sqrt(calculateFan(target.shape)[mode]);
}

/** He et al. 2015: uniform with the variance that keeps activations' size through ReLU layers. */
export function kaimingUniform(target: Variable, options: KaimingOptions = {}): Variable {
  checkOptions('kaimingUniform', options, kaimingKnown);
  const bound = Math.sqrt(3) * kaimingStd(target, options);
  return uniform(target, -bound, bound, options.generator);
}

/** Normal with deviation gain / √fan (He et al. 2015). */
export function kaimingNormal(target: Variable, options: KaimingOptions = {}): Variable {
  checkOptions('kaimingNormal', options, kaimingKnown);
  return normal(target, 0, kaimingStd(target, options), options.generator);
}

/** Rows (or columns, whichever are fewer) of length `gain` at right angles: Saxe et al. 2013, by Gram–Schmidt done twice. */
export function orthogonal(target: Variable, gain = 1, generator: Generator = defaultGenerator): Variable {
  expectNumbers('orthogonal', { gain }, generator);
  const { shape, size } = target;
  if (shape.length < 2)
    throw new ConvletError('shape', `orthogonal: expects two dimensions or more, got shape ${shapeText(shape)}`);
  const [rows, columns] = [shape[0], size / shape[0]];
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => generator.normal());
    for (let pass = 0; pass < 2; pass++) for (const other of vectors) subtractProjection(vector, other);
    const norm = Math.sqrt(vector.reduce((sum, v) => sum + v * v, 0));
    if (norm < 1e-6) continue;
    vectors.push(vector.map((v) => v / norm));
  }
  const values = new Float64Array(size);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++)
      values[r * columns + c] = gain * (rows <= columns ? vectors[r][c] : vectors[c][r]);
  }
  return target.set(values);
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  let dot = 0;
  for (let i = 0; i < unit.length; i++) dot += vector[i] * unit[i];
  for (let i = 0; i < unit.length; i++) vector[i] -= dot * unit[i];
}
