// Runs of bytes.
import { storeFirst } from '../common/tail';

/** Like memory.copy, but with a loop for short runs: a call of memory.copy costs as much as copying about a kilobyte. */
export function copyRun(to: usize, from: usize, bytes: i32): void {
  if (bytes >= 1024) {
    memory.copy(to, from, bytes);
    return;
  }
  for (; bytes >= 16; bytes -= 16) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
  if (bytes & 8) {
    store<u64>(to, load<u64>(from));
    to += 8;
    from += 8;
  }
  if (bytes & 4) {
    store<u32>(to, load<u32>(from));
    to += 4;
    from += 4;
  }
  if (bytes & 2) {
    store<u16>(to, load<u16>(from));
    to += 2;
    from += 2;
  }
  if (bytes & 1) store<u8>(to, load<u8>(from));
}

/** n times the 4 bytes of `pattern`. */
export function fillWords(y: usize, pattern: u32, n: i32): void {
  const v = i32x4.splat(pattern);
  for (; n >= 4; n -= 4) {
    v128.store(y, v);
    y += 16;
  }
  if (n > 0) storeFirst(y, v, n);
}
