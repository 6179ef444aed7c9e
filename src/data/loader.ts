import { allocateArray, type DType, dtypeOf, type TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { checkCall, flag, type KnownOf, kind, whole } from '../common/options.ts';
import type { Structure } from '../common/structure.ts';
import { elementCount } from '../tensor/layout.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { inspect } from '../tensor/text.ts';
import {
  type AnySample,
  type Dataset,
  datasetKind,
  type Found,
  isValues,
  located,
  read,
  type Values,
} from './dataset.ts';
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

/** Of DataLoader. */
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
  /** Makes a batch of samples; default: `collate`. */
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

/** A batch, and the numbers of the samples that were left out of it; null if that were all. */
interface Loaded<I extends Structure<Tensor>, T extends Structure<Tensor>> {
  readonly batch: Batch<I, T> | null;
  readonly skipped: Uint32Array;
}

/** Where a loader is: enough to go on from there. */
export interface LoaderState {
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  /** Number of the next batch. */
  readonly batch: number;
}

/**
 * Batches of a data set, epoch after epoch. Order and augmentation depend on seed and epoch only, so that going on from a
 * `state` gives what an uninterrupted run would have seen. A loop that is left before its end is not gone on with: the next
 * one begins a new epoch, unless `state` is written.
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

  /** Where samples come from. */
  readonly dataset: Dataset;
  /** Samples of a batch. */
  readonly batchSize: number;
  /** Whether each epoch has an order of its own. */
  readonly shuffle: boolean;
  /** Whether a last batch of fewer samples is left out. */
  readonly dropLast: boolean;
  /** Of order and transforms. */
  readonly seed: number;
  /** Batches that are made ahead. */
  readonly prefetch: number;
  private readonly collate: Collate;
  private position: LoaderState = { epoch: 0, batch: 0 };
  private readonly leftOut: number[] = [];
  /** The position at which a loop was left before its end. */
  private abandoned: LoaderState | null = null;

  constructor(dataset: Dataset, options: LoaderOptions = {}, ...surplus: never[]) {
    checkCall('DataLoader', { args: { dataset: datasetKind }, options: loaderKnown, needed: 1 }, [
      dataset,
      options,
      ...surplus,
    ]);
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

  /** Numbers of the samples that the data set has left out (`get` gave null) of the present or last loop's batches. */
  get skipped(): readonly number[] {
    return this.leftOut;
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

  /** The present epoch, or what is left of it where `state` has been written. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<I, T>, void, void> {
    let mine: LoaderState | null = null;
    let isOver = false;
    this.leftOut.length = 0;
    try {
      for await (const { batch, skipped, after } of this.walk()) {
        this.state = after;
        mine = this.position;
        this.leftOut.push(...skipped);
        if (batch !== null) yield batch;
      }
      isOver = true;
    } finally {
      // A state that the loop's body has written stands.
      if (!isOver && mine === this.position && mine.batch > 0) this.abandoned = mine;
    }
  }

  /** The batches that a loop would give; the loader stays where it is. */
  async *batches(): AsyncGenerator<Batch<I, T>, void, void> {
    for await (const { batch } of this.walk()) if (batch !== null) yield batch;
  }

  /** Batches, what was left out of each, and the state after each. */
  private async *walk(): AsyncGenerator<Loaded<I, T> & { readonly after: LoaderState }, void, void> {
    const { position } = this;
    const { epoch, batch: first } = position === this.abandoned ? { epoch: position.epoch + 1, batch: 0 } : position;
    const order = this.order(epoch);
    const waiting: Promise<Loaded<I, T>>[] = [];
    let next = first;
    let isEmpty = first === 0;
    const begin = (): void => {
      const promise = this.batch(order, epoch, next++);
      // A consumer that stops early leaves batches that are never awaited.
      promise.catch(() => {});
      waiting.push(promise);
    };
    for (let at = first; at < this.length; at++) {
      if (next === at) begin();
      const loaded = await waiting.shift()!;
      while (next < this.length && waiting.length < this.prefetch) begin();
      if (loaded.batch !== null) isEmpty = false;
      yield { ...loaded, after: { epoch, batch: at + 1 } };
    }
    if (isEmpty) throw new ConvletError('argument', `DataLoader: all ${this.dataset.length} samples were left out`);
  }

  /**
   * One batch of an epoch, without moving there.
   *
   * @throws ConvletError `argument` where all of its samples were left out
   */
  async load(epoch: number, number: number): Promise<Batch<I, T>> {
    const { batch } = await this.batch(this.order(epoch), epoch, number);
    if (batch !== null) return batch;
    throw new ConvletError('argument', `DataLoader: all samples of batch ${number} of epoch ${epoch} were left out`);
  }

  private async batch(order: Uint32Array, epoch: number, number: number): Promise<Loaded<I, T>> {
    const all = order.subarray(number * this.batchSize, (number + 1) * this.batchSize);
    const found = await this.samples(all, epoch);
    const indices = found.includes(null) ? all.filter((_, i) => found[i] !== null) : all;
    const skipped = indices === all ? none : all.filter((_, i) => found[i] === null);
    if (indices.length === 0) return { batch: null, skipped };
    const samples = indices === all ? found : found.filter((sample) => sample !== null);
    try {
      const { input, target } = this.collate(samples as AnySample[], indices);
      return { batch: { input: input as I, target: target as T, indices, number }, skipped };
    } catch (cause) {
      if (cause instanceof ConvletError) throw cause;
      throw located(`DataLoader: collate of samples ${Array.from(indices).join(', ')}`, cause);
    }
  }

  /** Data set, batch size and order. */
  toString(): string {
    const { epoch, batch } = this.position;
    const what = `${this.dataset.constructor.name} of ${this.dataset.length}, batches of ${this.batchSize}${this.shuffle ? ', shuffled' : ''}`;
    return `DataLoader(${what}): epoch ${epoch}, batch ${batch} of ${this.length} comes next`;
  }

  [inspect](): string {
    return this.toString();
  }

  private async samples(indices: Uint32Array, epoch: number): Promise<Found[]> {
    const pass = { seed: this.seed, epoch };
    const samples: (Found | Promise<Found>)[] = [];
    try {
      for (let i = 0; i < indices.length; i++) samples.push(read(this.dataset, indices[i], pass));
      return await Promise.all(samples);
    } catch (cause) {
      // Of several that fail only one is reported.
      for (const sample of samples) if (sample instanceof Promise) sample.catch(() => {});
      throw located('DataLoader', cause);
    }
  }
}

const none = new Uint32Array(0);

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
