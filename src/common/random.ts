import { ConvletError } from './error.ts';

/**
 * Random numbers that are the same on every machine and engine: Philox4x32-10 (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3"), a function of (seed, counter) without other state, so that any number of the sequence can
 * be computed directly. All other distributions use only arithmetic that IEEE 754 defines to the last bit (no Math.log).
 */

const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

/** Four 32-bit numbers for a 128-bit counter (c0 lowest) and a 64-bit key, into `out`. */
export function philox(counter: readonly number[], key: readonly number[], out: Uint32Array): void {
  let c0 = counter[0] | 0;
  let c1 = counter[1] | 0;
  let c2 = counter[2] | 0;
  let c3 = counter[3] | 0;
  let k0 = key[0] | 0;
  let k1 = key[1] | 0;
  // Dropout calls this for every four elements: all variables are int32 scalars, which V8 keeps in registers (with arrays for pairs
  // it took four times as long).
  for (let round = 0; round < rounds; round++) {
    const high0 = mulHigh(c0, multiplier0 & 0xffff, multiplier0 >>> 16);
    const high1 = mulHigh(c2, multiplier1 & 0xffff, multiplier1 >>> 16);
    const low0 = Math.imul(multiplier0, c0);
    const low1 = Math.imul(multiplier1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** High 32 bits of the 64-bit product of two 32-bit unsigned numbers, the second one in halves. */
function mulHigh(a: number, bLow: number, bHigh: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  // Each product is below 2^32; imul wraps to the same bits.
  const low = Math.imul(aLow, bLow) >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + low;
  const other = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** A position in a sequence, from which it can be continued. */
export interface RandomState {
  readonly seed: number;
  /** 32-bit numbers drawn so far. */
  readonly drawn: number;
}

/** A sequence of random numbers, determined by a seed. */
export class Generator {
  static readonly name: string = 'Generator';

  private seed: number;
  private drawn = 0;
  private readonly block = new Uint32Array(4);

  /** `seed`: a whole number ≥ 0, up to 2^53. */
  constructor(seed = 0) {
    this.seed = checkSeed(seed);
  }

  /** Everything about where it stands, to go on from there. */
  get state(): RandomState {
    return { seed: this.seed, drawn: this.drawn };
  }

  set state({ seed, drawn }: RandomState) {
    this.seed = checkSeed(seed);
    this.drawn = drawn;
    if (drawn % 4 !== 0) this.fill();
  }

  /** Starts the sequence of another seed. */
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

// Three tables of the paper, lowest power first, as the nearest doubles.
const centre = {
  top: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  bottom: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852546,
  ],
};
const middle = {
  shift: 1.6,
  top: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  bottom: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};
const tail = {
  shift: 5,
  top: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
  ],
  bottom: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 0.000018463183175100548,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

/** The sequence from which initialisers, dropout and shuffles draw unless they are given another. */
export const defaultGenerator = new Generator(0);

/** Restarts the default sequence: programs with the same seed draw the same numbers. */
export function seed(value: number): void {
  defaultGenerator.manualSeed(value);
}
