import { high, join, low } from '../common/doubles';
import { storeFirst } from '../common/tail';
import { fewCells } from './sums';
import { areQuads, Pool, tapsBefore } from './window';

/**
 * Gradient of a pool by x: gx [batch, inputD, inputH, inputW, channels] from gy [batch, outputD, outputH, outputW, channels]
 * and x, which averages do not need. Windows may overlap, so a work unit is an image × a block of channels: no two units write
 * the same cells.
 */
@unmanaged
export class PoolGradDesc {
  /** 0 for averages. */
  x: usize;
  gy: usize;
  gx: usize;
  kind: i32;
  channels: i32;
  /** Channels per work unit, a multiple of 4 or all, and units per image. */
  block: i32;
  blocks: i32;
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
  endD: i32;
  endH: i32;
  endW: i32;
  countPad: i32;
  divisor: f32;
  adaptive: i32;
}

export function poolGrad(d: PoolGradDesc, begin: i32, end: i32): void {
  const image = <usize>(d.inputD * d.inputH * d.inputW) * (<usize>d.channels << 2);
  const outImage = <usize>(d.outputD * d.outputH * d.outputW) * (<usize>d.channels << 2);
  const quad =
    d.kind == Pool.max && !d.adaptive &&
    areQuads(d.kernelH, d.kernelW, d.strideW, d.dilationH, d.dilationW, d.padW, d.outputW, d.inputW) &&
    d.strideH == 2 && d.padH == 0 && 2 * d.outputH <= d.inputH &&
    d.kernelD == 1 && d.strideD == 1 && d.padD == 0 && d.outputD <= d.inputD;
  const covered = quad && 2 * d.outputH == d.inputH && 2 * d.outputW == d.inputW && d.outputD == d.inputD;
  for (let unit = begin; unit < end; unit++) {
    const n = unit / d.blocks;
    const first = (unit - n * d.blocks) * d.block;
    const channels = min(d.block, d.channels - first);
    const offset = image * n + (<usize>first << 2);
    if (!covered) clear(d, d.gx + offset, channels);
    const gy = d.gy + outImage * n + (<usize>first << 2);
    if (quad) quads(d, d.x + offset, d.gx + offset, gy, channels);
    else imageGrad(d, d.x + offset, d.gx + offset, gy, channels);
  }
}

/** Maxima of adjacent 2×2 windows: every cell is written once. `window` took 0.26 ms for 6 channels 28 → 14, batch 64. */
function quads(d: PoolGradDesc, x: usize, gx: usize, gy: usize, channels: i32): void {
  const pixel = <usize>d.channels << 2;
  const line = pixel * d.inputW;
  for (let row = 0; row < d.outputD * d.outputH; row++) {
    const od = row / d.outputH;
    const start = line * (od * d.inputH + (row - od * d.outputH) * 2);
    let from = x + start;
    let to = gx + start;
    for (let ow = d.outputW; ow > 0; ow--) {
      for (let c = 0; c < channels; c += 4) {
        const at = <usize>c << 2;
        const left = channels - c;
        const share = v128.load(gy + at);
        const v0 = v128.load(from + at), v1 = v128.load(from + at + pixel);
        const v2 = v128.load(from + at + line), v3 = v128.load(from + at + line + pixel);
        // Of equal values the first wins, of several NaN the last.
        const m1 = v128.or(f32x4.gt(v1, v0), f32x4.ne(v1, v1));
        let best = v128.bitselect(v1, v0, m1);
        const m2 = v128.or(f32x4.gt(v2, best), f32x4.ne(v2, v2));
        best = v128.bitselect(v2, best, m2);
        const m3 = v128.or(f32x4.gt(v3, best), f32x4.ne(v3, v3));
        const of3 = v128.and(share, m3);
        const before3 = v128.andnot(share, m3);
        const of2 = v128.and(before3, m2);
        const before2 = v128.andnot(before3, m2);
        storeFirst(to + at, v128.andnot(before2, m1), left);
        storeFirst(to + at + pixel, v128.and(before2, m1), left);
        storeFirst(to + at + line, of2, left);
        storeFirst(to + at + line + pixel, of3, left);
      }
      from += pixel * 2;
      to += pixel * 2;
      gy += pixel;
    }
  }
}

function clear(d: PoolGradDesc, gx: usize, channels: i32): void {
  const cells = d.inputD * d.inputH * d.inputW;
  const pixel = <usize>d.channels << 2;
  if (channels == d.channels) {
    memory.fill(gx, 0, pixel * cells);
    return;
  }
  const zero = i32x4.splat(0);
  for (let i = 0; i < cells; i++, gx += pixel) {
    for (let c = 0; c < channels; c += 4) storeFirst(gx + (<usize>c << 2), zero, channels - c);
  }
}

function imageGrad(d: PoolGradDesc, x: usize, gx: usize, gy: usize, channels: i32): void {
  const pixel = <usize>d.channels << 2;
  const stepW = pixel * d.dilationW;
  const stepH = pixel * d.dilationH * d.inputW;
  const stepD = pixel * d.dilationD * d.inputW * d.inputH;
  for (let row = 0; row < d.outputD * d.outputH; row++) {
    const od = row / d.outputH;
    const oh = row - od * d.outputH;
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
    const line = pixel * (((d0 + dSkip * d.dilationD) * d.inputH + h0 + hSkip * d.dilationH) * d.inputW);
    for (let ow = 0; ow < d.outputW; ow++, gy += pixel) {
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
      if (dTaps <= 0 || hTaps <= 0 || wTaps <= 0) continue;
      const at = line + pixel * (w0 + wSkip * d.dilationW);
      const divisor = d.divisor == 0 ? <f32>max(counted * wCounted, 1) : d.divisor;
      if (d.kind == Pool.max) window(Pool.max, x + at, gx + at, gy, channels, dTaps, hTaps, wTaps, stepD, stepH, stepW, divisor);
      else if (d.kind == Pool.average) window(Pool.average, x + at, gx + at, gy, channels, dTaps, hTaps, wTaps, stepD, stepH, stepW, divisor);
      else window(d.kind, x + at, gx + at, gy, channels, dTaps, hTaps, wTaps, stepD, stepH, stepW, divisor);
    }
  }
}

