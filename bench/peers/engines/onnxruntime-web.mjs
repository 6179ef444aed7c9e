import * as ort from 'onnxruntime-web';
import { createSession } from './onnxruntime.mjs';

export function create({ threads, ...given }) {
  ort.env.wasm.numThreads = threads;
  return createSession(ort, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }, given);
}
