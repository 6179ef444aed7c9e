// Products of whole numbers less their zero points. They are computed in double precision, in which sums are exact up to 2^53,
// and cut off at the ends of int32.

import { dtypes } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { broadcastShape, checker, required } from '../check.ts';
import { conv, convShape } from '../conv/conv.ts';
import { channelsLastLayouts, defineOp, type Emitter, rowLayouts, type TensorInfo } from '../core/op.ts';
import { broadcastStrides, inMemoryOrder } from '../elementwise/binary.ts';
import { matmul } from '../matmul/matmul.ts';

export const convIntegerInputs = { x: 0, weight: 1, xZeroPoint: 2, weightZeroPoint: 3, bias: 4 } as const;
export const matmulIntegerInputs = { a: 0, b: 1, aZeroPoint: 2, bZeroPoint: 3 } as const;

type Inputs = readonly (TensorInfo | null)[];

const checkConv = checker('convInteger');

function expectWholeNumbers(op: string, name: string, input: TensorInfo): TensorInfo {
  if (dtypes[input.dtype].kind === 'int') return input;
  throw new ConvletError('dtype', `${op}: ${name} expects whole numbers, got ${input.dtype}`);
}

/** The inputs named, which must be whole numbers; those that are absent are null. */
const wholeNumbers = (op: string, inputs: Inputs, names: { readonly [name: string]: number }): Inputs =>
  Object.entries(names).map(([name, i]) => {
    const input = i < 2 ? required(op, inputs, i, name) : (inputs[i] ?? null);
    return input && expectWholeNumbers(op, name, input);
  });

/** `zeroPoint` in double precision, as many axes as needed to broadcast against `t`: [n] runs along `axis`. */
function zeroPointOf(emit: Emitter, t: Tensor, zeroPoint: Tensor, axis: number): Tensor {
  const shape =
    zeroPoint.size === 1
      ? []
      : zeroPoint.rank > 1
        ? zeroPoint.shape
        : t.shape.map((_, i) => (i === axis ? zeroPoint.size : 1));
  const wide = asDoubles(emit, zeroPoint);
  return emit.alias(wide, shape, 'row');
}

function asDoubles(emit: Emitter, t: Tensor): Tensor {
  if (t.constant) return emit.constant(Float64Array.from(t.array), t.shape);
  const wide = emit.temp('float64', t.shape, t.layout);
  emit.call('cast', [t], [wide], { length: t.size, from: t.dtype, to: 'float64' });
  return wide;
}

/** The elements less their zero point, as doubles; of constants at once, so that a backend may pack them ahead. */
function centred(emit: Emitter, t: Tensor, zeroPoint: Tensor | null, axis: number): Tensor {
  if (zeroPoint === null) return asDoubles(emit, t);
  if (t.constant && zeroPoint.constant && zeroPoint.rank <= 1) {
    const [values, zeros] = [Float64Array.from(t.array), zeroPoint.array];
    const inner = product(t.shape.slice(axis + 1));
    for (let i = 0; i < values.length; i++) values[i] -= zeros[Math.floor(i / inner) % zeros.length];
    return emit.constant(values, t.shape);
  }
  const y = asDoubles(emit, t);
  const zeros = zeroPointOf(emit, t, zeroPoint, axis);
  const moved = emit.temp('float64', t.shape, t.layout);
  emit.call('binary', [y, zeros], [moved], {
    kind: 'sub',
    dims: inMemoryOrder(t.shape, t.layout),
    aStrides: inMemoryOrder(y.strides, t.layout),
    bStrides: inMemoryOrder(broadcastStrides(zeros, t.rank), t.layout),
    activation: null,
  });
  return moved;
}

/** y, from its values in double precision. */
function toInt32(emit: Emitter, y: Tensor, compute: (wide: Tensor) => void): void {
  const wide = emit.temp('float64', y.shape, y.layout);
  compute(wide);
  emit.call('cast', [wide], [y], { length: y.size, from: 'float64', to: 'int32' });
}

