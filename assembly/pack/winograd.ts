/**
 * Weights of Winograd's convolution, U = G w Gᵀ for every pair of channels, as matrices [n][panels][channels][8] with n = (size + 2)²,
 * zero-padded to whole panels. Computed in f64 and rounded once. G for F(4,3), a = √½, b = √2 (points as in conv/winograd-input.ts):
 *    1     0     0
 *  −2/3 −2a/3  −1/3
 *  −2/3  2a/3  −1/3
 *   1/6   b/6   1/3
 *   1/6  −b/6   1/3
 *    0     0     1
 * and for F(2,3): 1 0 0, ½ ½ ½, ½ −½ ½, 0 0 1.
 */
@unmanaged
export class PackWinogradDesc {
  /** The tap that becomes the filter's first. */
  weight: usize;
  to: usize;
  size: i32;
  columns: i32;
  channels: i32;
  /** Distance of columns, of channels, of taps: [columns][channels][3][3] is one possible order; tapStride is negative for a flipped filter. */
  columnStride: u32;
  channelStride: u32;
  tapStride: i32;
  /** Bytes from one matrix to the next. */
  matrixBytes: u32;
}

/** One element of two filters as f64. */
// @ts-ignore: decorator
@inline
function pair(p: usize, q: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_lane(q, v128.load32_zero(p), 1));
}

/** Element `i` (1..size) of G·(x, y, z); `i` and `size` are constants at every call. */
// @ts-ignore: decorator
@inline
function g(size: i32, i: i32, x: v128, y: v128, z: v128): v128 {
  if (size == 2) {
    const even = f64x2.add(x, z);
    return f64x2.mul(i == 1 ? f64x2.add(even, y) : f64x2.sub(even, y), f64x2.splat(0.5));
  }
  if (i < 3) {
    const even = f64x2.add(f64x2.mul(x, f64x2.splat(-2.0 / 3.0)), f64x2.mul(z, f64x2.splat(-1.0 / 3.0)));
    const odd = f64x2.mul(y, f64x2.splat(-0.47140452079103168));
    return i == 1 ? f64x2.add(even, odd) : f64x2.sub(even, odd);
  }
  const even = f64x2.add(f64x2.mul(x, f64x2.splat(1.0 / 6.0)), f64x2.mul(z, f64x2.splat(1.0 / 3.0)));
  const odd = f64x2.mul(y, f64x2.splat(0.23570226039551584));
  return i == 3 ? f64x2.add(even, odd) : f64x2.sub(even, odd);
}

// @ts-ignore: decorator
@inline
function put(to: usize, v: v128): void {
  v128.store64_lane(to, f32x4.demote_f64x2_zero(v), 0);
}

/** Stores row i of U. Returns the address of the next row. */
// @ts-ignore: decorator
@inline
function row(size: i32, to: usize, pitch: usize, x: v128, y: v128, z: v128): usize {
  put(to, x);
  to += pitch;
  put(to, g(size, 1, x, y, z));
  to += pitch;
  put(to, g(size, 2, x, y, z));
  to += pitch;
  if (size == 4) {
    put(to, g(size, 3, x, y, z));
    to += pitch;
    put(to, g(size, 4, x, y, z));
    to += pitch;
  }
  put(to, z);
  return to + pitch;
}

/** Transforms two filters at p and q into two adjacent columns. */
// @ts-ignore: decorator
@inline
function filters(size: i32, p: usize, q: usize, tap: usize, to: usize, pitch: usize): void {
  const w0 = pair(p, q);
  p += tap;
  q += tap;
  const w1 = pair(p, q);
  p += tap;
  q += tap;
  const w2 = pair(p, q);
  p += tap;
  q += tap;
  const w3 = pair(p, q);
  p += tap;
  q += tap;
  const w4 = pair(p, q);
  p += tap;
  q += tap;
  const w5 = pair(p, q);
  p += tap;
  q += tap;
  const w6 = pair(p, q);
  p += tap;
  q += tap;
  const w7 = pair(p, q);
  p += tap;
  q += tap;
  const w8 = pair(p, q);
  to = row(size, to, pitch, w0, w1, w2);
  to = row(size, to, pitch, g(size, 1, w0, w3, w6), g(size, 1, w1, w4, w7), g(size, 1, w2, w5, w8));
  to = row(size, to, pitch, g(size, 2, w0, w3, w6), g(size, 2, w1, w4, w7), g(size, 2, w2, w5, w8));
  if (size == 4) {
    to = row(size, to, pitch, g(size, 3, w0, w3, w6), g(size, 3, w1, w4, w7), g(size, 3, w2, w5, w8));
    to = row(size, to, pitch, g(size, 4, w0, w3, w6), g(size, 4, w1, w4, w7), g(size, 4, w2, w5, w8));
  }
  row(size, to, pitch, w6, w7, w8);
}

/** All channels of one panel. Its neighbour is read in place of a filter that does not exist, and clearColumns clears that column. */
// @ts-ignore: decorator
@inline
function packPanel(size: i32, d: PackWinogradDesc, from: usize, to: usize, columns: i32): void {
  const pitch = <usize>d.matrixBytes;
  const column = <usize>d.columnStride;
  const tap = <usize>d.tapStride;
  let channels = d.channels;
  do {
    let p = from;
    let q = to;
    let left = columns;
    do {
      filters(size, p, left > 1 ? p + column : p, tap, q, pitch);
      p += 2 * column;
      q += 8;
      left -= 2;
    } while (left > 0);
    from += d.channelStride;
    to += 32;
    channels--;
  } while (channels);
}

function packPanel4(d: PackWinogradDesc, from: usize, to: usize, columns: i32): void {
  packPanel(4, d, from, to, columns);
}

function packPanel2(d: PackWinogradDesc, from: usize, to: usize, columns: i32): void {
  packPanel(2, d, from, to, columns);
}

/** Zeros in the columns of a panel that do not exist. */
function clearColumns(d: PackWinogradDesc, to: usize, columns: i32): void {
  const matrices = (d.size + 2) * (d.size + 2);
  for (let m = 0; m < matrices; m++, to += d.matrixBytes) {
    for (let c = 0, at = to; c < d.channels; c++, at += 32) {
      for (let j = columns; j < 8; j++) store<f32>(at + (j << 2), 0);
    }
  }
}

/** Unit of work: one panel. F(4,3) takes 10 ns per pair of channels; page faults of memory that is used for the first time add to that. */
export function packWinograd(d: PackWinogradDesc, begin: i32, end: i32): void {
  const column = <usize>d.columnStride;
  for (let panel = begin; panel < end; panel++) {
    const columns = min(8, d.columns - (panel << 3));
    const from = d.weight + column * (panel << 3);
    const to = d.to + <usize>panel * (<usize>d.channels << 5);
    if (d.size == 4) packPanel4(d, from, to, columns);
    else packPanel2(d, from, to, columns);
    if (columns < 8) clearColumns(d, to, columns);
  }
}
