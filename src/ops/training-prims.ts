import { addJsPrims } from '../backend/js/prims.ts';
import { trainingJsPrims } from '../backend/js/training-prims.ts';
import { addTrainingWasmPrims } from '../backend/wasm/prims.ts';
import { trainingWasmPrims } from '../backend/wasm/training-prims.ts';

// Imported by training.ts: from here on the backends carry out the prims of training too.
addJsPrims(trainingJsPrims);
addTrainingWasmPrims(trainingWasmPrims);
