import type { ConvPrims, ConvTrainingPrims } from './conv.ts';
import type { CopyPrims } from './copy.ts';
import type { ElementwisePrims, ElementwiseTrainingPrims } from './elementwise.ts';
import type { HostPrims } from './host.ts';
import type { InterpolatePrims } from './interpolate.ts';
import type { LossTrainingPrims } from './loss.ts';
import type { MatmulPrims } from './matmul.ts';
import type { NormPrims, NormTrainingPrims } from './norm.ts';
import type { OptimizerTrainingPrims } from './optimizer.ts';
import type { PoolPrims, PoolTrainingPrims } from './pool.ts';
import type { ReducePrims, ReduceTrainingPrims } from './reduce.ts';

/**
 * The primitive operations that a backend implements; ops are lowered to them. A prim does not use logical shapes:
 * its attributes give every extent, and its tensors are plain memory. If a prim has channels, they are the innermost (contiguous)
 * dimension. The plain JS implementation of a prim (js/FAMILY/) is its specification.
 * A family's file has the attributes of its prims, by name.
 */
export interface Prims
  extends ConvPrims,
    PoolPrims,
    NormPrims,
    ElementwisePrims,
    ReducePrims,
    MatmulPrims,
    CopyPrims,
    InterpolatePrims,
    HostPrims,
    TrainingPrims {}

/** The prims that only training needs: gradients, statistics of a batch, losses and optimizer updates. */
export interface TrainingPrims
  extends ConvTrainingPrims,
    PoolTrainingPrims,
    NormTrainingPrims,
    ElementwiseTrainingPrims,
    ReduceTrainingPrims,
    LossTrainingPrims,
    OptimizerTrainingPrims {}

export type PrimName = keyof Prims;
