// Two steps: partial sums of fixed parts of the batch, then the sum of those in a fixed order. The parts depend on the shapes
// alone, so results have the same bits with any number of threads.
import { Outer, runBytes, runOuterRows } from '../micro/outer';
import { copyFloats, zeroFloats } from '../pack/table';
import { ConvWeightGradDesc, FinishWeightGradDesc } from './conv-weight-grad-desc';

/** Offset of the runs of pixels in the workspace, after the Outer. @abi at least offsetof<Outer>() */
// @ts-ignore: decorator
@inline
const runsOffset: usize = 64;

// @ts-ignore: decorator
@inline
function ceilDiv(a: i32, b: i32): i32 {
  return a > 0 ? (a + b - 1) / b : 0;
}

/** Copies `pixels` input pixels of `row` from column `iw` on, with zeros outside the input. */
function stage(d: ConvWeightGradDesc, to: usize, row: usize, iw: i32, pixels: i32): void {
  const pixel = <usize>d.pixel;
  const channels = <i32>(pixel >> 2);
  const first = min(max(0, -iw), pixels);
  const last = max(min(pixels, d.inputW - iw), first);
  zeroFloats(to, first * channels);
  copyFloats(to + pixel * first, row + pixel * (iw + first), (last - first) * channels);
  zeroFloats(to + pixel * last, (pixels - last) * channels);
}

/**
 * Writes the runs of `tap` in output pixels begin..end−1 and returns their number. `b` is the address of pixel `begin` in B.
 */
function placeRuns(d: ConvWeightGradDesc, at: usize, tap: i32, begin: i32, end: i32, b: usize, bStep: usize): i32 {
  const outputW = d.outputW;
  const byTap = d.byTap;
  const kw = byTap ? tap % d.kernelW : 0;
  const rest = byTap ? tap / d.kernelW : tap;
  const kh = rest % d.kernelH;
  const kd = rest / d.kernelH;
  const strideW = d.strideW;
  const shift = d.padW - kw * d.dilationW;
  // Columns of the output whose tap is inside the input. A whole kernel row is never outside.
  const low = byTap ? ceilDiv(shift, strideW) : 0;
  const high = byTap ? min(outputW, ceilDiv(d.inputW + shift, strideW)) : outputW;
  const pixel = <usize>d.pixel;
  const aStep = pixel * strideW;
  const first = at;
  let staging = d.workspace + d.stagingOffset;
  let row = begin / outputW;
  let w = begin - row * outputW;
  let lastA: usize = 0;
  let lastB: usize = 0;
  while (begin < end) {
    const stop = min(outputW, w + end - begin);
    const h = row % d.outputH;
    const plane = row / d.outputH;
    const ih = h * d.strideH - d.padH + kh * d.dilationH;
    const id = (plane % d.outputD) * d.strideD - d.padD + kd * d.dilationD;
    const from = max(low, w);
    const to = min(high, stop);
    if (from < to && <u32>ih < <u32>d.inputH && <u32>id < <u32>d.inputD) {
      const line = d.x + pixel * d.inputW * (((plane / d.outputD) * d.inputD + id) * d.inputH + ih);
      const iw = from * strideW - shift;
      let a = line + pixel * iw;
      const pixels = (to - from - 1) * strideW + d.kernelW;
      if (!byTap && (iw < 0 || iw + pixels > d.inputW)) {
        stage(d, staging, line, iw, pixels);
        a = staging;
        staging += d.stagingRow;
      }
      const to0 = b + bStep * (from - w);
      if (a == lastA && to0 == lastB) {
        // These pixels follow those of the last run: extend it.
        store<i32>(at - runBytes, load<i32>(at - runBytes, 8) + to - from, 8);
      } else {
        store<usize>(at, a);
        store<usize>(at, to0, 4);
        store<i32>(at, to - from, 8);
        at += runBytes;
      }
      lastA = a + aStep * (to - from);
      lastB = to0 + bStep * (to - from);
    }
    b += bStep * (stop - w);
    begin += stop - w;
    w = 0;
    row++;
  }
  return <i32>((at - first) / runBytes);
}

/** Copies 8 columns of gy for `pixels` pixels. Values after the last column are arbitrary and never used. */
function packPanel(to: usize, from: usize, pitch: usize, pixels: i32): void {
  do {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    from += pitch;
    to += 32;
    pixels--;
  } while (pixels);
}

