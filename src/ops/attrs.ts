import type { ConvOps } from './conv/attrs.ts';
import type { CopyOps } from './copy/attrs.ts';
import type { ElementwiseOps } from './elementwise/attrs.ts';
import type { InterpolateOps } from './interpolate/attrs.ts';
import type { LossOps } from './loss/attrs.ts';
import type { MatmulOps } from './matmul/attrs.ts';
import type { NormOps } from './norm/attrs.ts';
import type { OptimizerOps } from './optimizer/attrs.ts';
import type { PoolOps } from './pool/attrs.ts';
import type { QuantizeOps } from './quantize/attrs.ts';
import type { RandomOps } from './random/attrs.ts';
import type { ReduceOps } from './reduce/attrs.ts';
import type { SampleOps } from './sample/attrs.ts';

/** Every op's attributes by its name. The compiler checks names and attributes against it wherever an op is applied. */
export interface Ops
  extends ConvOps,
    PoolOps,
    NormOps,
    ElementwiseOps,
    ReduceOps,
    MatmulOps,
    CopyOps,
    InterpolateOps,
    SampleOps,
    LossOps,
    RandomOps,
    OptimizerOps,
    QuantizeOps {}

export type OpName = keyof Ops;

/** The attributes as a last argument, which may be absent if all attributes are optional. */
export type WithAttrs<N extends OpName> = Record<never, never> extends Ops[N] ? [attrs?: Ops[N]] : [attrs: Ops[N]];
