import { copyRun } from './run';

/** y[o, j] = x[o, index[j]], each a run of `bytes` bytes. Indices are in −length..length−1: the host has checked them. */
@unmanaged
export class TakeDesc {
  x: usize;
  index: usize;
  y: usize;
  length: i32;
  count: i32;
  bytes: i32;
  /** Runs per work unit. */
  unit: i32;
  /** outer · count. */
  total: i32;
}

export function take(d: TakeDesc, begin: i32, end: i32): void {
  const bytes = d.bytes;
  const from = begin * d.unit;
  const to = min(end * d.unit, d.total);
  let o = from / d.count;
  let j = from - o * d.count;
  let x = d.x + <usize>(o * d.length) * <usize>bytes;
  let y = d.y + <usize>from * <usize>bytes;
  for (let run = from; run < to; run++) {
    let i = load<i32>(d.index + (<usize>j << 2));
    if (i < 0) i += d.length;
    const source = x + <usize>i * <usize>bytes;
    if (bytes == 4) store<u32>(y, load<u32>(source));
    else copyRun(y, source, bytes);
    y += <usize>bytes;
    if (++j == d.count) {
      j = 0;
      x += <usize>d.length * <usize>bytes;
    }
  }
}
