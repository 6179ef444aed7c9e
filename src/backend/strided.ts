/** Iteration over strided memory that copy, binary and where share. */

export interface Strided {
  readonly dims: number[];
  /** One array of strides per operand. */
  readonly strides: number[][];
}

/** The same iteration without axes of size 1, and with adjacent axes merged if one stride covers both for every operand. */
export function coalesce(dims: readonly number[], strides: readonly (readonly number[])[]): Strided {
  const outDims: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  for (let axis = 0; axis < dims.length; axis++) {
    if (dims[axis] === 1) continue;
    const last = outDims.length - 1;
    if (last >= 0 && strides.every((s, i) => outStrides[i][last] === s[axis] * dims[axis])) {
      outDims[last] *= dims[axis];
      strides.forEach((s, i) => {
        outStrides[i][last] = s[axis];
      });
    } else {
      outDims.push(dims[axis]);
      strides.forEach((s, i) => {
        outStrides[i].push(s[axis]);
      });
    }
  }
  if (outDims.length === 0) {
    outDims.push(dims.includes(0) ? 0 : 1);
    for (const s of outStrides) s.push(0);
  }
  return { dims: outDims, strides: outStrides };
}

/**
 * Calls `row` once for each run along the last axis, with the offset of every operand at its start (`offsets` has one entry per
 * operand, and is changed in place).
 */
export function forEachRow({ dims, strides }: Strided, offsets: number[], row: (offsets: number[]) => void): void {
  if (dims.includes(0)) return;
  const outer = dims.length - 1;
  const index = new Array<number>(outer).fill(0);
  for (;;) {
    row(offsets);
    let axis = outer - 1;
    for (; axis >= 0; axis--) {
      const again = ++index[axis] < dims[axis];
      for (let i = 0; i < offsets.length; i++) {
        offsets[i] += again ? strides[i][axis] : -strides[i][axis] * (dims[axis] - 1);
      }
      if (again) break;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/**
 * For results that are contiguous in the order of `dims`: calls `row` for each run of `length` elements, with the index of
 * its first element in the result, and every operand's offset at that element and step from element to element.
 */
export function forEachOutputRow(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  row: (at: number, length: number, offsets: number[], steps: number[]) => void,
): void {
  const rows = coalesce(dims, strides);
  const length = rows.dims[rows.dims.length - 1];
  const steps = rows.strides.map((s) => s[s.length - 1]);
  const starts = strides.map(() => 0);
  let at = 0;
  forEachRow(rows, starts, (offsets) => {
    row(at, length, offsets, steps);
    at += length;
  });
}
