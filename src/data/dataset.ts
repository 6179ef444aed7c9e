import { type DType, dtypeOf, dtypes, type TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText, withContext } from '../common/error.ts';
import { anything, callable, checkCall, expectKind, type KnownOf, kind, shown, whole } from '../common/options.ts';
import { Generator } from '../common/random.ts';
import { mapStructure, type Structure } from '../common/structure.ts';
import { elementCount } from '../tensor/layout.ts';
import { sampleGenerator } from './random.ts';

/** A shape and row-major elements; a `Tensor` is one. */
export interface Values {
  /** Dimensions. */
  readonly shape: readonly number[];
  /** Elements, row-major. */
  readonly data: TypedArray;
  /** Element type; default: that of the array. */
  readonly dtype?: DType;
}

/** What a network sees and what it should say: a class (a whole number ≥ 0) or values. */
export interface Sample<I extends Structure<Values> = Values, T extends Structure<number | Values> = number | Values> {
  /** An array of several inputs is the arguments of `forward`, a record its only one. */
  readonly input: I;
  /** What the output is compared with. */
  readonly target: T;
}

/** A sample of any structure. */
export type AnySample = Sample<Structure<Values>, Structure<number | Values>>;

/** Which pass over the data a sample is for: augmentation depends on it and on the sample's index alone. */
export interface Pass {
  /** Of the loader. */
  readonly seed: number;
  /** Number of the pass, from 0. */
  readonly epoch: number;
}

/** What a data set has under a number; null: the sample is left out of the batch. */
export type Found = AnySample | null;

/** Samples by number. Anything with these members is one. */
export interface Dataset {
  /** How many samples. */
  readonly length: number;
  /** Names of the classes, where targets are classes. */
  readonly classes?: readonly string[];
  /** Sample `index`, now or as a promise; null leaves it out of its batch. */
  get(index: number, pass?: Pass): Found | Promise<Found>;
}

/** An exception with where it happened in front; a ConvletError keeps its code. */
export function located(where: string, cause: unknown): ConvletError {
  if (cause instanceof ConvletError) return withContext(where, cause) as ConvletError;
  // What a file system throws: ENOENT, EACCES.
  const isSystem = /^E[A-Z]+$/.test(String((cause as { code?: unknown } | null)?.code));
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ConvletError(isSystem ? 'environment' : 'argument', `${where}: ${message}`, { cause });
}

const placeOf = (dataset: Dataset, index: number): string => {
  const { name } = dataset.constructor;
  return `sample ${index} of ${name === 'Object' ? 'the data set' : name}`;
};

/** What `dataset.get` gives; exceptions name index and data set, and so does something that is no sample. */
export function read(dataset: Dataset, index: number, pass?: Pass): Found | Promise<Found> {
  let found: Found | Promise<Found>;
  try {
    found = dataset.get(index, pass);
  } catch (cause) {
    throw located(placeOf(dataset, index), cause);
  }
  if (typeof (found as Promise<Found> | null)?.then !== 'function') return expectSample(dataset, index, found as Found);
  return (found as Promise<Found>).then(
    (sample) => expectSample(dataset, index, sample),
    (cause) => {
      throw located(placeOf(dataset, index), cause);
    },
  );
}

function expectSample(dataset: Dataset, index: number, found: Found): Found {
  if (found === null) return null;
  const { input, target } = found ?? {};
  if (typeof input === 'object' && input !== null && !ArrayBuffer.isView(input) && target !== undefined) return found;
  const what = '{ input, target }, or null to leave it out';
  throw new ConvletError('argument', `${placeOf(dataset, index)}: expects ${what}, got ${shown(found)}`);
}

/** Of arguments that are a data set. */
export const datasetKind = kind<Dataset>('a data set (length and get)', (value) => {
  const { length, get } = (value ?? {}) as Partial<Dataset>;
  return typeof length === 'number' && typeof get === 'function';
});
const listKind = kind<ArrayLike<number>>(
  'an array of numbers',
  (value) => Array.isArray(value) || ArrayBuffer.isView(value),
);

export function checkIndex(what: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  throw new ConvletError('index-range', `${what}: expects an index in 0 … ${length - 1}, got ${index}`);
}

/** Of TensorDataset. */
export interface TensorDatasetOptions {
  /** Names of the classes. */
  readonly classes?: readonly string[];
}

