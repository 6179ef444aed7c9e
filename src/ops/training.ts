import { convWeightGrad } from './conv/conv-weight-grad.ts';
import { fold, unfold } from './conv/unfold.ts';
import { padGrad, sliceGrad } from './copy/copy-grad.ts';
import { gatherGrad, gatherNDGrad } from './copy/gather-grad.ts';
import type { OpDef } from './core/op.ts';
import { findOp, opTable } from './core/op-table.ts';
import { assign } from './elementwise/assign.ts';
import { unaryGrad } from './elementwise/unary-grad.ts';
import { inferenceOps } from './index.ts';
import { interpolateGrad } from './interpolate/interpolate-grad.ts';
import { ctcLoss } from './loss/ctc.ts';
import { crossEntropyGrad, crossEntropyOps } from './loss/loss.ts';
import { batchNormGrad, groupNormGrad, layerNormGrad, lrnGrad } from './norm/norm-grad.ts';
import { optimizerOps } from './optimizer/optimizer.ts';
import {
  adaptiveAveragePoolGrad,
  adaptiveMaxPoolGrad,
  averagePoolGrad,
  lpPoolGrad,
  maxPoolGrad,
} from './pool/pool-grad.ts';
import { roundThrough } from './quantize/round-through.ts';
import { draw } from './random/draw.ts';
import { dropoutMask } from './random/dropout.ts';
import { cumProdGrad } from './reduce/cumulative-grad.ts';
import { softmaxGrad } from './reduce/softmax-grad.ts';
import { gridSampleGrad } from './sample/sample-grad.ts';

/** Every op, including gradients, losses and updates. Inference does not import this file. */
export const trainingOps = opTable([
  ...inferenceOps.values(),
  // conv
  convWeightGrad,
  unfold,
  fold,
  // pool
  maxPoolGrad,
  averagePoolGrad,
  lpPoolGrad,
  adaptiveAveragePoolGrad,
  adaptiveMaxPoolGrad,
  // norm
  batchNormGrad,
  groupNormGrad,
  layerNormGrad,
  lrnGrad,
  // elementwise
  assign,
  unaryGrad,
  // reduce
  cumProdGrad,
  softmaxGrad,
  // copy
  sliceGrad,
  padGrad,
  gatherGrad,
  gatherNDGrad,
  // interpolate
  interpolateGrad,
  // sample
  gridSampleGrad,
  // loss
  ctcLoss,
  ...crossEntropyOps,
  crossEntropyGrad,
  // random
  dropoutMask,
  draw,
  // optimizer
  ...optimizerOps,
  // quantize
  roundThrough,
]);

/** The op of that name. Throws `unknown-name`. */
export const getOp = (name: string): OpDef => findOp(trainingOps, name);