/**
 * y = Σ (x − xZeroPoint)·(weight − weightZeroPoint) + bias, exactly, as int32 (larger sums are cut off). Inputs: x [N,C,…] and weight
 * [O,C/groups,k…] of any integer types, xZeroPoint? (one value), weightZeroPoint? (one value or [O]), bias? [O]. The padding is
 * as the zero point of x. The formula is that of ONNX ConvInteger.
 */
export const convInteger = defineOp({
  name: 'convInteger',
  infer(inputs, attrs) {
    const [x, weight, xZeroPoint, weightZeroPoint, bias] = wholeNumbers('convInteger', inputs, convIntegerInputs);
    checkConv.rank('x', x!, 3, 4, 5);
    const shape = convShape('convInteger', x!, weight!, attrs);
    const one = (t: TensorInfo | null): boolean => t === null || product(t.shape) === 1;
    if (!one(xZeroPoint)) {
      throw new ConvletError(
        'shape',
        `convInteger: xZeroPoint expects one value, got shape ${shapeText(xZeroPoint!.shape)}`,
      );
    }
    if (!one(weightZeroPoint)) checkConv.shape('weightZeroPoint', weightZeroPoint!, [shape[1]]);
    if (bias) checkConv.shape('bias', bias, [shape[1]]);
    return [{ dtype: 'int32', shape }];
  },
  layouts: (inputs, _, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [x, weight, xZeroPoint = null, weightZeroPoint = null, bias = null] = inputs;
    const operands = [
      centred(emit, x!, xZeroPoint, 1),
      centred(emit, weight!, weightZeroPoint, 0),
      bias && asDoubles(emit, bias),
    ];
    toInt32(emit, outputs[0], (wide) =>
      conv.forward(emit, [...operands, null], [wide], { ...attrs, activation: null }),
    );
  },
  macs: (inputs, outputs, attrs) => conv.macs!(inputs, outputs, { ...attrs, activation: null }),
});

const plain = { transposeA: false, transposeB: false, alpha: 1, activation: null };

/**
 * y = (a − aZeroPoint) × (b − bZeroPoint), exactly, as int32 (larger sums are cut off). Inputs: a [… , M, K] and b [… , K, N] of any
 * integer types; aZeroPoint?: one value, [M], or what broadcasts against a; bZeroPoint?: one value, [N], or what broadcasts
 * against b. The formula is that of ONNX MatMulInteger.
 */
export const matmulInteger = defineOp({
  name: 'matmulInteger',
  infer(inputs) {
    const [a, b, aZeroPoint, bZeroPoint] = wholeNumbers('matmulInteger', inputs, matmulIntegerInputs);
    if (aZeroPoint) expectZeroPoint('aZeroPoint', aZeroPoint, a!.shape, a!.shape.length - 2);
    if (bZeroPoint) expectZeroPoint('bZeroPoint', bZeroPoint, b!.shape, b!.shape.length - 1);
    const [{ shape }] = matmul.infer(
      [{ dtype: 'float64', shape: a!.shape }, { dtype: 'float64', shape: b!.shape }, null],
      plain,
    );
    return [{ dtype: 'int32', shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs) {
    const [a, b, aZeroPoint = null, bZeroPoint = null] = inputs;
    const operands = [centred(emit, a!, aZeroPoint, a!.rank - 2), centred(emit, b!, bZeroPoint, b!.rank - 1), null];
    toInt32(emit, outputs[0], (wide) => matmul.forward(emit, operands, [wide], plain));
  },
  macs: (inputs, outputs) => matmul.macs!(inputs, outputs, plain),
});

function expectZeroPoint(name: string, zeroPoint: TensorInfo, shape: readonly number[], axis: number): void {
  const own = zeroPoint.shape;
  const along = product(own) === 1 || (own.length === 1 && own[0] === shape[axis]);
  if (along) return;
  const together = own.length > 1 ? broadcastShape('matmulInteger', shape, own) : [];
  if (together.length === shape.length && together.every((d, i) => d === shape[i])) return;
  throw new ConvletError(
    'shape',
    `matmulInteger: ${name} expects one value, [${shape[axis] ?? 1}] or a shape that broadcasts to ${shapeText(shape)}, got ${shapeText(own)}`,
  );
}
