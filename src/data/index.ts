// The namespace `data` of convlet/train.
export { CIFAR10, type CIFAR10Options } from './cifar10.ts';
export {
  type Dataset,
  type Found,
  type Pass,
  type Sample,
  Subset,
  slice,
  split,
  TensorDataset,
  type TensorDatasetOptions,
  type Transform,
  TransformedDataset,
  type Values,
} from './dataset.ts';
export { type Batch, type Collate, collate, DataLoader, type LoaderOptions, type LoaderState } from './loader.ts';
export { type Idx, MNIST, type MNISTOptions, type MNISTReadOptions, readIdx } from './mnist.ts';
export {
  type CropOptions,
  type ErasingOptions,
  normalize,
  type PaddingMode,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
} from './transforms.ts';
