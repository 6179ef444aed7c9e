import type { SpatialAttrs } from '../conv/attrs.ts';
import type { NoAttrs } from '../no-attrs.ts';

export interface ConvIntegerAttrs extends SpatialAttrs {
  readonly groups: number;
  /** What stands for zero in x; the padding has it too. */
  readonly xZeroPoint: number;
  readonly wZeroPoint: number;
}

export interface QuantizeOps {
  roundThrough: NoAttrs;
  convInteger: ConvIntegerAttrs;
}
