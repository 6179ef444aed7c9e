import { philox } from '../../common/random.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { channelsLastLayouts, defineOp } from '../core/op.ts';
import type { DropoutMaskAttrs } from './attrs.ts';

const check = checker('dropoutMask');

/**
 * A random mask: each element is `dropped` with probability p, else `kept`. Input: key [2] (int32), from which Philox computes every
 * element: element i, in memory order, is word i mod 4 of counter i / 4. A compiled step reads a new key in
 * each run. Dropout is a product with the mask, so the mask needs no gradient.
 */
export const dropoutMask = defineOp({
  name: 'dropoutMask',
  infer(inputs, { shape, p }) {
    const key = check.required(inputs, 0, 'key');
    check.dtype('key', key, 'int32');
    check.shape('key', key, [2]);
    check.number('p', p, 0);
    return [{ dtype: 'float32', shape: checkShape('dropoutMask', shape) }];
  },
  // Dropout mostly follows convolutions, whose results are channels-last.
  layouts: (inputs, _, outputs) => channelsLastLayouts(inputs, outputs, []),
  forward(emit, inputs, outputs, attrs) {
    emit.call('host', inputs, outputs, {
      name: 'dropoutMask',
      run: ([key], [y]) => fillMask((key as Tensor).array, y.array, attrs),
    });
  },
});

function fillMask(key: ArrayLike<number>, y: { [i: number]: number; length: number }, attrs: DropoutMaskAttrs): void {
  const { p, kept, dropped } = attrs;
  const words = new Uint32Array(4);
  const keys = [key[0] >>> 0, key[1] >>> 0];
  const threshold = p * 2 ** 24;
  for (let i = 0; i < y.length; i += 4) {
    philox([i / 4, 0, 0, 0], keys, words);
    for (let j = 0; j < 4 && i + j < y.length; j++) y[i + j] = words[j] >>> 8 < threshold ? dropped : kept;
  }
}
