// Conversions of the element order: most engines store pictures as N, H, W, C.
/** Values of row-major `shape` with permuted axes: perm [0, 2, 3, 1] makes NHWC of NCHW. */
export function permute(data, shape, perm) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const dims = [...new Array(4 - perm.length).fill(1), ...perm.map((axis) => shape[axis])];
  const steps = [...new Array(4 - perm.length).fill(0), ...perm.map((axis) => strides[axis])];
  const out = new data.constructor(data.length);
  let at = 0;
  for (let a = 0; a < dims[0]; a++) {
    for (let b = 0; b < dims[1]; b++) {
      for (let c = 0; c < dims[2]; c++) {
        const base = a * steps[0] + b * steps[1] + c * steps[2];
        for (let d = 0; d < dims[3]; d++) out[at++] = data[base + d * steps[3]];
      }
    }
  }
  return out;
}

export const toChannelsLast = (data, shape) => (shape.length === 4 ? permute(data, shape, [0, 2, 3, 1]) : data);
/** `shape`: the row-major shape of the result. */
export function toRows(data, shape) {
  if (shape.length !== 4) return data;
  const [n, c, h, w] = shape;
  return permute(data, [n, h, w, c], [0, 3, 1, 2]);
}
/** NCHW → NHWC; other ranks are unchanged. */
export const channelsLastShape = (shape) =>
  shape.length === 4 ? [shape[0], shape[2], shape[3], shape[1]] : [...shape];
