import { dtypes } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { elementCount } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf } from '../core/gradient.ts';
import { defineOp, followLayouts, rowLayouts, type TensorInfo } from '../core/op.ts';
import { aroundAxis } from '../reduce/softmax.ts';
import { expectIntegers } from './copy.ts';
import { indexInput } from './gather.ts';
import { around } from './select.ts';

const ofOneHot = checker('oneHot');
const ofTrilu = checker('trilu');
const ofEyeLike = checker('eyeLike');
const ofHardmax = checker('hardmax');
const ofReverseSequence = checker('reverseSequence');

// Masks, one-hot codes and reorderings by position. All run on the host.

/** values[1] at the index along the new axis, values[0] elsewhere; an index out of range gives values[0] everywhere. */
export const oneHot = defineOp({
  name: 'oneHot',
  infer(inputs, { depth, axis }) {
    const indices = ofOneHot.required(inputs, 0, 'indices');
    const values = ofOneHot.required(inputs, 1, 'values');
    expectIntegers('oneHot', 'depth', [depth], 1, 1);
    if (elementCount(values.shape) !== 2) {
      throw new ConvletError(
        'shape',
        `oneHot: values expects 2 elements (off, on), got shape ${shapeText(values.shape)}`,
      );
    }
    const at = ofOneHot.axis(axis, indices.shape.length + 1);
    return [{ dtype: values.dtype, shape: indices.shape.toSpliced(at, 0, depth) }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { depth, axis }) {
    const [outer, , inner] = around(outputs[0].shape, ofOneHot.axis(axis, outputs[0].rank));
    emit.call('host', inputs, outputs, {
      name: 'oneHot',
      run: ([indices, values], [y]) => {
        const [off, on] = (values as Tensor).array;
        y.array.fill(off);
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            const index = Math.trunc((indices as Tensor).array[o * inner + i]);
            const at = index < 0 ? index + depth : index;
            if (at >= 0 && at < depth) y.array[(o * depth + at) * inner + i] = on;
          }
        }
      },
    });
  },
});

/** The triangle of the last two axes on and above (below) diagonal k; zeros elsewhere. */
export const trilu = defineOp({
  name: 'trilu',
  infer(inputs, { k }) {
    const x = ofTrilu.required(inputs, 0, 'x');
    if (x.shape.length < 2)
      throw new ConvletError('shape', `trilu: x expects rank 2 or more, got shape ${shapeText(x.shape)}`);
    expectIntegers('trilu', 'k', [k], 1);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { k, upper }) {
    const [rows, columns] = outputs[0].shape.slice(-2);
    emit.call('host', inputs, outputs, {
      name: 'trilu',
      run: ([x], [y]) => {
        const [from, to] = [(x as Tensor).array, y.array];
        for (let at = 0; at < to.length; ) {
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++, at++) to[at] = (upper ? j - i >= k : j - i <= k) ? from[at] : 0;
          }
        }
      },
    });
  },
  backward: (g) => [apply(g, 'trilu', [gradOf(g)], g.attrs)],
});

/** Ones on diagonal k of a matrix of the shape of x. */
export const eyeLike = defineOp({
  name: 'eyeLike',
  infer(inputs, { dtype, k }) {
    const x = ofEyeLike.required(inputs, 0, 'x');
    ofEyeLike.rank('x', x, 2);
    expectIntegers('eyeLike', 'k', [k], 1);
    if (!Object.hasOwn(dtypes, dtype)) throw new ConvletError('dtype', `eyeLike: there is no dtype ${String(dtype)}`);
    return [{ dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, _, outputs, { k }) {
    const [rows, columns] = outputs[0].shape;
    emit.call('host', [], outputs, {
      name: 'eyeLike',
      run: (_, [y]) => {
        y.array.fill(0);
        for (let i = Math.max(0, -k); i < rows && i + k < columns; i++) y.array[i * columns + i + k] = 1;
      },
    });
  },
});

/** One at the first maximum along `axis`, zero elsewhere. */
export const hardmax = defineOp({
  name: 'hardmax',
  infer(inputs, { axis }) {
    const x = ofHardmax.required(inputs, 0, 'x');
    ofHardmax.axis(axis, x.shape.length);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { axis }) {
    const x = inputs[0] as Tensor;
    const { outer, length, inner } = aroundAxis(x, ofHardmax.axis(axis, x.rank));
    emit.call('host', inputs, outputs, {
      name: 'hardmax',
      run: ([from], [y]) => {
        const { array } = from as Tensor;
        y.array.fill(0);
        if (length === 0) return;
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            const begin = o * length * inner + i;
            let best = begin;
            for (let j = 1, at = begin + inner; j < length; j++, at += inner) if (array[at] > array[best]) best = at;
            y.array[best] = 1;
          }
        }
      },
    });
  },
});

/** Reverses the first sequenceLengths[b] steps of the time axis for each batch entry b, and copies the rest. */
export const reverseSequence = defineOp({
  name: 'reverseSequence',
  infer(inputs, { batchAxis, timeAxis }) {
    const x = ofReverseSequence.required(inputs, 0, 'x');
    const lengths: TensorInfo = indexInput('reverseSequence', inputs, 1, 'sequenceLengths');
    const [b, t] = [batchAxis, timeAxis].map((axis) => ofReverseSequence.axis(axis, x.shape.length));
    if (b === t) throw new ConvletError('argument', `reverseSequence: batchAxis and timeAxis are both ${b}`);
    if (lengths.shape.length !== 1 || lengths.shape[0] !== x.shape[b]) {
      throw new ConvletError(
        'shape',
        `reverseSequence: sequenceLengths expects shape [${x.shape[b]}], got ${shapeText(lengths.shape)}`,
      );
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { batchAxis, timeAxis }) {
    const y = outputs[0];
    const [b, t] = [batchAxis, timeAxis].map((axis) => ofReverseSequence.axis(axis, y.rank));
    const [perBatch, perStep] = [y.strides[b], y.strides[t]];
    emit.call('host', inputs, outputs, {
      name: 'reverseSequence',
      run: ([x, lengths], [out]) => {
        const [from, to] = [(x as Tensor).array, out.array];
        const bound = (lengths as Tensor).array;
        bound.forEach((length, i) => {
          if (length >= 0 && length <= y.shape[t]) return;
          throw new ConvletError(
            'index-range',
            `reverseSequence: sequenceLengths[${i}] expects 0…${y.shape[t]}, got ${length}`,
          );
        });
        for (let at = 0; at < to.length; at++) {
          const batch = Math.floor(at / perBatch) % y.shape[b];
          const step = Math.floor(at / perStep) % y.shape[t];
          const length = bound[batch];
          to[at] = from[step < length ? at + (length - 1 - 2 * step) * perStep : at];
        }
      },
    });
  },
  backward: (g) => [apply(g, 'reverseSequence', [gradOf(g), inputOf(g, 1)], g.attrs), null],
});
