import { ConvletError, shapeText } from '../../common/error.ts';
import { canBeChannelsLast, elementCount, type Layout, memoryOrder } from '../../tensor/layout.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, gradOf, inputOf, reshapeTo, sumTo } from '../core/gradient.ts';
import { defineOp, type Emitter, type Layouts, type Placed } from '../core/op.ts';
import { broadcastStrides, inMemoryOrder } from '../elementwise/binary.ts';

const ofTranspose = checker('transpose');
const ofConcat = checker('concat');
const ofSlice = checker('slice');
const ofExpand = checker('expand');
const ofTile = checker('tile');

type Numbers = readonly number[];

/** Throws `argument` unless `values` are `length` whole numbers ≥ `least`. */
export function expectIntegers(op: string, name: string, values: Numbers, length: number, least = -Infinity): void {
  if (Array.isArray(values) && values.length === length && values.every((v) => Number.isSafeInteger(v) && v >= least))
    return;
  const bound = least === -Infinity ? '' : ` ≥ ${least}`;
  throw new ConvletError('argument', `${op}: ${name} expects ${length} whole numbers${bound}, got [${String(values)}]`);
}

/** Input 0 in its own layout, the output in the same (they have the same rank). */
export const sameLayout = (inputs: readonly (Placed | null)[]): Layouts => {
  const { layout } = inputs[0] as Placed;
  return { inputs: inputs.map((t, i) => (i === 0 ? layout : (t?.layout ?? 'row'))), outputs: [layout] };
};

// --- transpose --------------------------------------------------------------------------------------------------

/** The layout in which the bytes of `x` already are its transpose, or null. */
function transposedLayout(x: Placed, perm: Numbers): Layout | null {
  const lie = memoryOrder(x.shape.length, x.layout).filter((axis) => x.shape[axis] !== 1);
  const fits = (layout: Layout): boolean => {
    const wanted = memoryOrder(perm.length, layout).map((i) => perm[i]);
    return wanted.filter((axis) => x.shape[axis] !== 1).join() === lie.join();
  };
  if (fits('row')) return 'row';
  return canBeChannelsLast(perm.length) && fits('channelsLast') ? 'channelsLast' : null;
}

export const transpose = defineOp({
  name: 'transpose',
  infer(inputs, { perm }) {
    const x = ofTranspose.required(inputs, 0, 'x');
    const rank = x.shape.length;
    expectIntegers('transpose', 'perm', perm, rank, 0);
    if (new Set(perm).size !== rank || perm.some((axis) => axis >= rank)) {
      throw new ConvletError('argument', `transpose: perm expects each of the axes 0…${rank - 1} once, got [${perm}]`);
    }
    return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]) }];
  },
  layouts([x], { perm }) {
    const input = x as Placed;
    const layout = transposedLayout(input, perm);
    return { inputs: [input.layout], outputs: [layout ?? 'row'], view: layout !== null };
  },
  forward(emit, inputs, outputs, { perm }) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    emit.call('copy', [x], [y], {
      dims: y.shape,
      inputOffset: 0,
      inputStrides: perm.map((axis) => x.strides[axis]),
      outputOffset: 0,
      outputStrides: y.strides,
    });
  },
  backward: (g) => [apply(g, 'transpose', [gradOf(g)], { perm: g.attrs.perm.map((_, i) => g.attrs.perm.indexOf(i)) })],
});

// --- concat -----------------------------------------------------------------------------------------------------

export const concat = defineOp({
  name: 'concat',
  infer(inputs, attrs) {
    const first = ofConcat.required(inputs, 0, 'x0');
    const axis = ofConcat.axis(attrs.axis, first.shape.length);
    let length = 0;
    inputs.forEach((_, i) => {
      const x = ofConcat.required(inputs, i, `x${i}`);
      ofConcat.dtype(`x${i}`, x, first.dtype);
      if (x.shape.length !== first.shape.length || x.shape.some((d, j) => j !== axis && d !== first.shape[j])) {
        throw new ConvletError(
          'shape',
          `concat: x${i} expects the shape of x0 ${shapeText(first.shape)} except along axis ${axis}, got ${shapeText(x.shape)}`,
        );
      }
      length += x.shape[axis];
    });
    return [{ dtype: first.dtype, shape: first.shape.map((d, j) => (j === axis ? length : d)) }];
  },
  layouts(inputs) {
    // The layout of most of the elements; inputs of the other layout are converted.
    const votes = { row: 0, channelsLast: 0 };
    for (const x of inputs as Placed[]) votes[x.layout] += elementCount(x.shape);
    const layout = votes.channelsLast > 0 && votes.channelsLast >= votes.row ? 'channelsLast' : 'row';
    return { inputs: inputs.map(() => layout), outputs: [layout] };
  },
  forward(emit, inputs, outputs, attrs) {
    const [y] = outputs;
    const axis = ofConcat.axis(attrs.axis, y.rank);
    let at = 0;
    for (const x of inputs as Tensor[]) {
      if (x.size > 0) copyInto(emit, x, y, { outputOffset: at * y.strides[axis] });
      at += x.shape[axis];
    }
  },
  backward(g) {
    const gy = gradOf(g);
    const axis = ofConcat.axis(g.attrs.axis, gy.shape.length);
    let at = 0;
    return g.inputs.map((_, i) => {
      const { shape } = inputOf(g, i);
      const starts = shape.map((_, j) => (j === axis ? at : 0));
      at += shape[axis];
      return g.wants[i] ? apply(g, 'slice', [gy], { starts, steps: shape.map(() => 1), sizes: shape }) : null;
    });
  },
});

