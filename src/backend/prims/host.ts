import type { Tensor } from '../../tensor/tensor.ts';

/** A function in plain JS over whole tensors, for ops without a hot loop (NonMaxSuppression, TopK, Scatter…). */
export interface HostAttrs {
  readonly name: string;
  /** Reads the inputs' `array`s and writes the outputs' `array`s. */
  readonly run: (inputs: readonly (Tensor | null)[], outputs: readonly Tensor[]) => void;
}

export interface HostPrims {
  host: HostAttrs;
}
