// What every entry exports beside its own `load`.
export type { BigIntArray, DType, TypedArray } from '../common/dtype.ts';
export { ConvletError, type ConvletErrorCode } from '../common/error.ts';
export type { BlobLike, LoadProgress, ResponseLike, SignalLike, UrlLike } from '../common/source.ts';
export { type Tensor, tensor } from '../tensor/tensor.ts';
export type { LoadOptions, ModelSource } from './load.ts';
export type {
  InputData,
  MemoryReport,
  Model,
  ModelInput,
  ModelInputInfo,
  ModelMetadata,
  ModelOutput,
  ModelOutputInfo,
  OutputArrays,
  RunOptions,
} from './model.ts';