/** Unit of work: a split × a block of items × a block of panels. */
export function convWeightGrad(d: ConvWeightGradDesc, begin: i32, end: i32): void {
  const t = changetype<Outer>(d.workspace);
  const runs = d.workspace + runsOffset;
  const packed = d.workspace + d.panelOffset;
  t.runs = runs;
  t.aStep = <usize>d.pixel * d.strideW;
  t.bStep = 32;
  t.cPitch = d.rowBytes;
  const panels = (d.columns + 7) >> 3;
  for (let unit = begin; unit < end; unit++) {
    const firstPanel = (unit % d.panelUnits) * d.panelBlock;
    const lastPanel = min(firstPanel + d.panelBlock, panels);
    const rest = unit / d.panelUnits;
    const firstItem = (rest % d.itemUnits) * d.itemBlock;
    const lastItem = min(firstItem + d.itemBlock, d.items);
    const split = rest / d.itemUnits;
    const partial = d.partial + <usize>d.splitBytes * split;
    for (let item = firstItem; item < lastItem; item++) {
      let c = partial + <usize>d.itemBytes * item + (firstPanel << 5);
      const bytes = min(<usize>(lastPanel - firstPanel) << 5, <usize>d.rowBytes - (firstPanel << 5));
      for (let row = 0; row < d.rows; row++, c += d.rowBytes) memory.fill(c, 0, bytes);
    }
    const last = min((split + 1) * d.splitPixels, d.pixels);
    for (let p = split * d.splitPixels; p < last; p += d.blockPixels) {
      const stop = min(p + d.blockPixels, last);
      const panelBytes = <usize>(stop - p) << 5;
      let group = -1;
      for (let item = firstItem; item < lastItem; item++) {
        const itemGroup = item / d.taps;
        const tap = item - itemGroup * d.taps;
        if (itemGroup != group) {
          group = itemGroup;
          const gy = d.gy + <usize>d.gyPixel * p + d.groupOutput * group;
          for (let panel = firstPanel; panel < lastPanel; panel++) {
            packPanel(packed + panelBytes * (panel - firstPanel), gy + (panel << 5), d.gyPixel, stop - p);
          }
        }
        t.count = placeRuns(d, runs, tap, p, stop, packed, 32);
        if (t.count == 0) continue;
        const c = partial + <usize>d.itemBytes * item;
        for (let panel = firstPanel; panel < lastPanel; panel++) {
          const b = panelBytes * (panel - firstPanel);
          runOuterRows(t, d.rows, d.tileRows, min(8, d.columns - (panel << 3)), d.groupInput * group, b, c + (panel << 5));
        }
      }
    }
  }
}

/** One item of `blocks` × 16 channels. */
function depthwiseRuns(t: Outer, offset: usize, c: usize): void {
  let c0 = v128.load(c);
  let c1 = v128.load(c, 16);
  let c2 = v128.load(c, 32);
  let c3 = v128.load(c, 48);
  const aStep = t.aStep;
  const bStep = t.bStep;
  let run = t.runs;
  let count = t.count;
  do {
    let a = load<usize>(run) + offset;
    let b = load<usize>(run, 4) + offset;
    let k = load<i32>(run, 8);
    do {
      c0 = f32x4.add(f32x4.mul(v128.load(a), v128.load(b)), c0);
      c1 = f32x4.add(f32x4.mul(v128.load(a, 16), v128.load(b, 16)), c1);
      c2 = f32x4.add(f32x4.mul(v128.load(a, 32), v128.load(b, 32)), c2);
      c3 = f32x4.add(f32x4.mul(v128.load(a, 48), v128.load(b, 48)), c3);
      a += aStep;
      b += bStep;
      k--;
    } while (k);
    run += runBytes;
    count--;
  } while (count);
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

/** Depthwise: partial[split][tap][channels, whole vectors of 16]. Unit of work: a split × a block of taps. */
export function depthwiseWeightGrad(d: ConvWeightGradDesc, begin: i32, end: i32): void {
  const t = changetype<Outer>(d.workspace);
  const runs = d.workspace + runsOffset;
  t.runs = runs;
  t.aStep = <usize>d.pixel * d.strideW;
  t.bStep = d.gyPixel;
  for (let unit = begin; unit < end; unit++) {
    const firstItem = (unit % d.itemUnits) * d.itemBlock;
    const lastItem = min(firstItem + d.itemBlock, d.items);
    const split = unit / d.itemUnits;
    const partial = d.partial + <usize>d.splitBytes * split;
    memory.fill(partial + <usize>d.itemBytes * firstItem, 0, <usize>d.itemBytes * (lastItem - firstItem));
    const last = min((split + 1) * d.splitPixels, d.pixels);
    for (let p = split * d.splitPixels; p < last; p += d.blockPixels) {
      const stop = min(p + d.blockPixels, last);
      for (let item = firstItem; item < lastItem; item++) {
        t.count = placeRuns(d, runs, item, p, stop, d.gy + <usize>d.gyPixel * p, d.gyPixel);
        if (t.count == 0) continue;
        const c = partial + <usize>d.itemBytes * item;
        for (let offset: usize = 0; offset < <usize>d.itemBytes; offset += 64) depthwiseRuns(t, offset, c + offset);
      }
    }
  }
}

/** gw[group][column][channel][tap] = Σ partial[split][group][tap, channel][column]. Unit of work: four columns of a group. */
export function finishWeightGrad(d: FinishWeightGradDesc, begin: i32, end: i32): void {
  const quads = (d.columns + 3) >> 2;
  const taps = d.taps;
  const channels = d.channels;
  const next = <usize>(channels * taps) << 2;
  for (let unit = begin; unit < end; unit++) {
    const group = unit / quads;
    const column = (unit - group * quads) << 2;
    const columns = min(4, d.columns - column);
    const from = d.partial + <usize>d.groupBytes * group + (column << 2);
    let to = d.gw + next * (group * d.columns + column);
    for (let c = 0; c < channels; c++) {
      for (let tap = 0; tap < taps; tap++) {
        let p = from + <usize>d.rowBytes * (tap * channels + c);
        let v = v128.load(p);
        for (let s = 1; s < d.splits; s++) {
          p += d.splitBytes;
          v = f32x4.add(v, v128.load(p));
        }
        v128.store32_lane(to, v, 0);
        if (columns > 1) v128.store32_lane(to + next, v, 1);
        if (columns > 2) v128.store32_lane(to + 2 * next, v, 2);
        if (columns > 3) v128.store32_lane(to + 3 * next, v, 3);
        to += 4;
      }
    }
  }
}
