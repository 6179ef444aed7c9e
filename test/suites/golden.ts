// npm run golden -- DIR: compares outputs and gradients with PyTorch's, on one backend. Without --backend: wasm, the best variant.
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import { createBackend } from '../../src/runtime/load.ts';
import { nodeTrainingPlatform } from '../../src/runtime/node-training.ts';
import { sharing } from '../support/sharing.ts';
import { GoldenSet } from './golden-set.ts';
import { parseSuite, runSuite } from './suite.ts';

const options = parseSuite('golden', 'a directory with manifest.json and the safetensors files that it names');
let set: GoldenSet;
try {
  set = new GoldenSet(options.path);
} catch (error) {
  console.error(`golden: ${(error as Error).message}`);
  process.exit(2);
}
const { backend: name = 'wasm', variant = 'auto' } = options.load;
if (!['wasm', 'js'].includes(name) || !['auto', 'simd', 'relaxed'].includes(variant)) {
  console.error(`golden: expects --backend js|wasm and --variant auto|simd|relaxed, got ${name} and ${variant}`);
  process.exit(2);
}
const backend = sharing(await createBackend(nodeTrainingPlatform, options.load, allPrims));

await runSuite(
  options,
  [...set.cases.keys(), ...set.schedules.keys()],
  async (id) => `largest difference ${set.run(id, backend)}`,
);
