import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';
import { fewCells, sumCells } from './sums';
import { areQuads, Pool, tapsBefore } from './window';

/** x [batch, inputD, inputH, inputW, channels] → y [batch, outputD, outputH, outputW, channels]; a work unit is one row of y. */
@unmanaged
export class PoolDesc {
  x: usize;
  y: usize;
  kind: i32;
  channels: i32;
  inputD: i32;
  inputH: i32;
  inputW: i32;
  outputD: i32;
  outputH: i32;
  outputW: i32;
  kernelD: i32;
  kernelH: i32;
  kernelW: i32;
  strideD: i32;
  strideH: i32;
  strideW: i32;
  dilationD: i32;
  dilationH: i32;
  dilationW: i32;
  padD: i32;
  padH: i32;
  padW: i32;
  /** Average: taps before this position count. It is the input's extent, or that and the padding after it. */
  endD: i32;
  endH: i32;
  endW: i32;
  /** Average: 1 if taps in the padding before the input count. */
  countPad: i32;
  /** Average: the divisor; 0 stands for the number of taps that count. */
  divisor: f32;
  /** 1: windows [⌊o·i/out⌋, ⌈(o+1)·i/out⌉) instead of kernel, stride and padding. */
  adaptive: i32;
}

export function pool(d: PoolDesc, begin: i32, end: i32): void {
  const channels = d.channels;
  // 3×3 windows of stride 1 or 2 along W, each with at least one column inside the input.
  const square =
    !d.adaptive && d.kernelH == 3 && d.kernelW == 3 && d.dilationH == 1 && d.dilationW == 1 && d.strideW <= 2 &&
    d.padW <= 2 && (d.outputW - 1) * d.strideW - d.padW < d.inputW;
  const quad =
    !d.adaptive && areQuads(d.kernelH, d.kernelW, d.strideW, d.dilationH, d.dilationW, d.padW, d.outputW, d.inputW);
  for (let row = begin; row < end; row++) {
    const plane = row / d.outputH;
    const oh = row - plane * d.outputH;
    const n = plane / d.outputD;
    const od = plane - n * d.outputD;
    let d0: i32, h0: i32, dSkip: i32, hSkip: i32, dTaps: i32, hTaps: i32;
    let counted = 1;
    if (d.adaptive) {
      d0 = (od * d.inputD) / d.outputD;
      h0 = (oh * d.inputH) / d.outputH;
      dSkip = hSkip = 0;
      dTaps = ((od + 1) * d.inputD + d.outputD - 1) / d.outputD - d0;
      hTaps = ((oh + 1) * d.inputH + d.outputH - 1) / d.outputH - h0;
      counted = dTaps * hTaps;
    } else {
      d0 = od * d.strideD - d.padD;
      h0 = oh * d.strideH - d.padH;
      dSkip = tapsBefore(0, d0, d.dilationD, d.kernelD);
      hSkip = tapsBefore(0, h0, d.dilationH, d.kernelH);
      dTaps = tapsBefore(d.inputD, d0, d.dilationD, d.kernelD) - dSkip;
      hTaps = tapsBefore(d.inputH, h0, d.dilationH, d.kernelH) - hSkip;
      counted = tapsBefore(d.endD, d0, d.dilationD, d.kernelD) - (d.countPad ? 0 : dSkip);
      counted *= tapsBefore(d.endH, h0, d.dilationH, d.kernelH) - (d.countPad ? 0 : hSkip);
    }
    const first = ((n * d.inputD + d0 + dSkip * d.dilationD) * d.inputH + h0 + hSkip * d.dilationH) * d.inputW;
    const x = d.x + (<usize>(first * channels) << 2);
    const y = d.y + (<usize>(row * d.outputW * channels) << 2);
    if (d.kind == Pool.max) {
      // First without a test for NaN. If the sum of the elements read is NaN, there may be one (or ∞ − ∞): the row is computed again.
      let sum: v128;
      if (square && dTaps == 1 && hTaps > 0) {
        const line = <usize>(d.inputW * channels) << 2;
        const second: usize = hTaps > 1 ? line : 0;
        const third: usize = hTaps > 2 ? line + line : second;
        sum = d.strideW == 1 ? pairs1(d, x, second, third, y) : pairs2(d, x, second, third, y);
      } else if (quad && dTaps == 1 && hTaps == 2) {
        sum = quads(d, x, y);
      } else {
        sum = outputs(Pool.max, true, d, x, y, dTaps, hTaps, counted);
      }
      if (v128.any_true(f32x4.ne(sum, sum))) outputsOfAny(d, x, y, dTaps, hTaps, counted);
    } else if (d.kind == Pool.average) {
      outputs(Pool.average, true, d, x, y, dTaps, hTaps, counted);
    } else {
      outputsOfAny(d, x, y, dTaps, hTaps, counted);
    }
  }
}

