import type { OptimizerKind } from '../../backend/prims/optimizer.ts';
import type { NoAttrs } from '../no-attrs.ts';

/** Kinds that are ops (lambApply is a part of lamb). */
export type UpdateKind = Exclude<OptimizerKind, 'lambApply'>;

type UpdateOps = { [K in UpdateKind as `${K}Step`]: NoAttrs };

export interface OptimizerOps extends UpdateOps {}
