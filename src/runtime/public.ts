// What every entry exports beside its own `load`.
export type { DType, TypedArray } from '../common/dtype.ts';
export { ConvletError, type ConvletErrorCode } from '../common/error.ts';
export { type Tensor, tensor } from '../tensor/tensor.ts';
export type { LoadOptions, ModelSource } from './load.ts';
export type {
  MemoryReport,
  Model,
  ModelInput,
  ModelInputInfo,
  ModelOutput,
  ModelOutputInfo,
  OutputArrays,
  RunOptions,
} from './model.ts';