/** Computes a row of y. `x`: the first input row of its windows. Lanes of the result are NaN if max may have lost a NaN. */
// @ts-ignore: decorator
@inline
function outputs(kind: i32, quick: bool, d: PoolDesc, x: usize, y: usize, dTaps: i32, hTaps: i32, counted: i32): v128 {
  const channels = d.channels;
  const stepW = <usize>(channels * d.dilationW) << 2;
  const stepH = <usize>(channels * d.dilationH * d.inputW) << 2;
  const stepD = <usize>(channels * d.dilationD * d.inputW * d.inputH) << 2;
  let sum = f32x4.splat(0);
  for (let ow = 0; ow < d.outputW; ow++) {
    let w0: i32, wSkip: i32, wTaps: i32, wCounted: i32;
    if (d.adaptive) {
      w0 = (ow * d.inputW) / d.outputW;
      wSkip = 0;
      wTaps = wCounted = ((ow + 1) * d.inputW + d.outputW - 1) / d.outputW - w0;
    } else {
      w0 = ow * d.strideW - d.padW;
      wSkip = tapsBefore(0, w0, d.dilationW, d.kernelW);
      wTaps = tapsBefore(d.inputW, w0, d.dilationW, d.kernelW) - wSkip;
      wCounted = tapsBefore(d.endW, w0, d.dilationW, d.kernelW) - (d.countPad ? 0 : wSkip);
    }
    const from = x + (<usize>((w0 + wSkip * d.dilationW) * channels) << 2);
    // A window without cells gives 0.
    const divisor = d.divisor == 0 ? <f32>max(counted * wCounted, 1) : d.divisor;
    if (kind != Pool.max && dTaps * hTaps * wTaps > fewCells) {
      sumCells(kind, from, y, channels, dTaps, hTaps, wTaps, stepD, stepH, stepW, divisor);
    } else {
      sum = f32x4.add(sum, pixel(kind, quick, from, y, channels, dTaps, hTaps, wTaps, stepD, stepH, stepW, divisor));
    }
    y += <usize>channels << 2;
  }
  return sum;
}

/** One loop for Lp pools and for maxima of rows that may contain a NaN. */
function outputsOfAny(d: PoolDesc, x: usize, y: usize, dTaps: i32, hTaps: i32, counted: i32): void {
  outputs(d.kind, false, d, x, y, dTaps, hTaps, counted);
}

/**
 * The maxima of a row of 3×3 windows, two at a time: the columns that they share are loaded once. A row or column outside
 * the input is replaced by its neighbour, which does not change a maximum. `second` and `third`: distances to the other rows.
 * With each window computed separately and a test for NaN at every tap, 64 channels 112 → 56 took 0.15 ms.
 */
