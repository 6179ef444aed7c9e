// What every entry of convlet/train exports beside its own `init`.
export {
  checkpoint,
  type Engine,
  engine,
  Function,
  FunctionContext,
  type GradOptions,
  grad,
  isGradEnabled,
  noGrad,
  type Values,
  Variable,
  variable,
} from '../autograd/index.ts';
export type { DType, TypedArray } from '../common/dtype.ts';
export { ConvletError, type ConvletErrorCode } from '../common/error.ts';
export { type Files, useFiles } from '../common/files.ts';
export { defaultGenerator, Generator, seed } from '../common/random.ts';
export type { Structure } from '../common/structure.ts';
export * as data from '../data/index.ts';
export { type CompiledModel, type CompileModelOptions, compileModel } from '../nn/compile-model.ts';
export { type CompiledStep, type CompileStepOptions, compileStep } from '../nn/compile-step.ts';
export {
  arange,
  type CreateOptions,
  eye,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from '../nn/functional/create.ts';
export { rand, randint, randLike, randn, randnLike } from '../nn/functional/random.ts';
export { F } from '../nn/functional.ts';
export * as metrics from '../nn/metrics.ts';
export * as nn from '../nn/modules.ts';
export { type LayerSummary, type ModelSummary, type SummaryOptions, summary } from '../nn/summary.ts';
export * as optim from '../optim/index.ts';
export { type Tensor, tensor } from '../tensor/tensor.ts';
export * from '../train/index.ts';
export type { Init, InitOptions } from './init.ts';
