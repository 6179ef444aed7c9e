import { activate, Kind } from '../common/activation';
import { paired } from '../common/elementwise';
import { storeFirst } from '../common/tail';

// @ts-ignore: decorator
@inline
function each(kind: i32, alpha: f32, beta: f32, c: usize, rows: i32, columns: i32, pitch: usize): void {
  do {
    paired(kind, alpha, beta, c, c, columns);
    c += pitch;
    rows--;
  } while (rows);
}

function others(kind: i32, alpha: f32, beta: f32, c: usize, rows: i32, columns: i32, pitch: usize): void {
  do {
    let p = c;
    let n = columns;
    do {
      storeFirst(p, activate(kind, alpha, beta, v128.load(p)), n);
      p += 16;
      n -= 4;
    } while (n > 0);
    c += pitch;
    rows--;
  } while (rows);
}

/**
 * Applies an activation to results that have just been stored and are still in the first-level cache: `rows` × `columns` (both
 * ≥ 1) at `c`. The kinds that follow convolutions most often have separate loops.
 */
export function sweep(kind: i32, alpha: f32, beta: f32, c: usize, rows: i32, columns: i32, pitch: usize): void {
  if (kind == Kind.silu) each(Kind.silu, alpha, beta, c, rows, columns, pitch);
  else if (kind == Kind.hardSwish) each(Kind.hardSwish, alpha, beta, c, rows, columns, pitch);
  else if (kind == Kind.leakyRelu) each(Kind.leakyRelu, alpha, beta, c, rows, columns, pitch);
  else if (kind == Kind.sigmoid) each(Kind.sigmoid, alpha, beta, c, rows, columns, pitch);
  else others(kind, alpha, beta, c, rows, columns, pitch);
}
