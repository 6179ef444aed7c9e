/**
 * Interpolation along one axis: x as [outer, input, inner], y[o, j, i] = Σ_t weight[j·taps + t] · x[o, index[j·taps + t], i];
 * an index of −1 stands for the value `extrapolation`. Inputs: x, index (int32 [output·taps]), weight
 * (float32 [output·taps]). Every resize is a chain of these prims; index and weight decide its kind.
 */
export interface ResampleAttrs {
  readonly outer: number;
  readonly input: number;
  readonly output: number;
  readonly inner: number;
  readonly taps: number;
  readonly extrapolation: number;
}
export const resampleInputs = { x: 0, index: 1, weight: 2 } as const;

export interface InterpolatePrims {
  resample: ResampleAttrs;
}
