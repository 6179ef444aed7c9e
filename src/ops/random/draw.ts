import { dtypes } from '../../common/dtype.ts';
import { inverseNormal, philox } from '../../common/random.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { defineOp, rowLayouts } from '../core/op.ts';
import type { Distribution, DrawAttrs } from './attrs.ts';

const check = checker('draw');

/** A value of the distribution from a word of 32 random bits, as `Generator` makes them. */
const values: { readonly [D in Distribution]: (word: number, low: number, span: number) => number } = {
  // A multiple of 2^-24 in [0, 1), which float32 holds exactly.
  uniform: (word) => (word >>> 8) / 2 ** 24,
  normal: (word) => inverseNormal((word + 0.5) / 2 ** 32),
  // The high half of the 64-bit product word · span: probabilities differ by at most span/2^32 of their value.
  integers: (word, low, span) => low + Math.floor((word / 2 ** 32) * span),
};

export const distributions = Object.keys(values) as Distribution[];

/**
 * Random numbers of a shape. Input: key [2] (int32), from which Philox computes every element: element i is word i mod 4 of
 * counter i / 4 (as in dropoutMask). So numbers are the same on every backend, with any number of threads, eager and compiled; a
 * compiled step reads a new key in each run. Uniform in [0, 1), standard normal, or whole numbers low … high − 1.
 */
export const draw = defineOp({
  name: 'draw',
  infer(inputs, { shape, dtype, distribution, low, high }) {
    const key = check.required(inputs, 0, 'key');
    check.dtype('key', key, 'int32');
    check.shape('key', key, [2]);
    check.oneOf('distribution', distribution, distributions);
    check.oneOf('dtype', dtype, Object.keys(dtypes));
    check.whole('low and high', [low, high], 2, -(2 ** 31), 2 ** 31);
    check.number('high', high, distribution === 'integers' ? low + 1 : low);
    return [{ dtype, shape: checkShape('draw', shape) }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    emit.call('host', inputs, outputs, {
      name: 'draw',
      run: ([key], [y]) => fill((key as Tensor).array, y.array, attrs),
    });
  },
});

function fill(key: ArrayLike<number>, y: { [i: number]: number; length: number }, attrs: DrawAttrs): void {
  const value = values[attrs.distribution];
  const { low, high } = attrs;
  const span = high - low;
  const words = new Uint32Array(4);
  const keys = [key[0] >>> 0, key[1] >>> 0];
  for (let i = 0; i < y.length; i += 4) {
    philox([i / 4, 0, 0, 0], keys, words);
    for (let j = 0; j < 4 && i + j < y.length; j++) y[i + j] = value(words[j], low, span);
  }
}