/** Of the option `classes` of all data sets. */
export const classNames = kind<readonly string[]>(
  'an array of names',
  (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
);
const tensorDatasetKnown: KnownOf<TensorDatasetOptions> = { classes: classNames };
const tensorDatasetSignature = { args: { inputs: anything, targets: anything }, options: tensorDatasetKnown };

/**
 * Samples in memory: the first axis of `inputs` and `targets` counts them. Targets of an integer type with one axis are classes;
 * an array of numbers becomes int32 if all of them are whole, else float32.
 *
 * @throws ConvletError `shape` where counts differ
 */
export class TensorDataset implements Dataset {
  static readonly name: string = 'TensorDataset';

  /** How many samples. */
  readonly length: number;
  /** Names of the classes, if they were given. */
  readonly classes?: readonly string[];
  private readonly inputs: Structure<Rows>;
  private readonly targets: Structure<Rows>;

  constructor(
    inputs: Structure<Values>,
    targets: Structure<Values> | TypedArray | readonly number[],
    options: TensorDatasetOptions = {},
    ...surplus: never[]
  ) {
    checkCall('TensorDataset', tensorDatasetSignature, [inputs, targets, options, ...surplus]);
    const isNumbers = Array.isArray(targets) && targets.every((value) => typeof value === 'number');
    const data = isNumbers ? numbersOf(targets as readonly number[]) : targets;
    const given = ArrayBuffer.isView(data) ? { shape: [data.length], data } : data;
    const counts: number[] = [];
    const rows = (what: string, values: unknown): Structure<Rows> =>
      mapStructure(
        values,
        isValues,
        (part: Values, path) => {
          const found = rowsOf(`${what}${path}`, part);
          counts.push(found.count);
          return found;
        },
        (path) => `TensorDataset: ${what}${path} expects { shape, data }, or arrays and records of them`,
      );
    this.inputs = rows('inputs', inputs);
    this.length = counts[0] ?? 0;
    this.targets = rows('targets', given);
    this.classes = options.classes;
    const other = counts.find((count) => count !== this.length);
    if (other !== undefined) {
      throw new ConvletError('shape', `TensorDataset: ${this.length} inputs expect as many targets, got ${other}`);
    }
  }

  /** Sample `index`, views of the arrays. */
  get(index: number): Sample {
    checkIndex('TensorDataset', index, this.length);
    const of = (rows: Structure<Rows>, part: (rows: Rows) => unknown): unknown =>
      mapStructure(rows, isRows, part, () => 'TensorDataset');
    return {
      input: of(this.inputs, (rows) => row(rows, index)) as Values,
      target: of(this.targets, (rows) => (rows.areClasses ? rows.data[index] : row(rows, index))) as number | Values,
    };
  }
}

/** A shape with elements, not an array or record of such. */
export const isValues = (part: unknown): part is Values =>
  Array.isArray((part as Partial<Values> | null)?.shape) && typeof part === 'object';

const isRows = (part: unknown): part is Rows => typeof (part as Partial<Rows> | null)?.areClasses === 'boolean';

/** Throws `argument` for NaN among whole numbers, which is a class that got lost. */
function numbersOf(targets: readonly number[]): Int32Array | Float32Array {
  const lost = targets.findIndex((value) => Number.isNaN(value));
  const isWhole = targets.every((value) => Number.isInteger(value) || Number.isNaN(value));
  if (isWhole && lost >= 0)
    throw new ConvletError('argument', `TensorDataset: target ${lost} is NaN, where the others are whole numbers`);
  return isWhole ? Int32Array.from(targets) : Float32Array.from(targets);
}

interface Rows {
  readonly count: number;
  readonly shape: readonly number[];
  readonly size: number;
  readonly data: TypedArray;
  readonly dtype: DType;
  /** Whole numbers, one a sample. */
  readonly areClasses: boolean;
}

function rowsOf(what: string, { shape, data, dtype }: Values): Rows {
  if (shape.length === 0 || elementCount(shape) !== data.length) {
    throw new ConvletError(
      'shape',
      `TensorDataset: ${what} of shape ${shapeText(shape)} expects ${elementCount(shape)} elements, got ${data.length}`,
    );
  }
  const rest = shape.slice(1);
  const type = dtype ?? dtypeOf(data);
  const areClasses = rest.length === 0 && dtypes[type].kind === 'int';
  return { count: shape[0], shape: rest, size: elementCount(rest), data, dtype: type, areClasses };
}

const row = ({ shape, size, data, dtype }: Rows, index: number): Values => ({
  shape,
  dtype,
  data: data.subarray(index * size, (index + 1) * size),
});

/** Some samples of another data set, in an order of its own. */
export class Subset implements Dataset {
  static readonly name: string = 'Subset';

  /** The whole. */
  readonly dataset: Dataset;
  /** Which samples, in which order. */
  readonly indices: ArrayLike<number>;
  /** Those of the whole. */
  readonly classes?: readonly string[];

  constructor(dataset: Dataset, indices: ArrayLike<number>, ...surplus: never[]) {
    checkCall('Subset', { args: { dataset: datasetKind, indices: listKind }, needed: 2 }, [
      dataset,
      indices,
      ...surplus,
    ]);
    for (let i = 0; i < indices.length; i++) checkIndex('Subset', indices[i], dataset.length);
    this.dataset = dataset;
    this.indices = indices;
    this.classes = dataset.classes;
  }

  /** How many samples. */
  get length(): number {
    return this.indices.length;
  }

  /** Sample `index` of the subset. */
  get(index: number, pass?: Pass): Found | Promise<Found> {
    checkIndex('Subset', index, this.length);
    return read(this.dataset, this.indices[index], pass);
  }
}

/** Samples `from` … `to` − 1. */
export function slice(dataset: Dataset, from: number, to: number = dataset.length): Subset {
  checkCall('slice', { args: { dataset: datasetKind, from: whole(0), to: whole(0) }, needed: 2 }, [dataset, from, to]);
  const end = Math.min(to, dataset.length);
  return new Subset(
    dataset,
    Uint32Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i),
  );
}

