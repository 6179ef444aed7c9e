import { ConvletError, shapeText } from '../common/error.ts';
import { fileError, files, joinPath } from '../common/files.ts';
import { product } from '../common/numbers.ts';
import { checkOptions, type KnownOf, kind } from '../common/options.ts';
import { checkIndex, classNames, type Dataset, type Sample } from './dataset.ts';
import { unpack } from './gunzip.ts';

/** An IDX file of unsigned bytes: http://yann.lecun.com/exdb/mnist/ (third number of the magic: 8). */
export interface Idx {
  /** Dimensions. */
  readonly shape: readonly number[];
  /** Bytes, row-major. */
  readonly data: Uint8Array;
}

/** More than any set in this format holds; a file that claims more is damaged. */
const maxElements = 2 ** 31;

/**
 * Reads an IDX file, plain or gzip.
 *
 * @param name of the file, for errors
 * @param rank number of dimensions that are expected
 * @throws ConvletError `malformed` where magic, dimensions or byte counts do not fit
 */
export async function readIdx(bytes: Uint8Array, name: string, rank: number): Promise<Idx> {
  const headBytes = 4 + 4 * rank;
  const shapeOf = (head: Uint8Array): number[] => {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const [magic, wanted] = [view.getUint32(0), 0x800 + rank];
    if (magic !== wanted)
      throw new ConvletError('malformed', `${name}: expects magic number ${hex(wanted)} (IDX), got ${hex(magic)}`);
    return Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  };
  const content = await unpack(bytes, name, headBytes, (head) => {
    const shape = shapeOf(head);
    const elements = product(shape);
    if (elements > maxElements)
      throw new ConvletError('malformed', `${name}: claims shape ${shapeText(shape)}, more than ${maxElements} bytes`);
    return { exactly: headBytes + elements };
  });
  return { shape: shapeOf(content), data: content.subarray(headBytes) };
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** Of MNIST.read. */
export interface MNISTReadOptions {
  /** Of the two files, for errors. */
  readonly names?: readonly [string, string];
  /** Names of the classes. Default: the digits. */
  readonly classes?: readonly string[];
}

/** Of MNIST.open. */
export interface MNISTOptions {
  /** Beginning of the files' names, 'train' (default) or 't10k'. */
  readonly part?: string;
  /** Names of the classes. Default: the digits. */
  readonly classes?: readonly string[];
}

const readKnown: KnownOf<MNISTReadOptions> = {
  names: kind('two names', (value) => Array.isArray(value) && value.length === 2),
  classes: classNames,
};
const openKnown: KnownOf<MNISTOptions> = {
  part: kind('a text', (value) => typeof value === 'string'),
  classes: classNames,
};

/**
 * Handwritten digits (or anything else in MNIST's format): inputs [1,H,W] in 0 … 1, targets are classes.
 *
 * ```ts
 * const digits = await data.MNIST.open('mnist/');                 // train-images-idx3-ubyte[.gz], train-labels-…
 * const tests = await data.MNIST.open('mnist/', { part: 't10k' });
 * ```
 */
export class MNIST implements Dataset {
  static readonly name: string = 'MNIST';

  /** Pixels [N,H,W], 0 … 255. */
  readonly images: Idx;
  /** Class of each picture. */
  readonly labels: Uint8Array;
  /** Names of the classes. */
  readonly classes: readonly string[];

  constructor(images: Idx, labels: Idx, classes: readonly string[] = digits, name = 'MNIST') {
    const [count] = images.shape;
    if (images.shape.length !== 3 || labels.shape.length !== 1 || labels.shape[0] !== count)
      throw new ConvletError(
        'malformed',
        `${name}: expects images [N,H,W] and labels [N], got ${shapeText(images.shape)} and ${shapeText(labels.shape)}`,
      );
    const wrong = labels.data.findIndex((label) => label >= classes.length);
    if (wrong >= 0)
      throw new ConvletError(
        'malformed',
        `${name}: label ${wrong} expects a class in 0 … ${classes.length - 1}, got ${labels.data[wrong]}`,
      );
    this.images = images;
    this.labels = labels.data;
    this.classes = classes;
  }

  /**
   * From the bytes of the two files, plain or gzip.
   *
   * @throws ConvletError `malformed` naming the file and the bytes
   */
  static async read(images: Uint8Array, labels: Uint8Array, options: MNISTReadOptions = {}): Promise<MNIST> {
    checkOptions('MNIST.read', options, readKnown);
    const { names = ['MNIST images', 'MNIST labels'], classes } = options;
    const [pixels, answers] = [await readIdx(images, names[0], 3), await readIdx(labels, names[1], 1)];
    return new MNIST(pixels, answers, classes, `${names[0]}, ${names[1]}`);
  }

  /**
   * From a directory (where there is a file system).
   *
   * @param options part: beginning of the files' names, 'train' (default) or 't10k'
   * @throws ConvletError `environment` where files are missing, `malformed`
   */
  static async open(directory: string, options: MNISTOptions = {}): Promise<MNIST> {
    checkOptions('MNIST.open', options, openKnown);
    const { part = 'train', classes } = options;
    const images = await readEither('MNIST', directory, `${part}-images-idx3-ubyte`);
    const labels = await readEither('MNIST', directory, `${part}-labels-idx1-ubyte`);
    return MNIST.read(images.bytes, labels.bytes, { names: [images.path, labels.path], classes });
  }

  /** How many pictures. */
  get length(): number {
    return this.images.shape[0];
  }

  /** Picture [1,H,W] in 0 … 1, and its class. */
  get(index: number): Sample {
    checkIndex('MNIST', index, this.length);
    const [, height, width] = this.images.shape;
    const data = new Float32Array(height * width);
    const from = index * data.length;
    for (let i = 0; i < data.length; i++) data[i] = this.images.data[from + i] / 255;
    return { input: { shape: [1, height, width], data }, target: this.labels[index] };
  }
}

const digits = Array.from('0123456789');

/** A file, or the one with .gz after its name. */
export async function readEither(
  what: string,
  directory: string,
  name: string,
): Promise<{ path: string; bytes: Uint8Array }> {
  const system = files(what);
  const plain = joinPath(directory, name);
  for (const path of [plain, `${plain}.gz`]) {
    try {
      const bytes = await system.read(path);
      if (bytes !== null) return { path, bytes };
    } catch (cause) {
      throw fileError(`${what}: cannot read`, path, cause);
    }
  }
  throw new ConvletError('environment', `${what}: there is no file '${plain}' or '${plain}.gz'`);
}
