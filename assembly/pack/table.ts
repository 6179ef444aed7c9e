// im2col as a table of addresses: for each row of A (output pixel) the addresses of its contiguous runs of channels; padding has
// the address of zeros. Values are copied only at the sides of convolutions of few channels. Copying all taps of a pixel was
// slower everywhere (GFLOP/s, Node 20; byTap, byRun, all copied): 7×7 s2 3→64 @224 38, 46, 40; 3×3 s2 3→32 @224 30, 33, 25;
// 9×9 1→64 @128 26, 40, 34. From 8 channels on byTap is as fast as byRun.
import { ConvDesc } from '../conv/desc';

/** Where rows of A are read. @abi */
export const enum Addressing {
  /** One address per tap, `len` = channels of a group. */
  byTap,
  /** One address per kernel row, `len` = kernelW · channels; a kernel row that extends beyond the sides of the input is copied. */
  byRun,
  /**
   * As byTap, but the rows of a tile are the same pixel of several images: a tap that is padding is so in all of them, and is skipped.
   * That saves much on small maps: half of the taps of the input gradient of 5×5 6→16 @14 without padding are outside (batch 64).
   */
  acrossImages,
  /**
   * As byRun, from a padded copy of the input rows that a block needs: addresses are the same in every block, so one table serves
   * all blocks of a call. For 2-d input and whole rows of output pixels.
   */
  padded,
}

/** A tile's record: rows, address of the result, then at `recordHead` the addresses [tap][tileRows]. @abi */
// @ts-ignore: decorator
@inline
export const recordHead: usize = 16;

/**
 * Writes the records of the register tiles of a plain matrix A: `count` rows from `a` on, `aPitch` bytes apart, in tiles of nearly
 * equal height, with results in the rows from `c` on. Returns the number of tiles.
 */
export function placeRows(record: usize, tileRows: i32, count: i32, a: usize, aPitch: usize, c: usize, cPitch: usize): i32 {
  const tiles = (count + tileRows - 1) / tileRows;
  const recordBytes = recordHead + (<usize>tileRows << 2);
  for (let left = tiles; left > 0; left--) {
    const rows = (count + left - 1) / left;
    store<i32>(record, rows);
    store<usize>(record, c, 4);
    c += cPitch * rows;
    for (let r = 0; r < rows; r++) {
      store<usize>(record + recordHead + (r << 2), a);
      a += aPitch;
    }
    count -= rows;
    record += recordBytes;
  }
  return tiles;
}

/**
 * Rows of the next register tile, of `left` rows that can be in it. No single row is left over: a tile of one row uses another
 * instruction (micro/gemm.ts), so results would depend on how many rows the tiles of a build have.
 */
// @ts-ignore: decorator
@inline
function nextTile(left: i32, tileRows: i32): i32 {
  return left == tileRows + 1 ? tileRows - 1 : min(tileRows, left);
}

/** Copies `count` floats, 4 at a time; reads and writes up to 12 bytes more. */
// @ts-ignore: decorator
@inline
export function copyFloats(to: usize, from: usize, count: i32): void {
  while (count > 0) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
    count -= 4;
  }
}

// @ts-ignore: decorator
@inline
export function zeroFloats(to: usize, count: i32): void {
  while (count > 0) {
    v128.store(to, i32x4.splat(0));
    to += 16;
    count -= 4;
  }
}

/** Copies one kernel row (kernelW taps × channels, dilation 1) from pixel `p` at column `iw`; the row begins or ends outside the input. */
function stageRun(d: ConvDesc, to: usize, p: usize, iw: i32): void {
  const pixel = <usize>d.pixel;
  const channels = <i32>(pixel >> 2);
  const first = min(max(0, -iw), d.kernelW);
  const last = max(min(d.kernelW, d.inputW - iw), first);
  zeroFloats(to, first * channels);
  copyFloats(to + pixel * first, p + pixel * first, (last - first) * channels);
  zeroFloats(to + pixel * last, (d.kernelW - last) * channels);
}

// @ts-ignore: decorator
@inline
function inside(first: i32, steps: i32, dilation: i32, size: i32): bool {
  return <u32>first < <u32>size && <u32>(first + steps * dilation) < <u32>size;
}

