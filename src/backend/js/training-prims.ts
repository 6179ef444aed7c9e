import type { JsPrims } from '../backend.ts';
import type { TrainingPrims } from '../prims.ts';
import { convWeightGrad } from './conv-weight-grad.ts';
import { crossEntropy, crossEntropyGrad } from './loss.ts';
import { batchNormGrad, lrnGrad, normalizeGrad } from './norm-grad.ts';
import { optimizerStep } from './optimizer.ts';
import { adaptivePoolGrad, poolGrad } from './pool-grad.ts';
import { softmaxGrad } from './softmax-grad.ts';
import { unaryGrad } from './unary-grad.ts';

/** The prims that only training needs. */
export const trainingJsPrims: Omit<Pick<JsPrims, keyof TrainingPrims>, 'batchNormTraining'> = {
  adaptivePoolGrad,
  batchNormGrad,
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
