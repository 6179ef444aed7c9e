/**
 * What all register tiles of one kernel call have in common. The record is at the start of the call's workspace.
 */
@unmanaged
export class Tile {
  /**
   * Taps of a row of A. A record has `rowPitch` bytes of addresses per tap, one address for each row: the start of `len` contiguous
   * elements. A tap whose first address is 0 is zero in all rows.
   */
  taps: i32;
  len: i32;
  /** Distance of the addresses of two taps: 4 · rows of a full tile. */
  rowPitch: usize;
  /** Added to every address of A: the channel offset of a group. */
  aOffset: usize;
  /** Bytes from row to row of B, 32 for packed panels. */
  bPitch: usize;
  /** Bytes from row to row of C. */
  cPitch: usize;
  /** Address of the residual minus address of C. */
  residual: usize;
  /** What is done to results when they are stored: bits of Epilogue. */
  epilogue: i32;
  /** The activation (a Kind of common/activation.ts) and its parameters; for `clamp` the least and the greatest value. */
  kind: i32;
  alpha: f32;
  beta: f32;
}

/** What is done to a result before it is stored. @abi */
export const enum Epilogue {
  /** Add the residual before the activation. */
  addResidual = 1,
  /** relu and clip, in registers. */
  clamp = 2,
  /** Any other activation, applied after the results have been stored (sweep.ts). */
  activateStored = 4,
  /** Only for matmul: there is a bias. */
  hasBias = 256,
}

/** Keeps NaN: pmax(a, b) is `a < b ? b : a`. */
// @ts-ignore: decorator
@inline
export function clampTo(v: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, low), high);
}