/** Copies all of `x` (or a box of `dims` from `inputOffset` with `inputStrides`) into `y` at `outputOffset`. */
function copyInto(
  emit: Emitter,
  x: Tensor,
  y: Tensor,
  box: { dims?: Numbers; inputOffset?: number; inputStrides?: Numbers; outputOffset?: number; outputStrides?: Numbers },
): void {
  emit.call('copy', [x], [y], {
    dims: inMemoryOrder(box.dims ?? x.shape, y.layout),
    inputOffset: box.inputOffset ?? 0,
    inputStrides: inMemoryOrder(box.inputStrides ?? x.strides, y.layout),
    outputOffset: box.outputOffset ?? 0,
    outputStrides: inMemoryOrder(box.outputStrides ?? y.strides, y.layout),
  });
}

// --- slice ------------------------------------------------------------------------------------------------------

export const slice = defineOp({
  name: 'slice',
  infer(inputs, { starts, steps, sizes }) {
    const x = ofSlice.required(inputs, 0, 'x');
    expectIntegers('slice', 'starts', starts, x.shape.length, 0);
    expectIntegers('slice', 'steps', steps, x.shape.length);
    expectIntegers('slice', 'sizes', sizes, x.shape.length, 0);
    x.shape.forEach((d, axis) => {
      const last = starts[axis] + (sizes[axis] - 1) * steps[axis];
      if (sizes[axis] > 0 && (starts[axis] >= d || last < 0 || last >= d)) {
        throw new ConvletError(
          'index-range',
          `slice: elements ${starts[axis]}…${last} of axis ${axis} lie outside 0…${d - 1} (shape ${shapeText(x.shape)})`,
        );
      }
    });
    return [{ dtype: x.dtype, shape: sizes }];
  },
  layouts: sameLayout,
  forward(emit, inputs, outputs, { starts, steps }) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    if (y.size === 0) return;
    const inputOffset = x.strides.reduce((sum, stride, axis) => sum + stride * starts[axis], 0);
    copyInto(emit, x, y, { dims: y.shape, inputOffset, inputStrides: x.strides.map((s, axis) => s * steps[axis]) });
  },
  backward(g) {
    const { starts, steps } = g.attrs;
    return [apply(g, 'sliceGrad', [gradOf(g)], { starts, steps, shape: inputOf(g).shape })];
  },
});

// --- expand, tile -----------------------------------------------------------------------------------------------

export const expand = defineOp({
  name: 'expand',
  infer(inputs, attrs) {
    const x = ofExpand.required(inputs, 0, 'x');
    const shape = checkShape('expand', attrs.shape);
    const out = ofExpand.broadcast(x.shape, shape);
    if (out.length !== shape.length || out.some((d, i) => d !== shape[i])) {
      throw new ConvletError(
        'shape',
        `expand: x of shape ${shapeText(x.shape)} does not broadcast to ${shapeText(shape)}`,
      );
    }
    return [{ dtype: x.dtype, shape }];
  },
  layouts(inputs, _, outputs) {
    const x = inputs[0] as Placed;
    const layout = x.shape.length === outputs[0].shape.length ? x.layout : 'row';
    return { inputs: [x.layout], outputs: [layout] };
  },
  forward(emit, inputs, outputs) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    if (y.size > 0) copyInto(emit, x, y, { dims: y.shape, inputStrides: broadcastStrides(x, y.rank) });
  },
  backward: (g) => [sumTo(g, gradOf(g), inputOf(g).shape)],
});

export const tile = defineOp({
  name: 'tile',
  infer(inputs, { repeats }) {
    const x = ofTile.required(inputs, 0, 'x');
    expectIntegers('tile', 'repeats', repeats, x.shape.length, 0);
    return [
      {
        dtype: x.dtype,
        shape: checkShape(
          'tile',
          x.shape.map((d, axis) => d * repeats[axis]),
        ),
      },
    ];
  },
  layouts: sameLayout,
  forward(emit, inputs, outputs, { repeats }) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    if (y.size === 0) return;
    const order = memoryOrder(x.rank, x.layout);
    emit.call('copy', [x], [y], {
      dims: order.flatMap((axis) => [repeats[axis], x.shape[axis]]),
      inputOffset: 0,
      inputStrides: order.flatMap((axis) => [0, x.strides[axis]]),
      outputOffset: 0,
      outputStrides: order.flatMap((axis) => [y.strides[axis] * x.shape[axis], y.strides[axis]]),
    });
  },
  backward(g) {
    const { shape } = inputOf(g);
    const copies = shape.flatMap((d, axis) => [g.attrs.repeats[axis], d]);
    const axes = shape.map((_, axis) => 2 * axis);
    return [apply(g, 'reduceSum', [reshapeTo(g, gradOf(g), copies)], { axes, keepDims: false })];
  },
});