/** Writes the addresses of output pixel (n, od, oh, ow) to `at`, and copies of kernel rows to `staging`; returns the end of the copies. */
function placeRow(d: ConvDesc, at: usize, pitch: usize, n: i32, od: i32, oh: i32, ow: i32, staging: usize): usize {
  const id = od * d.strideD - d.padD;
  const ih = oh * d.strideH - d.padH;
  const iw = ow * d.strideW - d.padW;
  const pixel = <usize>d.pixel;
  const line = pixel * d.inputW;
  const plane = line * d.inputH;
  const kernelD = d.kernelD;
  const kernelH = d.kernelH;
  const kernelW = d.kernelW;
  const stepW = pixel * d.dilationW;
  const stepH = line * d.dilationH;
  const stepD = plane * d.dilationD;
  let pd = d.x + plane * (n * d.inputD + id) + line * ih + pixel * iw;
  const sideways = inside(iw, kernelW - 1, d.dilationW, d.inputW);
  if (d.mode == Addressing.byTap) {
    if (
      sideways && inside(ih, kernelH - 1, d.dilationH, d.inputH) && inside(id, kernelD - 1, d.dilationD, d.inputD)
    ) {
      for (let kd = 0; kd < kernelD; kd++, pd += stepD) {
        let ph = pd;
        for (let kh = 0; kh < kernelH; kh++, ph += stepH) {
          let pw = ph;
          for (let kw = 0; kw < kernelW; kw++, pw += stepW) {
            store<usize>(at, pw);
            at += pitch;
          }
        }
      }
      return staging;
    }
    const zeros = d.zeros;
    const inputW = d.inputW;
    for (let kd = 0, z = id; kd < kernelD; kd++, z += d.dilationD, pd += stepD) {
      let ph = pd;
      for (let kh = 0, y = ih; kh < kernelH; kh++, y += d.dilationH, ph += stepH) {
        const valid = <u32>z < <u32>d.inputD && <u32>y < <u32>d.inputH;
        let pw = ph;
        for (let kw = 0, x = iw; kw < kernelW; kw++, x += d.dilationW, pw += stepW) {
          store<usize>(at, valid && <u32>x < <u32>inputW ? pw : zeros);
          at += pitch;
        }
      }
    }
    return staging;
  }
  const run = pixel * kernelW;
  for (let kd = 0, z = id; kd < kernelD; kd++, z += d.dilationD, pd += stepD) {
    let ph = pd;
    for (let kh = 0, y = ih; kh < kernelH; kh++, y += d.dilationH, ph += stepH) {
      const valid = <u32>z < <u32>d.inputD && <u32>y < <u32>d.inputH;
      if (!valid) {
        store<usize>(at, d.zeros);
      } else if (sideways) {
        store<usize>(at, ph);
      } else {
        stageRun(d, staging, ph, iw);
        store<usize>(at, staging);
        staging += run;
      }
      at += pitch;
    }
  }
  return staging;
}

/** Marks taps that are padding in all rows of a tile by address 0, which saves up to a third of the work on small maps. */
function skipZeros(d: ConvDesc, at: usize, pitch: usize, rows: i32): void {
  const zeros = d.zeros;
  for (let tap = d.taps; tap > 0; tap--, at += pitch) {
    let r = 0;
    while (r < rows && load<usize>(at + (r << 2)) == zeros) r++;
    if (r == rows) store<usize>(at, 0);
  }
}

/** Writes the records of the tiles that cover grid points begin..end−1; returns their number. */
export function placeTiles(d: ConvDesc, record: usize, staging: usize, begin: i32, end: i32): i32 {
  const tileRows = d.tileRows;
  const pitch = <usize>tileRows << 2;
  const recordBytes = recordHead + pitch * d.taps;
  const outputW = d.outputW;
  let w = begin % outputW;
  let rest = begin / outputW;
  let h = rest % d.outputH;
  rest /= d.outputH;
  let z = rest % d.outputD;
  let n = rest / d.outputD;
  let count = 0;
  while (begin < end) {
    // Tiles of nearly equal height (49 rows: 5 and 6 rows, instead of 7 × 6, 5 and 2) are no faster on any layer.
    const rows = nextTile(d.contiguous ? end - begin : min(end - begin, outputW - w), tileRows);
    store<i32>(record, rows);
    store<usize>(record, d.y + n * d.yBatch + z * d.yPlane + h * d.yRow + w * d.yPixel, 4);
    for (let r = 0; r < rows; r++) {
      staging = placeRow(d, record + recordHead + (r << 2), pitch, n, z, h, w, staging);
      if (++w == outputW) {
        w = 0;
        if (++h == d.outputH) {
          h = 0;
          if (++z == d.outputD) {
            z = 0;
            n++;
          }
        }
      }
    }
    if (d.mode == Addressing.byTap) skipZeros(d, record + recordHead, pitch, rows);
    begin += rows;
    record += recordBytes;
    count++;
  }
  return count;
}

