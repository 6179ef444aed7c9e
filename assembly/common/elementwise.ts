// y[i] = f(x[i]) over a run, for kernels of their own and for the activation of others. y may be x.
import { evaluate } from './activation';
import { storeFirst } from './tail';

/**
 * Two vectors at a time, which is a sixth faster than one by one; `kind` is a literal. Rejected for sigmoid and SiLU: six side by
 * side, so that each constant is loaded once: a tenth faster alone, nothing behind the tiles of EfficientNet-B0. Without its
 * division SiLU takes nine tenths of the time: instructions are what counts.
 */
// @ts-ignore: decorator
@inline
export function paired(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  for (; n >= 8; n -= 8) {
    const u = evaluate(kind, alpha, beta, v128.load(x));
    const v = evaluate(kind, alpha, beta, v128.load(x, 16));
    v128.store(y, u);
    v128.store(y, v, 16);
    x += 32;
    y += 32;
  }
  for (; n > 0; n -= 4) {
    storeFirst(y, evaluate(kind, alpha, beta, v128.load(x)), n);
    x += 16;
    y += 16;
  }
}
