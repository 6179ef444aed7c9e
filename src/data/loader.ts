import { allocateArray, type DType, dtypeOf, type TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { anything, checkCall, flag, type KnownOf, kind, shown, whole } from '../common/options.ts';
import type { Structure } from '../common/structure.ts';
import { elementCount } from '../tensor/layout.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { type AnySample, type Dataset, isValues, type Values } from './dataset.ts';
import { sampleGenerator } from './random.ts';

/** Samples put together. */
export interface Batch<I = Tensor, T = Tensor> {
  /** [N, …input]; an array or record of such where samples have several inputs. */
  readonly input: I;
  /** Classes: int64 [N]; values: [N, …target]; an array or record of such where samples have several targets. */
  readonly target: T;
  /** The samples' numbers in the data set. */
  readonly indices: Uint32Array;
  /** The batch's number in its epoch. */
  readonly number: number;
}

export type AnyBatch = Batch<Structure<Tensor>, Structure<Tensor>>;
export type AnyLoader = DataLoader<Structure<Tensor>, Structure<Tensor>>;

/** Makes a batch's tensors from its samples. */
export type Collate = (
  samples: readonly AnySample[],
  indices: Uint32Array,
) => { input: Structure<Tensor>; target: Structure<Tensor> };

export interface LoaderOptions {
  /** Default 1. */
  readonly batchSize?: number;
  /** Another order in every epoch (default false: the data set's). */
  readonly shuffle?: boolean;
  /** Leaves a last batch out that is smaller than the others. */
  readonly dropLast?: boolean;
  /** Of the order and of augmentation. Default 0. */
  readonly seed?: number;
  /** Batches that are prepared while one is being used (default 1; 0: none). */
  readonly prefetch?: number;
  readonly collate?: Collate;
}

const loaderKnown: KnownOf<LoaderOptions> = {
  batchSize: whole(1),
  shuffle: flag,
  dropLast: flag,
  seed: whole(0),
  prefetch: whole(0),
  collate: kind('a function', (value) => typeof value === 'function'),
};

/** Where a loader is: enough to go on from there. */
export interface LoaderState {
  readonly epoch: number;
  readonly batch: number;
}

/**
 * Batches of a data set, epoch after epoch. Order and augmentation depend on seed and epoch only, so that going on from a
 * `state` gives what an uninterrupted run would have seen.
 *
 * ```ts
 * const loader = new DataLoader(dataset, { batchSize: 64, shuffle: true, seed: 1 });
 * for await (const { input, target } of loader) …   // the first epoch
 * for await (const { input, target } of loader) …   // the second
 * ```
 */
export class DataLoader<I extends Structure<Tensor> = Tensor, T extends Structure<Tensor> = Tensor>
  implements AsyncIterable<Batch<I, T>>
{
  static readonly name: string = 'DataLoader';

  readonly dataset: Dataset;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
  readonly prefetch: number;
  private readonly collate: Collate;
  private position: LoaderState = { epoch: 0, batch: 0 };

  constructor(dataset: Dataset, options: LoaderOptions = {}, ...surplus: never[]) {
    checkCall('DataLoader', { args: { dataset: anything }, options: loaderKnown }, [dataset, options, ...surplus]);
    const { batchSize = 1, shuffle = false, dropLast = false, seed = 0, prefetch = 1 } = options;
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.seed = seed;
    this.prefetch = prefetch;
    this.collate = options.collate ?? collate;
    if (this.length === 0)
      throw new ConvletError('argument', `DataLoader: ${dataset.length} samples make no batch of ${batchSize}`);
  }

  /** Batches per epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** The next batch to come; writing it jumps there. */
  get state(): LoaderState {
    return this.position;
  }

  set state({ epoch, batch }: LoaderState) {
    if (!Number.isInteger(epoch) || epoch < 0 || !Number.isInteger(batch) || batch < 0 || batch > this.length)
      throw new ConvletError(
        'index-range',
        `DataLoader: state expects an epoch ≥ 0 and a batch in 0 … ${this.length}, got ${epoch}, ${batch}`,
      );
    this.position = batch === this.length ? { epoch: epoch + 1, batch: 0 } : { epoch, batch };
  }

  /** The samples of an epoch, in their order. */
  order(epoch: number): Uint32Array {
    const { length } = this.dataset;
    return this.shuffle
      ? sampleGenerator(this.seed, epoch, -1).permutation(length)
      : Uint32Array.from({ length }, (_, i) => i);
  }

  /** What is left of the present epoch. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<I, T>, void, void> {
    const { epoch, batch: first } = this.position;
    const order = this.order(epoch);
    const waiting: Promise<Batch<I, T>>[] = [];
    let next = first;
    const begin = (): void => {
      const promise = this.batch(order, epoch, next++);
      // A consumer that stops early leaves batches behind that nobody awaits.
      promise.catch(() => {});
      waiting.push(promise);
    };
    for (let at = first; at < this.length; at++) {
      if (next === at) begin();
      const batch = await waiting.shift()!;
      while (next < this.length && waiting.length < this.prefetch) begin();
      this.state = { epoch, batch: at + 1 };
      yield batch;
    }
  }

  /** One batch of an epoch, without moving there. */
  load(epoch: number, number: number): Promise<Batch<I, T>> {
    return this.batch(this.order(epoch), epoch, number);
  }

  private async batch(order: Uint32Array, epoch: number, number: number): Promise<Batch<I, T>> {
    const indices = order.subarray(number * this.batchSize, (number + 1) * this.batchSize);
    const pass = { seed: this.seed, epoch };
    const samples = new Array<AnySample | Promise<AnySample>>(indices.length);
    for (let i = 0; i < indices.length; i++) samples[i] = this.dataset.get(indices[i], pass);
    const found = await Promise.all(samples);
    const bad = found.findIndex((sample) => typeof sample?.input !== 'object' || sample.target === undefined);
    if (bad >= 0) {
      const what = `sample ${indices[bad]} of ${this.dataset.constructor.name}`;
      throw new ConvletError('argument', `DataLoader: ${what} expects { input, target }, got ${shown(found[bad])}`);
    }
    const { input, target } = this.collate(found, indices);
    return { input: input as I, target: target as T, indices, number };
  }
}

/** The class that losses leave out, by PyTorch's default. */
const ignoredClass = -100;

/**
 * Stacks inputs and targets of equal shapes, each part of an array or record by itself. Throws `shape` naming the sample that
 * differs, `index-range` for a bad class.
 */
export const collate: Collate = (samples, indices) => ({
  input: together(
    'input',
    samples.map((sample) => sample.input),
    indices,
  ),
  target: together(
    'target',
    samples.map((sample) => sample.target),
    indices,
  ),
});

type Part = Structure<Values | number>;

/** The samples' values of one place as a tensor, or of several places in the structure that the first sample has. */
function together(what: string, parts: readonly Part[], indices: Uint32Array): Structure<Tensor> {
  const [first] = parts;
  if (typeof first === 'number') return classesOf(what, parts, indices);
  if (isValues(first)) return stack(what, parts as readonly Values[], indices);
  const at = (part: Part, key: string | number): Part => (part as { readonly [key: string]: Part })[key];
  const of = (key: string | number): Structure<Tensor> =>
    together(
      `${what}${typeof key === 'number' ? `[${key}]` : `.${key}`}`,
      parts.map((part) => at(part, key)),
      indices,
    );
  if (Array.isArray(first)) return first.map((_, i) => of(i));
  if (typeof first === 'object' && first !== null)
    return Object.fromEntries(Object.keys(first).map((key) => [key, of(key)]));
  throw new ConvletError(
    'argument',
    `DataLoader: ${what} of sample ${indices[0]} expects { shape, data }, a class, or arrays and records of them, got ${String(first)}`,
  );
}

function classesOf(what: string, parts: readonly Part[], indices: Uint32Array): Tensor {
  const classes = new Int32Array(parts.length);
  for (const [i, target] of parts.entries()) {
    const isClass = Number.isInteger(target) && (target as number) >= 0 && (target as number) <= 0x7fffffff;
    if (typeof target !== 'number' || !(isClass || target === ignoredClass)) {
      const got = typeof target === 'number' ? `${target}; give fractions as { shape: [], data }` : 'values';
      throw new ConvletError(
        'index-range',
        `DataLoader: ${what} of sample ${indices[i]} expects a class ≥ 0, got ${got}`,
      );
    }
    classes[i] = target;
  }
  return tensor(classes, [parts.length], 'int64');
}

function stack(what: string, values: readonly Values[], indices: Uint32Array): Tensor {
  const { shape } = values[0];
  const size = elementCount(shape);
  let out: TypedArray | null = null;
  let dtype: DType = 'float32';
  for (const [i, value] of values.entries()) {
    if (!isValues(value))
      throw new ConvletError(
        'shape',
        `DataLoader: ${what} of sample ${indices[i]} expects { shape, data } as sample ${indices[0]}, got ${String(value)}`,
      );
    // Read once: a tensor's `data` is a copy.
    const { data } = value;
    if (out === null) {
      dtype = value.dtype ?? dtypeOf(data);
      out = allocateArray(dtype, values.length * size);
    }
    if (shapeText(value.shape) !== shapeText(shape) || data.length !== size) {
      throw new ConvletError(
        'shape',
        `DataLoader: ${what} of sample ${indices[i]} expects shape ${shapeText(shape)} as sample ${indices[0]} of its batch, ` +
          `got ${shapeText(value.shape)} (${data.length} elements)`,
      );
    }
    out.set(data, i * size);
  }
  return tensor(out!, [values.length, ...shape], dtype);
}
