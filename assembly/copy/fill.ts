import { fillWords } from './run';

@unmanaged
export class FillDesc {
  y: usize;
  bytes: i32;
  /** Bytes per work unit, a multiple of 4. */
  unit: i32;
  /** Four bytes of the repeated value. */
  pattern: u32;
}

export function fill(d: FillDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  const bytes = min(end * d.unit, d.bytes) - from;
  const y = d.y + <usize>from;
  fillWords(y, d.pattern, bytes >> 2);
  // Elements of one or two bytes may leave up to three bytes; the pattern starts again at every multiple of four.
  for (let at = bytes & ~3; at < bytes; at++) store<u8>(y + <usize>at, d.pattern >> ((at & 3) << 3));
}
