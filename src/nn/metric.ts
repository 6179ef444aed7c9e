import type { TypedArray } from '../common/dtype.ts';

/** A shape and row-major elements; a Tensor or Variable is one. */
export interface Values {
  /** Dimensions. */
  readonly shape: readonly number[];
  /** Elements, row-major. */
  readonly data: TypedArray;
}

/** A number about predictions that grows batch by batch. */
export interface Metric {
  /** The name in records; 'val_' is put in front for the validation. */
  readonly name: string;
  /** Which of two values is the better one. */
  readonly better: 'higher' | 'lower';
  /** Adds a batch: the model's output and the targets. */
  update(output: Values, target: Values): void;
  /** The value for all batches since the last reset; NaN without any. */
  compute(): number;
  /** Begins anew. */
  reset(): void;
  /** The state that `compute` reads, for JSON: a run can continue in the middle of an epoch after a restart. */
  stateDict(): readonly number[];
  /** Goes on from what stateDict gave. */
  loadStateDict(state: readonly number[]): void;
}
