import { allJsPrims } from '../js/training-prims.ts';
import type { TrainingPrims } from '../prims/index.ts';
import { convWeightGrad } from './conv/conv-weight-grad.ts';
import type { PrimTables, WasmPrimsOf } from './core/prim.ts';
import { unaryGrad } from './elementwise/unary-grad.ts';
import { crossEntropy, crossEntropyGrad } from './loss/loss.ts';
import { batchNormGrad, batchNormTraining, lrnGrad, normalizeGrad } from './norm/norm-grad.ts';
import { optimizerStep } from './optimizer/optimizer.ts';
import { adaptivePoolGrad, poolGrad } from './pool/pool-grad.ts';
import { wasmPrims } from './prims.ts';
import { softmaxGrad } from './reduce/softmax-grad.ts';

/** As inference's table, for the prims that only training needs. */
const trainingWasmPrims: WasmPrimsOf<keyof TrainingPrims> = {
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

/** Every prim, which the ops of ops/training.ts need: `init` builds its backends with them. */
export const allPrims = {
  js: allJsPrims,
  wasm: { ...wasmPrims, ...trainingWasmPrims },
} satisfies PrimTables;