// @ts-ignore: decorator
@inline
function pairs(stride: i32, d: PoolDesc, x: usize, second: usize, third: usize, y: usize): v128 {
  const bytes = <usize>d.channels << 2;
  const last = d.inputW - 1;
  let sum = f32x4.splat(0);
  for (let ow = 0; ow < d.outputW; ow += 2) {
    const w = ow * stride - d.padW;
    let p0 = x + bytes * max(w, 0);
    let p1 = x + bytes * min(max(w + 1, 0), last);
    let p2 = x + bytes * min(w + 2, last);
    let p3 = x + bytes * min(w + 3, last);
    let p4 = x + bytes * min(w + 4, last);
    const two = ow + 1 < d.outputW;
    let n = d.channels;
    do {
      const u0 = v128.load(p0), v0 = v128.load(p0 + second), w0 = v128.load(p0 + third);
      const u1 = v128.load(p1), v1 = v128.load(p1 + second), w1 = v128.load(p1 + third);
      const u2 = v128.load(p2), v2 = v128.load(p2 + second), w2 = v128.load(p2 + third);
      const u3 = v128.load(p3), v3 = v128.load(p3 + second), w3 = v128.load(p3 + third);
      const m0 = f32x4.pmax(f32x4.pmax(u0, v0), w0);
      const m1 = f32x4.pmax(f32x4.pmax(u1, v1), w1);
      const m2 = f32x4.pmax(f32x4.pmax(u2, v2), w2);
      const m3 = f32x4.pmax(f32x4.pmax(u3, v3), w3);
      let s = f32x4.add(f32x4.add(f32x4.add(u0, v0), w0), f32x4.add(f32x4.add(u1, v1), w1));
      s = f32x4.add(s, f32x4.add(f32x4.add(f32x4.add(u2, v2), w2), f32x4.add(f32x4.add(u3, v3), w3)));
      storeFirst(y, f32x4.pmax(f32x4.pmax(m0, m1), m2), n);
      if (stride == 1) {
        if (two) storeFirst(y + bytes, f32x4.pmax(f32x4.pmax(m1, m2), m3), n);
      } else {
        const u4 = v128.load(p4), v4 = v128.load(p4 + second), w4 = v128.load(p4 + third);
        const m4 = f32x4.pmax(f32x4.pmax(u4, v4), w4);
        s = f32x4.add(s, f32x4.add(f32x4.add(u4, v4), w4));
        if (two) storeFirst(y + bytes, f32x4.pmax(f32x4.pmax(m2, m3), m4), n);
        p4 += 16;
      }
      // Lanes after the last channel hold values of the next pixel or of unused memory: a NaN there costs a second pass, no more.
      sum = f32x4.add(sum, s);
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
      y += 16;
      n -= 4;
    } while (n > 0);
    y += <usize>(n << 2);
    y += bytes;
  }
  return sum;
}

function pairs1(d: PoolDesc, x: usize, second: usize, third: usize, y: usize): v128 {
  return pairs(1, d, x, second, third, y);
}

function pairs2(d: PoolDesc, x: usize, second: usize, third: usize, y: usize): v128 {
  return pairs(2, d, x, second, third, y);
}

