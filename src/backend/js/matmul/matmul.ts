import type { TypedArray } from '../../../common/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import { type MatmulAttrs, matmulInputs } from '../../prims/matmul.ts';
import { activate } from '../elementwise/activation.ts';

/** Columns of B that are packed together, as [k][4] in doubles; a pair of rows of A reads them once. */
const columns = 4;

/**
 * Sums in double precision. With several rows, four columns of B at a time are packed, so that the inner loop reads
 * memory in order and updates eight accumulators per two loads of A; with few rows packing costs more than it saves.
 */
export const matmul: JsPrim<'matmul'> = (inputs, outputs, attrs) => {
  const [a, b] = inputs as Tensor[];
  const y = outputs[0].array;
  const { m, n } = attrs;
  const bias = inputs[matmulInputs.bias]?.array;
  const residual = inputs[matmulInputs.residual]?.array;
  const packed = m >= 4 ? new Float64Array(attrs.k * columns) : null;
  const sums = packed === null ? new Float64Array(n) : null;
  for (let batch = 0; batch < attrs.aOffsets.length; batch++) {
    const at = batch * m * n;
    const [aAt, bAt] = [attrs.aOffsets[batch], attrs.bOffsets[batch]];
    if (packed !== null) blocked(a.array, aAt, b.array, bAt, y, at, attrs, packed);
    else
      for (let i = 0; i < m; i++)
        oneRow(a.array, aAt + i * attrs.aRow, b.array, bAt, y, at + i * n, attrs, sums as Float64Array);
  }
  if (bias !== undefined) {
    for (let at = 0; at < y.length; at += n) for (let j = 0; j < n; j++) y[at + j] += bias[j];
  }
  if (residual !== undefined) for (let i = 0; i < y.length; i++) y[i] += residual[i];
  activate(outputs[0], attrs.activation);
};

function blocked(
  a: TypedArray,
  aAt: number,
  b: TypedArray,
  bAt: number,
  y: TypedArray,
  yAt: number,
  { m, n, k, aRow, aColumn, bRow, bColumn, alpha }: MatmulAttrs,
  panel: Float64Array,
): void {
  for (let j = 0; j < n; j += columns) {
    const width = Math.min(columns, n - j);
    if (width < columns) panel.fill(0);
    for (let p = 0, from = bAt + j * bColumn; p < k; p++, from += bRow) {
      for (let c = 0; c < width; c++) panel[p * columns + c] = b[from + c * bColumn];
    }
    for (let i = 0; i < m; i += 2) {
      const pair = i + 1 < m;
      let first = aAt + i * aRow;
      let second = pair ? first + aRow : first;
      let [s0, s1, s2, s3, t0, t1, t2, t3] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let at = 0; at < k * columns; at += columns, first += aColumn, second += aColumn) {
        const u = a[first];
        const v = a[second];
        const b0 = panel[at];
        const b1 = panel[at + 1];
        const b2 = panel[at + 2];
        const b3 = panel[at + 3];
        s0 += u * b0;
        s1 += u * b1;
        s2 += u * b2;
        s3 += u * b3;
        t0 += v * b0;
        t1 += v * b1;
        t2 += v * b2;
        t3 += v * b3;
      }
      store(y, yAt + i * n + j, width, alpha, s0, s1, s2, s3);
      if (pair) store(y, yAt + (i + 1) * n + j, width, alpha, t0, t1, t2, t3);
    }
  }
}

function store(
  y: TypedArray,
  at: number,
  width: number,
  alpha: number,
  a: number,
  b: number,
  c: number,
  d: number,
): void {
  y[at] = alpha * a;
  if (width > 1) y[at + 1] = alpha * b;
  if (width > 2) y[at + 2] = alpha * c;
  if (width > 3) y[at + 3] = alpha * d;
}

/** One row of A times B, reading B in the order of memory. */
function oneRow(
  a: TypedArray,
  aAt: number,
  b: TypedArray,
  bAt: number,
  y: TypedArray,
  yAt: number,
  { n, k, aColumn, bRow, bColumn, alpha }: MatmulAttrs,
  sums: Float64Array,
): void {
  if (bRow === 1) {
    for (let j = 0; j < n; j++) {
      const from = bAt + j * bColumn;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      let p = 0;
      for (; p + 3 < k; p += 4) {
        s0 += a[aAt + p * aColumn] * b[from + p];
        s1 += a[aAt + (p + 1) * aColumn] * b[from + p + 1];
        s2 += a[aAt + (p + 2) * aColumn] * b[from + p + 2];
        s3 += a[aAt + (p + 3) * aColumn] * b[from + p + 3];
      }
      for (; p < k; p++) s0 += a[aAt + p * aColumn] * b[from + p];
      y[yAt + j] = alpha * (s0 + s1 + (s2 + s3));
    }
    return;
  }
  sums.fill(0);
  for (let p = 0; p < k; p++) {
    const v = a[aAt + p * aColumn];
    for (let j = 0, from = bAt + p * bRow; j < n; j++, from += bColumn) sums[j] += v * b[from];
  }
  for (let j = 0; j < n; j++) y[yAt + j] = alpha * sums[j];
}
