import ort from 'onnxruntime-node';
import { createSession } from './onnxruntime.mjs';

export function create({ threads, ...given }) {
  const options = {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  };
  return createSession(ort, options, given);
}
