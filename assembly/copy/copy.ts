// Strided copies. The host merges dimensions and picks the mode, which leaves a 2-D core of `lines` × `columns` inside
// up to four outer dimensions. Strides are in bytes.
import { storeFirst } from '../common/tail';
import { copyRun, fillWords } from './run';

/** How the lines of a core are copied. @abi */
const enum CopyMode {
  /** Columns are contiguous in both: runs of bytes. */
  runs,
  /** Lines are contiguous in x, columns in y: 4×4 blocks of 4-byte elements. */
  transpose,
  words,
  bytes,
  /** One 4-byte element repeated along the columns, which are contiguous in y. */
  repeat,
  /** Two runs of 4-byte elements, interleaved: both runs are contiguous in x, `xColumn` bytes apart. */
  interleave,
}

@unmanaged
export class CopyDesc {
  x: usize;
  y: usize;
  mode: i32;
  lines: i32;
  /** In mode `runs`: bytes. */
  columns: i32;
  xLine: i32;
  xColumn: i32;
  yLine: i32;
  yColumn: i32;
  /** Lines per work unit. */
  block: i32;
  /** Outer dimensions, innermost first; 1 if there is none. */
  n0: i32;
  n1: i32;
  n2: i32;
  x0: i32;
  x1: i32;
  x2: i32;
  x3: i32;
  y0: i32;
  y1: i32;
  y2: i32;
  y3: i32;
}

/** Work unit: `block` lines of one core. */
export function copy(d: CopyDesc, begin: i32, end: i32): void {
  const blocks = (d.lines + d.block - 1) / d.block;
  for (let unit = begin; unit < end; unit++) {
    const core = unit / blocks;
    const line = (unit - core * blocks) * d.block;
    const lines = min(d.lines - line, d.block);
    const q1 = core / d.n0;
    const q2 = q1 / d.n1;
    const i3 = q2 / d.n2;
    const i0 = core - q1 * d.n0;
    const i1 = q1 - q2 * d.n1;
    const i2 = q2 - i3 * d.n2;
    const x = d.x + <usize>(i0 * d.x0 + i1 * d.x1 + i2 * d.x2 + i3 * d.x3 + line * d.xLine);
    const y = d.y + <usize>(i0 * d.y0 + i1 * d.y1 + i2 * d.y2 + i3 * d.y3 + line * d.yLine);
    const mode = d.mode;
    if (mode == CopyMode.runs) copyRuns(d, x, y, lines);
    else if (mode == CopyMode.transpose) copyTransposed(d, x, y, lines);
    else if (mode == CopyMode.repeat) copyRepeated(d, x, y, lines);
    else if (mode == CopyMode.interleave) copyInterleaved(d, x, y, lines);
    else if (mode == CopyMode.words) copyElements<u32>(d, x, y, lines);
    else copyElements<u8>(d, x, y, lines);
  }
}

function copyRuns(d: CopyDesc, x: usize, y: usize, lines: i32): void {
  const bytes = d.columns;
  for (; lines > 0; lines--) {
    copyRun(y, x, bytes);
    x += <usize>d.xLine;
    y += <usize>d.yLine;
  }
}

function copyElements<T>(d: CopyDesc, x: usize, y: usize, lines: i32): void {
  const xColumn = <usize>d.xColumn;
  const yColumn = <usize>d.yColumn;
  for (; lines > 0; lines--) {
    let from = x;
    let to = y;
    for (let left = d.columns; left > 0; left--) {
      store<T>(to, load<T>(from));
      from += xColumn;
      to += yColumn;
    }
    x += <usize>d.xLine;
    y += <usize>d.yLine;
  }
}

function copyRepeated(d: CopyDesc, x: usize, y: usize, lines: i32): void {
  for (; lines > 0; lines--) {
    fillWords(y, load<u32>(x), d.columns);
    x += <usize>d.xLine;
    y += <usize>d.yLine;
  }
}

