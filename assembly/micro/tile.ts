/**
 * What all register tiles of one kernel call have in common. Lives at the start of the call's workspace.
 */
@unmanaged
export class Tile {
  /** Pointer groups per tile: `taps` × `rowPitch` addresses, each the start of `len` contiguous elements of one row of A.
   * A tap whose first address is 0 is zero in all rows. */
  taps: i32;
  len: i32;
  /** Bytes from one tap's addresses to those of the next: 4 · rows of a full tile. */
  rowPitch: usize;
  /** Added to every address of A: the channel offset of a group. */
  aOffset: usize;
  /** Bytes from row to row of B, 32 for packed panels. */
  bPitch: usize;
  /** Bytes from row to row of C. */
  cPitch: usize;
  /** Address of the residual minus address of C. */
  residual: usize;
  /** What the store does beside storing: bits of Epilogue. */
  epilogue: i32;
  /** Activation of the sweep (common/activation.ts) and its parameters; for clamp the least and the greatest value. */
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
  /** Any other activation: a second look at what has just been stored (sweep.ts). */
  activateStored = 4,
  /** Matmul alone: there is a bias. */
  hasBias = 256,
}

/** NaN survives: pmax(a, b) is `a < b ? b : a`. */
// @ts-ignore: decorator
@inline
export function clampTo(v: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, low), high);
}