/**
 * Divides a data set at random, the same way for the same seed.
 *
 * @param parts counts that add up to the length, or fractions that add up to 1
 * @throws ConvletError `argument` where they do not
 */
export function split(dataset: Dataset, parts: readonly number[], seed = 0): Subset[] {
  checkCall('split', { args: { dataset: datasetKind, parts: listKind, seed: whole(0) }, needed: 2 }, [
    dataset,
    parts,
    seed,
  ]);
  const sum = parts.reduce((a, b) => a + b, 0);
  const counts = Math.abs(sum - 1) < 1e-9 && dataset.length !== 1 ? countsOf(parts, dataset.length) : parts;
  if (counts.some((n) => !Number.isInteger(n) || n < 0) || counts.reduce((a, b) => a + b, 0) !== dataset.length) {
    throw new ConvletError(
      'argument',
      `split: expects counts that add up to ${dataset.length}, or fractions that add up to 1, got [${parts}]`,
    );
  }
  const order = new Generator(seed).permutation(dataset.length);
  let at = 0;
  return counts.map((count) => new Subset(dataset, order.subarray(at, (at += count))));
}

/** As PyTorch's random_split: rounded down, what is left goes to the first ones. */
function countsOf(fractions: readonly number[], length: number): number[] {
  const counts = fractions.map((fraction) => Math.floor(fraction * length + 1e-9));
  let left = length - counts.reduce((a, b) => a + b, 0);
  for (let i = 0; left > 0; i = (i + 1) % counts.length, left--) counts[i]++;
  return counts;
}

/** Changes an input; draws its random numbers from `random` alone. */
export type Transform = (input: Values, random: Generator) => Values;

/** The data set with transforms applied to each input, in this order, whenever it is read. */
export class TransformedDataset implements Dataset {
  static readonly name: string = 'TransformedDataset';

  /** The set before the transforms. */
  readonly dataset: Dataset;
  /** Applied to each input, in order. */
  readonly transforms: readonly Transform[];
  /** Those of the set. */
  readonly classes?: readonly string[];

  constructor(dataset: Dataset, ...transforms: readonly Transform[]) {
    expectKind('TransformedDataset', 'dataset', dataset, datasetKind);
    for (const [i, transform] of transforms.entries())
      expectKind('TransformedDataset', `transform ${i + 1}`, transform, callable);
    this.dataset = dataset;
    this.transforms = transforms;
    this.classes = dataset.classes;
  }

  /** How many samples. */
  get length(): number {
    return this.dataset.length;
  }

  /** Sample `index`, transformed. */
  get(index: number, pass: Pass = { seed: 0, epoch: 0 }): Found | Promise<Found> {
    const sample = read(this.dataset, index, pass);
    return sample instanceof Promise
      ? sample.then((s) => this.change(s, index, pass))
      : this.change(sample, index, pass);
  }

  private change(sample: Found, index: number, pass: Pass): Found {
    if (sample === null) return null;
    const random = sampleGenerator(pass.seed, pass.epoch, index);
    let { input } = sample;
    if (!isValues(input))
      throw new ConvletError(
        'argument',
        'expects one input, got several; transform the one that is meant in the get of the data set',
      );
    for (const [i, transform] of this.transforms.entries()) {
      try {
        input = transform(input, random);
      } catch (cause) {
        throw located(`transform ${i + 1} of ${this.transforms.length}`, cause);
      }
    }
    return { input, target: sample.target };
  }
}