/** The gradient of a cell of value v; `share` is the window's gradient after division. */
// @ts-ignore: decorator
@inline
function part(kind: i32, v: v128, share: v128): v128 {
  if (kind == Pool.average) return share;
  if (kind == Pool.lp2) return f32x4.mul(share, v);
  // lp1: the share with the sign of x, 0 if x is 0.
  return v128.and(v128.xor(share, v128.and(v, i32x4.splat(0x80000000))), f32x4.ne(v, f32x4.splat(0)));
}

/** Adds the gradient of lane `lane` to the cell at distance `found`. */
// @ts-ignore: decorator
@inline
function addTo(gx: usize, lane: i32, found: usize, share: f32): void {
  const at = gx + found + (lane << 2);
  store<f32>(at, load<f32>(at) + share);
}

// @ts-ignore: decorator
@inline
function squares(x: usize, dTaps: i32, hTaps: i32, wTaps: i32, stepD: usize, stepH: usize, stepW: usize): v128 {
  let sum = f32x4.splat(0);
  for (let i = 0; i < dTaps; i++, x += stepD) {
    let row = x;
    for (let j = 0; j < hTaps; j++, row += stepH) {
      let p = row;
      for (let k = 0; k < wTaps; k++, p += stepW) {
        const v = v128.load(p);
        sum = f32x4.add(sum, f32x4.mul(v, v));
      }
    }
  }
  return sum;
}

/** As `squares`, summed in doubles, so that the rounding error does not grow with the window. */
function manySquares(x: usize, dTaps: i32, hTaps: i32, wTaps: i32, stepD: usize, stepH: usize, stepW: usize): v128 {
  let lows = f64x2.splat(0);
  let highs = lows;
  for (let i = 0; i < dTaps; i++, x += stepD) {
    let row = x;
    for (let j = 0; j < hTaps; j++, row += stepH) {
      let p = row;
      for (let k = 0; k < wTaps; k++, p += stepW) {
        const v = v128.load(p);
        const square = f32x4.mul(v, v);
        lows = f64x2.add(lows, low(square));
        highs = f64x2.add(highs, high(square));
      }
    }
  }
  return join(lows, highs);
}

/**
 * All channels of one window, four at a time: first the places of the maxima, or the norm; then the gradients of the cells.
 * Maxima are added one by one: comparing places cell by cell took 0.66 instead of 0.27 ms on 2×2 6 @28, batch 64.
 */
// @ts-ignore: decorator
@inline
function window(
  kind: i32, x: usize, gx: usize, gy: usize, channels: i32,
  dTaps: i32, hTaps: i32, wTaps: i32, stepD: usize, stepH: usize, stepW: usize, divisor: f32,
): void {
  for (let left = channels; left > 0; left -= 4) {
    let share = v128.load(gy);
    let found = i32x4.splat(0);
    if (kind == Pool.average) share = f32x4.div(share, f32x4.splat(divisor));
    if (kind == Pool.max) {
      let best = v128.load(x);
      let plane: usize = 0;
      for (let i = 0; i < dTaps; i++, plane += stepD) {
        let row = plane;
        for (let j = 0; j < hTaps; j++, row += stepH) {
          let p = row;
          for (let k = 0; k < wTaps; k++, p += stepW) {
            const v = v128.load(x + p);
            const better = v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
            best = v128.bitselect(v, best, better);
            found = v128.bitselect(i32x4.splat(<i32>p), found, better);
          }
        }
      }
      addTo(gx, 0, i32x4.extract_lane(found, 0), f32x4.extract_lane(share, 0));
      if (left > 1) addTo(gx, 1, i32x4.extract_lane(found, 1), f32x4.extract_lane(share, 1));
      if (left > 2) addTo(gx, 2, i32x4.extract_lane(found, 2), f32x4.extract_lane(share, 2));
      if (left > 3) addTo(gx, 3, i32x4.extract_lane(found, 3), f32x4.extract_lane(share, 3));
      x += 16;
      gx += 16;
      gy += 16;
      continue;
    }
    if (kind == Pool.lp2) {
      const sum =
        dTaps * hTaps * wTaps > fewCells ? manySquares(x, dTaps, hTaps, wTaps, stepD, stepH, stepW)
          : squares(x, dTaps, hTaps, wTaps, stepD, stepH, stepW);
      share = v128.and(f32x4.div(share, f32x4.sqrt(sum)), f32x4.ne(sum, f32x4.splat(0)));
    }
    let distance: usize = 0;
    for (let i = 0; i < dTaps; i++, distance += stepD) {
      let row = distance;
      for (let j = 0; j < hTaps; j++, row += stepH) {
        let at = row;
        for (let k = 0; k < wTaps; k++, at += stepW) {
          const v = kind == Pool.average ? share : v128.load(x + at);
          const sum = f32x4.add(v128.load(gx + at), part(kind, v, share));
          if (left >= 4) v128.store(gx + at, sum);
          else storeFirst(gx + at, sum, left);
        }
      }
    }
    x += 16;
    gx += 16;
    gy += 16;
  }
}
