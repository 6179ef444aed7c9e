import { ConvletError, shapeText } from '../../common/error.ts';
import { memoryOrder } from '../../tensor/layout.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf } from '../core/gradient.ts';
import { defineOp, type Emitter, type Placed } from '../core/op.ts';
import { inMemoryOrder } from '../elementwise/binary.ts';
import { aroundAxis } from '../reduce/softmax.ts';
import type { PadAttrs, PadMode } from './attrs.ts';
import { expectIntegers } from './copy.ts';

const check = checker('pad');

type Numbers = readonly number[];

export const padModes = ['constant', 'reflect', 'edge', 'wrap'] as const satisfies readonly PadMode[];

const modulo = (i: number, n: number): number => ((i % n) + n) % n;

/** The element of an axis of `length` that stands at position i (outside if < 0 or ≥ length), for each mode. */
export const padPositions: Readonly<Record<'reflect' | 'edge' | 'wrap', (i: number, length: number) => number>> = {
  edge: (i, length) => Math.min(Math.max(i, 0), length - 1),
  wrap: modulo,
  // The mirrored axis repeats after 2·(length − 1): the outermost elements are not doubled.
  reflect: (i, length) => {
    const period = Math.max(2 * (length - 1), 1);
    const at = modulo(i, period);
    return at < length ? at : period - at;
  },
};

function emitConstant(emit: Emitter, x: Tensor, y: Tensor, { begin, end, value }: PadAttrs): void {
  if (begin.some((p) => p > 0) || end.some((p) => p > 0)) emit.call('fill', [], [y], { value, length: y.size });
  // The part of x that remains after cropping.
  const from = begin.map((p) => Math.max(-p, 0));
  const dims = x.shape.map((d, axis) => d - from[axis] - Math.max(-end[axis], 0));
  if (dims.some((d) => d <= 0)) return;
  const offset = (strides: Numbers, at: Numbers): number => strides.reduce((sum, s, axis) => sum + s * at[axis], 0);
  emit.call('copy', [x], [y], {
    dims: inMemoryOrder(dims, y.layout),
    inputOffset: offset(x.strides, from),
    inputStrides: inMemoryOrder(x.strides, y.layout),
    outputOffset: offset(
      y.strides,
      begin.map((p) => Math.max(p, 0)),
    ),
    outputStrides: inMemoryOrder(y.strides, y.layout),
  });
}

/** One `take` per padded axis. */
function emitByTables(
  emit: Emitter,
  x: Tensor,
  y: Tensor,
  { begin, end }: PadAttrs,
  at: (i: number, length: number) => number,
): void {
  const axes = memoryOrder(x.rank, x.layout).filter((axis) => begin[axis] !== 0 || end[axis] !== 0);
  let current = x;
  axes.forEach((axis, step) => {
    const length = current.shape[axis];
    const shape = current.shape.map((d, i) => (i === axis ? y.shape[axis] : d));
    const next = step === axes.length - 1 ? y : emit.temp(x.dtype, shape, x.layout);
    const table = new Int32Array(y.shape[axis]);
    for (let i = 0; i < table.length; i++) table[i] = at(i - begin[axis], length);
    emit.call('take', [current, emit.constant(table)], [next], { ...aroundAxis(current, axis), count: table.length });
    current = next;
  });
}

export const pad = defineOp({
  name: 'pad',
  infer(inputs, { begin, end, mode }) {
    const x = check.required(inputs, 0, 'x');
    expectIntegers('pad', 'begin', begin, x.shape.length);
    expectIntegers('pad', 'end', end, x.shape.length);
    if (!padModes.includes(mode))
      throw new ConvletError('argument', `pad: mode expects ${padModes.join(' or ')}, got ${String(mode)}`);
    const shape = x.shape.map((d, axis) => d + begin[axis] + end[axis]);
    shape.forEach((d, axis) => {
      const empty = x.shape[axis] === 0 && mode !== 'constant' && d > 0;
      if (d >= 0 && !empty) return;
      throw new ConvletError(
        'argument',
        `pad: ${begin[axis]} and ${end[axis]} elements around axis ${axis} make no sense with shape ${shapeText(x.shape)} and mode ${mode}`,
      );
    });
    return [{ dtype: x.dtype, shape: checkShape('pad', shape) }];
  },
  layouts(inputs, { begin, end }) {
    const { layout } = inputs[0] as Placed;
    const nothing = begin.every((p) => p === 0) && end.every((p) => p === 0);
    return { inputs: [layout], outputs: [layout], view: nothing };
  },
  forward(emit, inputs, outputs, attrs) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    if (y.size === 0) return;
    if (attrs.mode === 'constant') emitConstant(emit, x, y, attrs);
    else emitByTables(emit, x, y, attrs, padPositions[attrs.mode]);
  },
  backward(g) {
    const { begin, end, mode } = g.attrs;
    const gy = gradOf(g);
    if (mode !== 'constant') return [apply(g, 'padGrad', [gy], { begin, end, mode, shape: inputOf(g).shape })];
    // Cropped elements have gradient 0, and the gradient of added ones is cropped.
    const opposite = { begin: begin.map((p) => -p), end: end.map((p) => -p), mode, value: 0 };
    return [apply(g, 'pad', [gy], opposite)];
  },
});
