// Products of integers minus their zero points. They are computed in double precision, in which sums are exact up to 2^53,
// and clamped to int32.

import { dtypes } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { broadcastShape, expectShape, required } from '../check.ts';
import { conv, convShape } from '../conv/conv.ts';
import { channelsLastLayouts, defineOp, type Emitter, type OpDef, rowLayouts, type TensorInfo } from '../core/op.ts';
import { broadcastStrides, inMemoryOrder } from '../elementwise/binary.ts';
import { matmul } from '../matmul/matmul.ts';

type Operand = Tensor | null | undefined;

/** Checks operands 0 and 1, whose zero points are inputs 2 and 3. Returns their infos as doubles. */
function operands(op: string, inputs: readonly (TensorInfo | null)[], names: readonly string[]): TensorInfo[] {
  return names.map((name, i) => {
    const operand = required(op, inputs, i, name);
    const zeroPoint = inputs[i + 2];
    for (const input of [operand, zeroPoint]) {
      if (!input || dtypes[input.dtype].kind === 'int') continue;
      throw new ConvletError('dtype', `${op}: ${name} and its zero point expect whole numbers, got ${input.dtype}`);
    }
    const { shape } = operand;
    if (zeroPoint && shapeText(broadcastShape(op, shape, zeroPoint.shape)) !== shapeText(shape)) {
      throw new ConvletError(
        'shape',
        `${op}: the zero point of ${name} expects a shape that broadcasts to ${shapeText(shape)}, got ${shapeText(zeroPoint.shape)}`,
      );
    }
    return { dtype: 'float64', shape };
  });
}

/** The elements minus their zero point, as doubles. Those of constants are computed at once, so that a backend can pack them. */
function centred(emit: Emitter, t: Tensor, zeroPoint: Operand): Tensor {
  const strides = zeroPoint ? broadcastStrides(zeroPoint, t.rank) : [];
  if (t.constant && (!zeroPoint || zeroPoint.constant)) {
    const zeroAt = (i: number): number => {
      let at = 0;
      for (let axis = t.rank - 1, rest = i; axis >= 0; rest = Math.floor(rest / t.shape[axis--])) {
        at += (rest % t.shape[axis]) * strides[axis];
      }
      return zeroPoint!.array[at];
    };
    return emit.constant(
      Float64Array.from(t.array, (v, i) => (zeroPoint ? v - zeroAt(i) : v)),
      t.shape,
    );
  }
  const asDoubles = (from: Tensor): Tensor => {
    const wide = emit.temp('float64', from.shape, from.layout);
    emit.call('cast', [from], [wide], { length: from.size, from: from.dtype, to: 'float64' });
    return wide;
  };
  const wide = asDoubles(t);
  if (!zeroPoint) return wide;
  const y = emit.temp('float64', t.shape, t.layout);
  emit.call('binary', [wide, asDoubles(zeroPoint)], [y], {
    kind: 'sub',
    dims: inMemoryOrder(t.shape, t.layout),
    aStrides: inMemoryOrder(t.strides, t.layout),
    bStrides: inMemoryOrder(strides, t.layout),
    activation: null,
  });
  return y;
}

/** `forward` of an integer op, by the same op of doubles. */
function inDoubles<A>(op: OpDef<A>, attrs: A): OpDef['forward'] {
  return (emit, [a, b, aZeroPoint, bZeroPoint, bias], [y]) => {
    const wide = emit.temp('float64', y.shape, y.layout);
    const inputs = [
      centred(emit, a!, aZeroPoint),
      centred(emit, b!, bZeroPoint),
      bias ? centred(emit, bias, null) : null,
    ];
    op.forward(emit, inputs, [wide], attrs);
    emit.call('cast', [wide], [y], { length: y.size, from: 'float64', to: 'int32' });
  };
}

/**
 * y = Σ (x − xZeroPoint)·(weight − weightZeroPoint) + bias, exactly, as int32 (larger sums are clamped). Inputs: x [N,C,…] and
 * weight [O,C/groups,k…] of any integer types, xZeroPoint? and weightZeroPoint? (each broadcasts against its operand), bias? [O].
 * Padding has the value of x's zero point. The formula is that of ONNX ConvInteger.
 */
export const convInteger = defineOp({
  name: 'convInteger',
  infer(inputs, attrs) {
    const [x, weight] = operands('convInteger', inputs, ['x', 'weight']);
    const shape = convShape('convInteger', x, weight, attrs);
    if (inputs[4]) expectShape('convInteger', 'bias', inputs[4], [shape[1]]);
    return [{ dtype: 'int32', shape }];
  },
  layouts: (inputs, _, outputs) => channelsLastLayouts(inputs, outputs),
  forward: (emit, inputs, outputs, attrs) =>
    inDoubles(conv, { ...attrs, activation: null })(emit, inputs, outputs, attrs),
  macs: (inputs, outputs, attrs) => conv.macs!(inputs, outputs, { ...attrs, activation: null }),
});

const plain = { transposeA: false, transposeB: false, alpha: 1, activation: null };

/**
 * y = (a − aZeroPoint) × (b − bZeroPoint), exactly, as int32 (larger sums are clamped). Inputs: a and b as matmul's, of any integer
 * types, aZeroPoint? and bZeroPoint?, each of which broadcasts against its operand. The formula is that of ONNX MatMulInteger.
 */
export const matmulInteger = defineOp({
  name: 'matmulInteger',
  infer(inputs) {
    const [{ shape }] = matmul.infer(operands('matmulInteger', inputs, ['a', 'b']), plain);
    return [{ dtype: 'int32', shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward: inDoubles(matmul, plain),
  macs: (inputs, outputs) => matmul.macs!(inputs, outputs, plain),
});
