import type { EmbeddedTexts } from './embedded-kernels.ts';

/** As in embedded-kernels.ts, with the kernels of training: apart, so that inference does not carry them. */
export const trainingTexts: EmbeddedTexts = {
  simd: () => import('../abi/generated/kernels.simd-train.ts'),
  relaxed: () => import('../abi/generated/kernels.relaxed-train.ts'),
};
