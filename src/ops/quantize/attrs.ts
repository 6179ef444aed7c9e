import type { SpatialAttrs } from '../conv/attrs.ts';
import type { NoAttrs } from '../no-attrs.ts';

export interface ConvIntegerAttrs extends SpatialAttrs {
  readonly groups: number;
}

export interface QuantizeOps {
  roundThrough: NoAttrs;
  convInteger: ConvIntegerAttrs;
  matmulInteger: NoAttrs;
}
