// What pools and their gradients share.

/** @abi */
export const enum Pool {
  max,
  average,
  /** Lp with p = 1: the sum of the magnitudes. */
  lp1,
  /** Lp with p = 2: the root of the sum of squares. */
  lp2,
}

/** Whether the windows of a row are 2×2 and adjacent, and all inside the input along W. */
// @ts-ignore: decorator
@inline
export function areQuads(
  kernelH: i32, kernelW: i32, strideW: i32, dilationH: i32, dilationW: i32, padW: i32, outputW: i32, inputW: i32,
): bool {
  return kernelH == 2 && kernelW == 2 && strideW == 2 &&
    dilationH == 1 && dilationW == 1 && padW == 0 && 2 * outputW <= inputW;
}

/** How many of the k taps of a window, which begins at `first`, are before `position`. */
// @ts-ignore: decorator
@inline
export function tapsBefore(position: i32, first: i32, dilation: i32, k: i32): i32 {
  const span = position - first;
  if (span <= 0) return 0;
  return min(dilation == 1 ? span : (span + dilation - 1) / dilation, k);
}
