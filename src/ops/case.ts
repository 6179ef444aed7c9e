// Helpers of the ops' cases.

import type { SpatialAttrs } from './conv/attrs.ts';
import type { OpCaseInput } from './core/op.ts';

/** Attributes of a case: the given ones over stride 1, dilation 1, no padding. */
export function caseSpatial(rank: number, given: Partial<SpatialAttrs> = {}): SpatialAttrs {
  const all = (value: number): number[] => new Array<number>(rank).fill(value);
  return { stride: all(1), padBegin: all(0), padEnd: all(0), dilation: all(1), ...given };
}

export const random = (...shape: number[]): OpCaseInput => ({ shape });