/** The maxima of a row of adjacent 2×2 windows. With loops over taps, 6 channels 28 → 14, batch 64, took 0.14 ms. */
function quads(d: PoolDesc, x: usize, y: usize): v128 {
  const bytes = <usize>d.channels << 2;
  const line = bytes * d.inputW;
  let sum = f32x4.splat(0);
  for (let ow = d.outputW; ow > 0; ow--) {
    let n = d.channels;
    do {
      const u0 = v128.load(x), u1 = v128.load(x + bytes);
      const v0 = v128.load(x + line), v1 = v128.load(x + line + bytes);
      storeFirst(y, f32x4.pmax(f32x4.pmax(u0, u1), f32x4.pmax(v0, v1)), n);
      sum = f32x4.add(sum, f32x4.add(f32x4.add(u0, u1), f32x4.add(v0, v1)));
      x += 16;
      y += 16;
      n -= 4;
    } while (n > 0);
    x += bytes + <usize>(n << 2);
    y += <usize>(n << 2);
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function initial(kind: i32): v128 {
  return f32x4.splat(kind == Pool.max ? -Infinity : 0);
}

// @ts-ignore: decorator
@inline
function accumulate(kind: i32, acc: v128, v: v128): v128 {
  if (kind == Pool.max) return f32x4.pmax(acc, v);
  if (kind == Pool.average) return f32x4.add(acc, v);
  return kind == Pool.lp1 ? f32x4.add(acc, f32x4.abs(v)) : fma(v, v, acc);
}

/**
 * pmax loses a NaN in its second operand, hence the mask `nan`: three instructions instead of the eight of f32x4.max on x64. If
 * `quick`, `nan` is a sum of all elements instead, which is NaN too, and the caller tests it.
 */
// @ts-ignore: decorator
@inline
function finish(kind: i32, quick: bool, acc: v128, nan: v128, divisor: v128): v128 {
  if (kind == Pool.max) return quick ? acc : v128.or(acc, nan);
  if (kind == Pool.average) return f32x4.div(acc, divisor);
  return kind == Pool.lp1 ? acc : f32x4.sqrt(acc);
}

// @ts-ignore: decorator
@inline
function unordered(kind: i32, quick: bool, nan: v128, v: v128): v128 {
  if (kind != Pool.max) return nan;
  return quick ? f32x4.add(nan, v) : v128.or(nan, f32x4.ne(v, v));
}

/**
 * All channels of one output position: sixteen at a time, then four. The global mean of 64 @112 runs at 51 GB/s. Rejected: summing
 * one row of the window at a time into y, 32 channels at a time: 0.051 instead of 0.062 ms on Node 24, but 0.080 instead of
 * 0.055 on Node 20.
 */
// @ts-ignore: decorator
@inline
function pixel(
  kind: i32, quick: bool, x: usize, y: usize, channels: i32,
  dTaps: i32, hTaps: i32, wTaps: i32, stepD: usize, stepH: usize, stepW: usize, divisor: f32,
): v128 {
  let sum = f32x4.splat(0);
  const div = f32x4.splat(divisor);
  let left = channels;
  for (; left >= 16; left -= 16) {
    let a0 = initial(kind);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let n0 = i32x4.splat(0);
    let n1 = n0;
    let n2 = n0;
    let n3 = n0;
    let plane = x;
    for (let i = 0; i < dTaps; i++) {
      let row = plane;
      for (let j = 0; j < hTaps; j++) {
        let p = row;
        for (let k = 0; k < wTaps; k++) {
          const v0 = v128.load(p);
          const v1 = v128.load(p, 16);
          const v2 = v128.load(p, 32);
          const v3 = v128.load(p, 48);
          a0 = accumulate(kind, a0, v0);
          a1 = accumulate(kind, a1, v1);
          a2 = accumulate(kind, a2, v2);
          a3 = accumulate(kind, a3, v3);
          n0 = unordered(kind, quick, n0, v0);
          n1 = unordered(kind, quick, n1, v1);
          n2 = unordered(kind, quick, n2, v2);
          n3 = unordered(kind, quick, n3, v3);
          p += stepW;
        }
        row += stepH;
      }
      plane += stepD;
    }
    v128.store(y, finish(kind, quick, a0, n0, div));
    v128.store(y, finish(kind, quick, a1, n1, div), 16);
    v128.store(y, finish(kind, quick, a2, n2, div), 32);
    v128.store(y, finish(kind, quick, a3, n3, div), 48);
    if (kind == Pool.max && quick) sum = f32x4.add(sum, f32x4.add(f32x4.add(n0, n1), f32x4.add(n2, n3)));
    x += 64;
    y += 64;
  }
  for (; left > 0; left -= 4) {
    let acc = initial(kind);
    let nan = i32x4.splat(0);
    let plane = x;
    for (let i = 0; i < dTaps; i++) {
      let row = plane;
      for (let j = 0; j < hTaps; j++) {
        let p = row;
        for (let k = 0; k < wTaps; k++) {
          const v = v128.load(p);
          acc = accumulate(kind, acc, v);
          nan = unordered(kind, quick, nan, v);
          p += stepW;
        }
        row += stepH;
      }
      plane += stepD;
    }
    storeFirst(y, finish(kind, quick, acc, nan, div), left);
    if (kind == Pool.max && quick) sum = f32x4.add(sum, nan);
    x += 16;
    y += 16;
  }
  return sum;
}
