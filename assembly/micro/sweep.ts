import { activate, evaluate, Kind } from '../common/activation';
import { storeFirst } from '../common/tail';

/** Two vectors at a time (a row of a register tile is just that), which is a sixth faster; what is left over by calls. */
// @ts-ignore: decorator
@inline
function pairs(kind: i32, alpha: f32, beta: f32, c: usize, rows: i32, columns: i32, pitch: usize): void {
  do {
    let p = c;
    let n = columns;
    for (; n >= 8; n -= 8) {
      const u = evaluate(kind, alpha, beta, v128.load(p));
      const v = evaluate(kind, alpha, beta, v128.load(p, 16));
      v128.store(p, u);
      v128.store(p, v, 16);
      p += 32;
    }
    for (; n > 0; n -= 4) {
      storeFirst(p, activate(kind, alpha, beta, v128.load(p)), n);
      p += 16;
    }
    c += pitch;
    rows--;
  } while (rows);
}

// @ts-ignore: decorator
@inline
function loop(kind: i32, literal: bool, alpha: f32, beta: f32, c: usize, rows: i32, columns: i32, pitch: usize): void {
  do {
    let p = c;
    let n = columns;
    do {
      const v = v128.load(p);
      storeFirst(p, literal ? evaluate(kind, alpha, beta, v) : activate(kind, alpha, beta, v), n);
      p += 16;
      n -= 4;
    } while (n > 0);
    c += pitch;
    rows--;
  } while (rows);
}

/**
 * An activation applied to what has just been stored and is still in the first-level cache: `rows` × `columns` (both ≥ 1) at
 * `c`. The kinds that follow convolutions most have a loop of their own.
 */
export function sweep(kind: i32, alpha: f32, beta: f32, c: usize, rows: i32, columns: i32, pitch: usize): void {
  if (kind == Kind.silu) pairs(Kind.silu, alpha, beta, c, rows, columns, pitch);
  else if (kind == Kind.hardSwish) pairs(Kind.hardSwish, alpha, beta, c, rows, columns, pitch);
  else if (kind == Kind.leakyRelu) loop(Kind.leakyRelu, true, alpha, beta, c, rows, columns, pitch);
  else if (kind == Kind.sigmoid) loop(Kind.sigmoid, true, alpha, beta, c, rows, columns, pitch);
  else loop(kind, false, alpha, beta, c, rows, columns, pitch);
}