/** Writes the records of the tiles of output pixels begin..end−1 of each image, taken across all images; returns their number. */
export function placeAcross(d: ConvDesc, record: usize, begin: i32, end: i32): i32 {
  const tileRows = d.tileRows;
  const pitch = <usize>tileRows << 2;
  const recordBytes = recordHead + pitch * d.taps;
  const pixel = <usize>d.pixel;
  const line = pixel * d.inputW;
  const plane = line * d.inputH;
  const image = plane * d.inputD;
  const tiles = (d.batch + tileRows - 1) / tileRows;
  const first = record;
  for (; begin < end; begin++) {
    const w = begin % d.outputW;
    const rest = begin / d.outputW;
    const h = rest % d.outputH;
    const z = rest / d.outputH;
    const id = z * d.strideD - d.padD;
    const ih = h * d.strideH - d.padH;
    const iw = w * d.strideW - d.padW;
    const origin = d.x + plane * id + line * ih + pixel * iw;
    const c = d.y + z * d.yPlane + h * d.yRow + w * d.yPixel;
    let n = 0;
    for (let tile = 1; tile <= tiles; tile++) {
      const next = (d.batch * tile) / tiles;
      const rows = next - n;
      store<i32>(record, rows);
      store<usize>(record, c + n * d.yBatch, 4);
      let at = record + recordHead;
      let pd = origin + image * n;
      for (let kd = 0, zi = id; kd < d.kernelD; kd++, zi += d.dilationD, pd += plane * d.dilationD) {
        let ph = pd;
        for (let kh = 0, y = ih; kh < d.kernelH; kh++, y += d.dilationH, ph += line * d.dilationH) {
          const valid = <u32>zi < <u32>d.inputD && <u32>y < <u32>d.inputH;
          let pw = ph;
          for (let kw = 0, x = iw; kw < d.kernelW; kw++, x += d.dilationW, pw += pixel * d.dilationW) {
            if (valid && <u32>x < <u32>d.inputW) {
              let p = pw;
              for (let r = 0; r < rows; r++, p += image) store<usize>(at + (r << 2), p);
            } else {
              store<usize>(at, 0);
            }
            at += pitch;
          }
        }
      }
      n = next;
      record += recordBytes;
    }
  }
  return <i32>((record - first) / recordBytes);
}

/** Bytes of a padded row. */
// @ts-ignore: decorator
@inline
function paddedPitch(d: ConvDesc): usize {
  return ((<usize>((d.outputW - 1) * d.strideW + d.kernelW) * d.pixel) + 31) & ~15;
}

/** Copies the input rows of image n for `rows` output rows from `first` on, padded with zeros. */
export function stagePadded(d: ConvDesc, to: usize, n: i32, first: i32, rows: i32): void {
  const pixel = <usize>d.pixel;
  const channels = <i32>(pixel >> 2);
  const pitch = paddedPitch(d);
  const width = (d.outputW - 1) * d.strideW + d.kernelW;
  const left = min(d.padW, width);
  const inside = max(min(d.inputW, width - left), 0);
  const image = d.x + pixel * d.inputW * d.inputH * n;
  let ih = first * d.strideH - d.padH;
  for (let remaining = (rows - 1) * d.strideH + (d.kernelH - 1) * d.dilationH + 1; remaining > 0; remaining--, ih++, to += pitch) {
    if (<u32>ih >= <u32>d.inputH) {
      zeroFloats(to, width * channels);
      continue;
    }
    zeroFloats(to, left * channels);
    copyFloats(to + pixel * left, image + pixel * d.inputW * ih, inside * channels);
    zeroFloats(to + pixel * (left + inside), (width - left - inside) * channels);
  }
}

/** Writes the records of the tiles of `rows` whole output rows over the padded copy; addresses of results are relative to the first. */
export function placePadded(d: ConvDesc, record: usize, staging: usize, rows: i32): i32 {
  const tileRows = d.tileRows;
  const rowPitch = <usize>tileRows << 2;
  const recordBytes = recordHead + rowPitch * d.taps;
  const pitch = paddedPitch(d);
  const total = rows * d.outputW;
  const stepW = <usize>d.pixel * d.strideW;
  const stepH = pitch * d.dilationH;
  let count = 0;
  let h = 0;
  let w = 0;
  for (let i = 0, height = 0; i < total; i += height, count++, record += recordBytes) {
    height = nextTile(total - i, tileRows);
    store<i32>(record, height);
    store<usize>(record, <usize>i * d.yPixel, 4);
    for (let r = 0; r < height; r++) {
      let p = staging + pitch * (h * d.strideH) + stepW * w;
      let at = record + recordHead + (r << 2);
      for (let kh = 0; kh < d.kernelH; kh++, p += stepH, at += rowPitch) store<usize>(at, p);
      if (++w == d.outputW) {
        w = 0;
        h++;
      }
    }
  }
  return count;
}
