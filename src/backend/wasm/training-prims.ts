import { convWeightGrad } from './conv-weight-grad.ts';
import { crossEntropy, crossEntropyGrad } from './loss.ts';
import { batchNormGrad, batchNormTraining, lrnGrad, normalizeGrad } from './norm-grad.ts';
import { optimizerStep } from './optimizer.ts';
import { adaptivePoolGrad, poolGrad } from './pool-grad.ts';
import type { WasmPrims } from './prims.ts';
import { softmaxGrad } from './softmax-grad.ts';
import { unaryGrad } from './unary-grad.ts';

/** The prims that only training needs and that have kernels. */
export const trainingWasmPrims: WasmPrims = {
  adaptivePoolGrad,
  batchNormGrad,
  batchNormTraining,
  convWeightGrad,
  crossEntropy,
  crossEntropyGrad,
  lrnGrad,
  normalizeGrad,
  optimizerStep,
  poolGrad,
  softmaxGrad,
  unaryGrad,
};
