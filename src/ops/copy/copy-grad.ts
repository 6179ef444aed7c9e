import { ConvletError, shapeText } from '../../common/error.ts';
import { canBeChannelsLast, memoryOrder } from '../../tensor/layout.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf } from '../core/gradient.ts';
import { defineOp, type Emitter } from '../core/op.ts';
import { inMemoryOrder } from '../elementwise/binary.ts';
import { aroundAxis } from '../reduce/softmax.ts';
import { expectIntegers, sameLayout } from './copy.ts';
import { padPositions } from './pad.ts';

const ofSliceGrad = checker('sliceGrad');
const ofPadGrad = checker('padGrad');

type Numbers = readonly number[];

/** The transpose of slice: the elements of gy at their places in a tensor of `shape`, zeros elsewhere. */
export const sliceGrad = defineOp({
  name: 'sliceGrad',
  infer(inputs, { starts, steps, shape }) {
    const gy = ofSliceGrad.required(inputs, 0, 'gy');
    const rank = gy.shape.length;
    expectIntegers('sliceGrad', 'starts', starts, rank, 0);
    expectIntegers('sliceGrad', 'steps', steps, rank);
    expectIntegers('sliceGrad', 'shape', shape, rank, 0);
    gy.shape.forEach((d, axis) => {
      const last = starts[axis] + (d - 1) * steps[axis];
      if (d === 0 || (starts[axis] < shape[axis] && last >= 0 && last < shape[axis])) return;
      throw new ConvletError(
        'index-range',
        `sliceGrad: elements ${starts[axis]}…${last} of axis ${axis} lie outside shape ${shapeText(shape)}`,
      );
    });
    return [{ dtype: gy.dtype, shape: checkShape('sliceGrad', shape) }];
  },
  layouts: sameLayout,
  forward(emit, inputs, outputs, { starts, steps }) {
    const [gy, gx] = [inputs[0] as Tensor, outputs[0]];
    if (gx.size === 0) return;
    emit.call('fill', [], [gx], { value: 0, length: gx.size });
    if (gy.size === 0) return;
    // Slices of negative steps are read from their end, so that writes go forward.
    const turned = steps.map((step) => step < 0);
    const first = starts.map((start, axis) => (turned[axis] ? start + (gy.shape[axis] - 1) * steps[axis] : start));
    const sum = (values: Numbers): number => values.reduce((a, b) => a + b, 0);
    emit.call('copy', [gy], [gx], {
      dims: inMemoryOrder(gy.shape, gx.layout),
      inputOffset: sum(gy.strides.map((s, axis) => (turned[axis] ? s * (gy.shape[axis] - 1) : 0))),
      inputStrides: inMemoryOrder(
        gy.strides.map((s, axis) => (turned[axis] ? -s : s)),
        gx.layout,
      ),
      outputOffset: sum(gx.strides.map((s, axis) => s * first[axis])),
      outputStrides: inMemoryOrder(
        gx.strides.map((s, axis) => s * Math.abs(steps[axis])),
        gx.layout,
      ),
    });
  },
  backward(g) {
    const { starts, steps } = g.attrs;
    return [apply(g, 'slice', [gradOf(g)], { starts, steps, sizes: inputOf(g).shape })];
  },
});

/** One resample along an axis: for every element of x the sum over the padded positions that have it; weights are 1 and 0. */
function emitAxis(
  emit: Emitter,
  gy: Tensor,
  gx: Tensor,
  axis: number,
  begin: number,
  at: (i: number, length: number) => number,
): void {
  const length = gx.shape[axis];
  const sources: number[][] = Array.from({ length }, () => []);
  for (let i = 0; i < gy.shape[axis]; i++) sources[at(i - begin, length)].push(i);
  const taps = Math.max(1, ...sources.map((s) => s.length));
  const index = new Int32Array(length * taps).fill(-1);
  const weight = new Float32Array(length * taps);
  sources.forEach((list, j) => {
    list.forEach((i, t) => {
      index[j * taps + t] = i;
      weight[j * taps + t] = 1;
    });
  });
  const { outer, inner } = aroundAxis(gy, axis);
  const attrs = { outer, input: gy.shape[axis], output: length, inner, taps, extrapolation: 0 };
  emit.call('resample', [gy, emit.constant(index), emit.constant(weight)], [gx], attrs);
}

/** The transpose of pad in the modes that repeat elements: each element of x gets the sum over its copies. */
export const padGrad = defineOp({
  name: 'padGrad',
  infer(inputs, { begin, end, mode, shape }) {
    const gy = ofPadGrad.required(inputs, 0, 'gy');
    ofPadGrad.float('gy', gy);
    ofPadGrad.oneOf('mode', mode, Object.keys(padPositions));
    expectIntegers('padGrad', 'shape', shape, gy.shape.length, 0);
    expectIntegers('padGrad', 'begin', begin, shape.length);
    expectIntegers('padGrad', 'end', end, shape.length);
    ofPadGrad.shape(
      'gy',
      gy,
      shape.map((d, axis) => d + begin[axis] + end[axis]),
    );
    return [{ dtype: gy.dtype, shape: checkShape('padGrad', shape) }];
  },
  layouts: sameLayout,
  forward(emit, inputs, outputs, { begin, end, mode }) {
    const gx = outputs[0];
    let current = inputs[0] as Tensor;
    if (gx.size === 0) return;
    if (current.size === 0) {
      emit.call('fill', [], [gx], { value: 0, length: gx.size });
      return;
    }
    const axes = memoryOrder(gx.rank, gx.layout).filter((axis) => begin[axis] !== 0 || end[axis] !== 0);
    // Without padding there is still a copy, since the output has its own memory.
    if (axes.length === 0) axes.push(gx.rank - 1);
    axes.forEach((axis, step) => {
      const shape = current.shape.map((d, i) => (i === axis ? gx.shape[axis] : d));
      const layout = canBeChannelsLast(shape.length) ? gx.layout : 'row';
      const next = step === axes.length - 1 ? gx : emit.temp(gx.dtype, shape, layout);
      emitAxis(emit, current, next, axis, begin[axis], padPositions[mode as keyof typeof padPositions]);
      current = next;
    });
  },
  backward(g) {
    const { begin, end, mode } = g.attrs;
    return [apply(g, 'pad', [gradOf(g)], { begin, end, mode, value: 0 })];
  },
});
