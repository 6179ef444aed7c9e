import { fma } from './simd';

/**
 * 1 if `fma` rounds once (relaxed build on a machine with FMA), 0 if it rounds twice. (1 + 2^-12)² is
 * 1 + 2^-11 + 2^-24; a product that is rounded to f32 loses the last term.
 */
export function fused(): i32 {
  const a = f32x4.splat(1.000244140625);
  return i32(v128.any_true(fma(a, a, f32x4.splat(-1.00048828125))));
}
