import { conv } from './conv/conv.ts';
import { convTranspose } from './conv/conv-transpose.ts';
import { concat, expand, slice, tile, transpose } from './copy/copy.ts';
import { channelShuffle, depthToSpace, spaceToDepth } from './copy/depth-to-space.ts';
import { gather, gatherElements, gatherND } from './copy/gather.ts';
import { eyeLike, hardmax, oneHot, reverseSequence, trilu } from './copy/mask.ts';
import { pad } from './copy/pad.ts';
import { reshape } from './copy/reshape.ts';
import { scatterElements, scatterND } from './copy/scatter.ts';
import { compress, nonZero, unique } from './copy/select.ts';
import type { OpDef } from './core/op.ts';
import { findOp, opTable } from './core/op-table.ts';
import { binaryOps, where } from './elementwise/binary.ts';
import { cast } from './elementwise/cast.ts';
import { unaryOps } from './elementwise/unary.ts';
import { interpolate } from './interpolate/interpolate.ts';
import { matmul } from './matmul/matmul.ts';
import { batchNorm, batchNormTraining, groupNorm, instanceNorm, layerNorm, lrn, rmsNorm } from './norm/norm.ts';
import { maxUnpool } from './pool/max-unpool.ts';
import {
  adaptiveAveragePool,
  adaptiveMaxPool,
  averagePool,
  globalAveragePool,
  globalLpPool,
  globalMaxPool,
  lpPool,
  maxPool,
} from './pool/pool.ts';
import { convInteger, matmulInteger } from './quantize/integer.ts';
import { argReduceOps, reduceOps } from './reduce/reduce.ts';
import { softmaxOps } from './reduce/softmax.ts';
import { cumulativeOps, topK } from './reduce/sort.ts';
import { nonMaxSuppression, roiAlign } from './sample/detection.ts';
import { affineGrid, gridSample } from './sample/sample.ts';

/** All ops of inference, by family. training.ts adds those that only training needs. */
export const inferenceOps = opTable([
  // conv
  conv,
  convTranspose,
  // pool
  maxUnpool,
  maxPool,
  averagePool,
  lpPool,
  globalAveragePool,
  globalMaxPool,
  globalLpPool,
  adaptiveAveragePool,
  adaptiveMaxPool,
  // norm
  batchNorm,
  batchNormTraining,
  instanceNorm,
  groupNorm,
  layerNorm,
  rmsNorm,
  lrn,
  // elementwise
  ...binaryOps,
  where,
  cast,
  ...unaryOps,
  // reduce
  ...reduceOps,
  ...argReduceOps,
  ...softmaxOps,
  topK,
  ...cumulativeOps,
  // matmul
  matmul,
  // copy
  transpose,
  concat,
  slice,
  expand,
  tile,
  depthToSpace,
  spaceToDepth,
  channelShuffle,
  gather,
  gatherElements,
  gatherND,
  oneHot,
  trilu,
  eyeLike,
  hardmax,
  reverseSequence,
  pad,
  reshape,
  scatterElements,
  scatterND,
  nonZero,
  compress,
  unique,
  // interpolate
  interpolate,
  // sample
  nonMaxSuppression,
  roiAlign,
  gridSample,
  affineGrid,
  // quantize
  convInteger,
  matmulInteger,
]);

/** The op of that name. Throws `unknown-name`. */
export const getOp = (name: string): OpDef => findOp(inferenceOps, name);
