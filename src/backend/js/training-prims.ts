import type { JsPrims } from '../backend.ts';
import type { TrainingPrims } from '../prims/index.ts';
import { convWeightGrad } from './conv/conv-weight-grad.ts';
import { unaryGrad } from './elementwise/unary-grad.ts';
import { crossEntropy, crossEntropyGrad } from './loss/loss.ts';
import { batchNormGrad, lrnGrad, normalizeGrad } from './norm/norm-grad.ts';
import { optimizerStep } from './optimizer/optimizer.ts';
import { adaptivePoolGrad, poolGrad } from './pool/pool-grad.ts';
import { jsPrims } from './prims.ts';
import { softmaxGrad } from './reduce/softmax-grad.ts';

/** The prims that only training needs. */
const trainingJsPrims: Omit<Pick<JsPrims, keyof TrainingPrims>, 'batchNormTraining'> = {
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

/** Every prim: the type makes the compiler report a missing one. */
export const allJsPrims: JsPrims = { ...jsPrims, ...trainingJsPrims };
