import type { TypedArray } from '../common/dtype.ts';

/** A shape and row-major elements; a Tensor or Variable is one. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** A number about predictions that grows batch by batch. */
export interface Metric {
  readonly name: string;
  /** Which of two values is the better one. */
  readonly better: 'higher' | 'lower';
  /** Takes a batch: what the model said and what was right. */
  update(output: Values, target: Values): void;
  /** The value for all batches since the last reset; NaN without any. */
  compute(): number;
  reset(): void;
  /** The state that `compute` reads, for JSON: a run can continue in the middle of an epoch after a restart. */
  stateDict(): readonly number[];
  loadStateDict(state: readonly number[]): void;
}