/**
 * A channel shuffle of two groups. ShuffleNet v2 spends 0.07 ms on it; as 4×4 blocks of which two columns are stored, it took 0.44 ms.
 * The last vectors overlap the vectors before, which is cheaper than storing single elements.
 */
function copyInterleaved(d: CopyDesc, x: usize, y: usize, lines: i32): void {
  const columns = d.columns;
  const between = <usize>d.xColumn;
  const last = <usize>(columns - 4) << 2;
  for (; lines > 0; lines--) {
    if (columns < 4) {
      const a = v128.load(x);
      const b = v128.load(x + between);
      storeFirst(y, v128.shuffle<f32>(a, b, 0, 4, 1, 5), columns << 1);
      if (columns > 2) storeFirst(y + 16, v128.shuffle<f32>(a, b, 2, 6, 3, 7), (columns - 2) << 1);
    } else {
      let from = x;
      let to = y;
      for (const end = x + last; from < end; from += 16, to += 32) interleave(from, from + between, to);
      interleave(x + last, x + last + between, y + (last << 1));
    }
    x += <usize>d.xLine;
    y += <usize>d.yLine;
  }
}

// @ts-ignore: decorator
@inline
function interleave(a: usize, b: usize, y: usize): void {
  const u = v128.load(a);
  const v = v128.load(b);
  v128.store(y, v128.shuffle<f32>(u, v, 0, 4, 1, 5));
  v128.store(y, v128.shuffle<f32>(u, v, 2, 6, 3, 7), 16);
}

/** Columns per pass: all lines of the unit use the cache lines of these columns before they are evicted. */
// @ts-ignore: decorator
@inline const PANEL: i32 = 32;

function copyTransposed(d: CopyDesc, x: usize, y: usize, lines: i32): void {
  const yLine = <usize>d.yLine;
  // Three planes to interleaved pixels: whole vectors are stored, and each store overwrites the surplus lane of the one before.
  if (d.columns == 3 && d.yLine == 12) {
    for (; lines > 4; lines -= 4) {
      block(x, <usize>d.xColumn, 3, y, 12, 4, 4);
      x += 16;
      y += 48;
    }
  }
  for (let column = 0; column < d.columns; column += PANEL) {
    const columns = min(d.columns - column, PANEL);
    for (let line = 0; line < lines; line += 4) {
      const height = min(lines - line, 4);
      let from = x + <usize>(column * d.xColumn) + (<usize>line << 2);
      let to = y + <usize>(column << 2) + <usize>line * yLine;
      let left = columns;
      for (; left >= 4; left -= 4) {
        block(from, <usize>d.xColumn, 4, to, yLine, height, 4);
        from += <usize>(d.xColumn << 2);
        to += 16;
      }
      if (left > 0) block(from, <usize>d.xColumn, left, to, yLine, height, left);
    }
  }
}

/**
 * Four lines of `columns` (1..4) elements: each load reads one column of the four lines. `height` (1..4) lines are stored,
 * `stored` elements of each. The last column is read in place of columns that do not exist.
 */
// @ts-ignore: decorator
@inline
function block(x: usize, xColumn: usize, columns: i32, y: usize, yLine: usize, height: i32, stored: i32): void {
  const c0 = v128.load(x);
  if (columns > 1) x += xColumn;
  const c1 = v128.load(x);
  if (columns > 2) x += xColumn;
  const c2 = v128.load(x);
  if (columns > 3) x += xColumn;
  const c3 = v128.load(x);
  const low01 = v128.shuffle<f32>(c0, c1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(c2, c3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(c0, c1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(c2, c3, 2, 6, 3, 7);
  storeFirst(y, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), stored);
  if (height < 2) return;
  y += yLine;
  storeFirst(y, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), stored);
  if (height < 3) return;
  y += yLine;
  storeFirst(y, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), stored);
  if (height < 4) return;
  y += yLine;
  storeFirst(y, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), stored);
}
