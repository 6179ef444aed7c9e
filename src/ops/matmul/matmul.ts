import { matmulInputs } from '../../backend/prims/matmul.ts';
import { dtypes } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { elementCount, rowStrides } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { apply, expectNoActivation, gradOf, inputOf, reshapeTo, sumTo } from '../core/gradient.ts';
import { defineOp, type GradContext, rowLayouts, type TensorInfo } from '../core/op.ts';
import type { MatmulOpAttrs } from './attrs.ts';

const check = checker('matmul');

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aBatch: readonly number[];
  readonly bBatch: readonly number[];
  readonly batch: readonly number[];
  readonly shape: readonly number[];
}

/** NumPy's rule: a vector is a row on the left and a column on the right, and that axis is dropped from the result. */
function sizesOf(a: readonly number[], b: readonly number[], attrs: MatmulOpAttrs): Sizes {
  if (a.length === 0 || b.length === 0) {
    throw new ConvletError(
      'shape',
      `matmul: expects operands of rank 1 or more, got ${shapeText(a)} and ${shapeText(b)}`,
    );
  }
  const aMatrix = a.length === 1 ? [1, a[0]] : a;
  const bMatrix = b.length === 1 ? [b[0], 1] : b;
  const [m, k] = ends(aMatrix, attrs.transposeA && a.length > 1);
  const [bk, n] = ends(bMatrix, attrs.transposeB && b.length > 1);
  if (k !== bk) {
    throw new ConvletError(
      'shape',
      `matmul: b expects ${k} rows as a has columns, got ${bk} (shapes ${shapeText(a)} and ${shapeText(b)})`,
    );
  }
  const aBatch = aMatrix.slice(0, -2);
  const bBatch = bMatrix.slice(0, -2);
  const batch = check.broadcast(aBatch, bBatch);
  return {
    m,
    n,
    k,
    aBatch,
    bBatch,
    batch,
    shape: [...batch, ...(a.length > 1 ? [m] : []), ...(b.length > 1 ? [n] : [])],
  };
}

function ends(shape: readonly number[], transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}

/** The offset of each batch's matrix, for an operand whose batch axes `own` are broadcast to `batch`. */
function batchOffsets(own: readonly number[], batch: readonly number[], matrixSize: number): number[] {
  const strides = rowStrides(own);
  const missing = batch.length - own.length;
  let offsets = [0];
  batch.forEach((d, axis) => {
    const stride = axis < missing || own[axis - missing] === 1 ? 0 : strides[axis - missing] * matrixSize;
    offsets = offsets.flatMap((offset) => Array.from({ length: d }, (_, i) => offset + i * stride));
  });
  return offsets;
}

/**
 * A and B are the matrices that are multiplied (already transposed, vectors as matrices). The gradients are gy·Bᵀ and Aᵀ·gy, in
 * the order in which the operands are stored.
 */
function backward(g: GradContext<MatmulOpAttrs>): (TensorInfo | null)[] {
  expectNoActivation('matmul', g.attrs.activation);
  const [a, b] = [inputOf(g, 0), inputOf(g, 1)];
  const { m, n, k, batch } = sizesOf(a.shape, b.shape, g.attrs);
  const transposeA = g.attrs.transposeA && a.shape.length > 1;
  const transposeB = g.attrs.transposeB && b.shape.length > 1;
  const matrixA = a.shape.length === 1 ? reshapeTo(g, a, [1, k]) : a;
  const matrixB = b.shape.length === 1 ? reshapeTo(g, b, [k, 1]) : b;
  const gy = reshapeTo(g, gradOf(g), [...batch, m, n]);
  const product = (x: TensorInfo, z: TensorInfo, xTransposed: boolean, zTransposed: boolean): TensorInfo =>
    apply(g, 'matmul', [x, z, null], {
      transposeA: xTransposed,
      transposeB: zTransposed,
      alpha: g.attrs.alpha,
      activation: null,
    });
  const byA = (): TensorInfo => {
    const ga = transposeA ? product(matrixB, gy, transposeB, true) : product(gy, matrixB, false, !transposeB);
    return reshapeTo(g, sumTo(g, ga, matrixA.shape), a.shape);
  };
  const byB = (): TensorInfo => {
    // If all matrices of a have the same B, the gradient of B is one long product instead of a sum of many.
    const long = matrixB.shape.length === 2 && !transposeA && matrixA.shape.length > 2;
    const rows = elementCount(matrixA.shape.slice(0, -1));
    const left = long ? reshapeTo(g, matrixA, [rows, k]) : matrixA;
    const right = long ? reshapeTo(g, gy, [rows, n]) : gy;
    const gb = transposeB ? product(right, left, true, transposeA) : product(left, right, !transposeA, false);
    return reshapeTo(g, sumTo(g, gb, matrixB.shape), b.shape);
  };
  return [
    g.wants[0] ? byA() : null,
    g.wants[1] ? byB() : null,
    g.wants[2] ? sumTo(g, reshapeTo(g, gradOf(g), [...batch, m, n]), [n]) : null,
  ];
}

export const matmul = defineOp({
  name: 'matmul',
  infer(inputs, attrs) {
    const [a, b] = [check.required(inputs, 0, 'a'), check.required(inputs, 1, 'b')];
    if (dtypes[a.dtype].kind === 'bool') throw new ConvletError('dtype', 'matmul: a expects numbers, got bool');
    check.dtype('b', b, a.dtype);
    const { n, shape } = sizesOf(a.shape, b.shape, attrs);
    const bias = inputs[matmulInputs.bias];
    if (bias) {
      check.dtype('bias', bias, a.dtype);
      if (bias.shape.length !== 1 || bias.shape[0] !== n) {
        throw new ConvletError('shape', `matmul: bias expects shape [${n}], got ${shapeText(bias.shape)}`);
      }
    }
    return [{ dtype: a.dtype, shape }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [a, b] = inputs as Tensor[];
    const sizes = sizesOf(a.shape, b.shape, attrs);
    const { n, k, aBatch, bBatch, batch } = sizes;
    const aTransposed = attrs.transposeA && a.rank > 1;
    const bTransposed = attrs.transposeB && b.rank > 1;
    // If all matrices of a have the same B, their rows are contiguous, so it is one product of all rows.
    const together = elementCount(bBatch) === 1 && !aTransposed && elementCount(aBatch) === elementCount(batch);
    const m = together ? sizes.m * elementCount(batch) : sizes.m;
    emit.call('matmul', [a, b, inputs[matmulInputs.bias] ?? null, null], outputs, {
      aOffsets: together ? [0] : batchOffsets(aBatch, batch, sizes.m * k),
      bOffsets: together ? [0] : batchOffsets(bBatch, batch, k * n),
      m,
      n,
      k,
      aRow: aTransposed ? 1 : k,
      aColumn: aTransposed ? m : 1,
      bRow: bTransposed ? 1 : n,
      bColumn: bTransposed ? k : 1,
      alpha: attrs.alpha,
      activation: attrs.activation,
    });
  },
  backward,
  macs: (inputs, outputs, attrs) => {
    const [a, b] = [check.required(inputs, 0, 'a'), check.required(inputs, 1, 'b')];
    return elementCount(outputs[0].shape) * sizesOf(a.shape, b.shape, attrs).k;
  },
});
