import { ConvletError } from './error.ts';

/**
 * Random numbers that are the same on every machine and engine: Philox4x32-10 (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3"), a function of (seed, counter) without other state, so that any number of the sequence can
 * be computed directly; what is derived from it uses only arithmetic that IEEE 754 defines to the last bit (no Math.log).
 */

const [multiplier0, multiplier1] = [0xd2511f53, 0xcd9e8d57];
const [weyl0, weyl1] = [0x9e3779b9, 0xbb67ae85];
const rounds = 10;

/** High 32 bits of the 64-bit product of two 32-bit unsigned numbers. */
function mulHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const other = aLow * bHigh + (middle % 65536);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}

/** Four 32-bit numbers for a 128-bit counter (c0 lowest) and a 64-bit key, into `out`. */
export function philox(counter: readonly number[], key: readonly number[], out: Uint32Array): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [high0, low0] = [mulHigh(multiplier0, c0), Math.imul(multiplier0, c0) >>> 0];
    const [high1, low1] = [mulHigh(multiplier1, c2), Math.imul(multiplier1, c2) >>> 0];
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + weyl0) >>> 0;
    k1 = (k1 + weyl1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** A place in a sequence; enough to go on from there. */
export interface RandomState {
  readonly seed: number;
  /** 32-bit numbers drawn so far. */
  readonly drawn: number;
}

/** A sequence of random numbers that belongs to a seed. */
export class Generator {
  private seed: number;
  private drawn = 0;
  private readonly block = new Uint32Array(4);

  /** `seed`: a whole number ≥ 0, up to 2^53. */
  constructor(seed = 0) {
    this.seed = checkSeed(seed);
  }

  get state(): RandomState {
    return { seed: this.seed, drawn: this.drawn };
  }

  set state({ seed, drawn }: RandomState) {
    this.seed = checkSeed(seed);
    this.drawn = drawn;
    if (drawn % 4 !== 0) this.fill();
  }

  /** Begins another sequence. */
  manualSeed(seed: number): this {
    this.state = { seed, drawn: 0 };
    return this;
  }

  /** A whole number in 0 … 2^32 − 1. */
  uint32(): number {
    if (this.drawn % 4 === 0) this.fill();
    return this.block[this.drawn++ % 4];
  }

  /** A multiple of 2^-24 in [0, 1), which float32 holds exactly. */
  uniform(): number {
    return (this.uint32() >>> 8) / 2 ** 24;
  }

  /** A whole number in 0 … n − 1, all equally likely (n ≤ 2^32). */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % n;
  }

  /** Standard normal distribution: one number drawn per value. */
  normal(): number {
    return inverseNormal((this.uint32() + 0.5) / 2 ** 32);
  }

  /** 0 … n − 1 in random order (Fisher–Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  private fill(): void {
    const at = Math.floor(this.drawn / 4);
    philox([at >>> 0, Math.floor(at / 2 ** 32), 0, 0], [this.seed >>> 0, Math.floor(this.seed / 2 ** 32)], this.block);
  }
}

function checkSeed(seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new ConvletError('argument', `seed: expects a whole number ≥ 0, got ${seed}`);
}

const words = new Uint32Array(2);
const float = new Float64Array(words.buffer);

/** Natural logarithm of a positive normal number, from basic arithmetic alone (the method of fdlibm's e_log.c). */
export function portableLog(x: number): number {
  float[0] = x;
  const high = littleEndian ? 1 : 0;
  let exponent = ((words[high] >>> 20) & 0x7ff) - 1023;
  words[high] = (words[high] & 0xfffff) | 0x3ff00000;
  let fraction = float[0];
  if (fraction > Math.SQRT2) {
    fraction /= 2;
    exponent++;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  return exponent * 0.6931471803691238 - (half - (s * (half + even + odd) + exponent * 1.9082149292705877e-10) - f);
}

words[0] = 1;
const littleEndian = float[0] !== 2 ** -1042;

/** The quantile of the standard normal distribution, relative error below 1e-15: AS 241, PPND16 (Wichura 1988). */
export function inverseNormal(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(centre.top, r)) / polynomial(centre.bottom, r);
  }
  const r = Math.sqrt(-portableLog(q < 0 ? p : 1 - p));
  const { top, bottom, shift } = r <= 5 ? middle : tail;
  const value = polynomial(top, r - shift) / polynomial(bottom, r - shift);
  return q < 0 ? -value : value;
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i];
  return sum;
}

// prettier-ignore: three tables of the paper, lowest power first
const centre = {
  top: [
    3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
  ],
  bottom: [
    1, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
    3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852545925e3,
  ],
};
const middle = {
  shift: 1.6,
  top: [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 2.4178072517745061177e-1, 2.27238449892691845833e-2, 7.7454501427834140764e-4,
  ],
  bottom: [
    1, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1, 1.4810397642748007459e-1,
    1.51986665636164571966e-2, 5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
};
const tail = {
  shift: 5,
  top: [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
    2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ],
  bottom: [
    1, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2, 7.868691311456132591e-4,
    1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
};

/** The sequence that initialisers, dropout and shuffles draw from unless they are given one. */
export const defaultGenerator = new Generator(0);

/** Restarts the default sequence: programs with the same seed draw the same numbers. */
export function seed(value: number): void {
  defaultGenerator.manualSeed(value);
}
