import { ConvletError } from '../common/error.ts';
import { checkOptions, type KnownOf, oneOf } from '../common/options.ts';
import { checkIndex, classNames, type Dataset, type Sample } from './dataset.ts';
import { unpack } from './gunzip.ts';
import { readEither } from './mnist.ts';

const [channels, height, width] = [3, 32, 32];
const pixels = channels * height * width;
const recordBytes = 1 + pixels;
const names = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

const officialFiles: { readonly [part: string]: readonly string[] } = {
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ['test_batch.bin'],
};

/** Most samples that one file may hold: four times all of CIFAR-10. */
const maxRecords = 240_000;

/** Of CIFAR10.open. */
export interface CIFAR10Options {
  /** Default 'train'. */
  readonly part?: 'train' | 'test';
  /** Names of batch files instead of the official ones. */
  readonly files?: readonly string[];
}

const known: KnownOf<CIFAR10Options> = { part: oneOf('train', 'test'), files: classNames };

/**
 * CIFAR-10's binary version (https://www.cs.toronto.edu/~kriz/cifar.html): inputs [3,32,32] in 0 … 1, targets are classes.
 *
 * ```ts
 * const train = await data.CIFAR10.open('cifar-10-batches-bin/');
 * const some = await data.CIFAR10.open('cifar10/', { files: ['train_5k.bin'] });   // or train_5k.bin.gz
 * ```
 */
export class CIFAR10 implements Dataset {
  static readonly name: string = 'CIFAR10';

  /** Names of the ten classes. */
  readonly classes: readonly string[] = names;
  /** How many pictures. */
  readonly length: number;
  private readonly parts: readonly Uint8Array[];
  /** Number of the first sample of each part. */
  private readonly starts: number[] = [];

  /** Unpacked files; `read` and `open` check them. */
  private constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    let length = 0;
    for (const part of parts) {
      this.starts.push(length);
      length += part.length / recordBytes;
    }
    this.length = length;
  }

  /**
   * From the bytes of batch files, plain or gzip.
   *
   * @throws ConvletError `malformed` naming the file and the bytes
   */
  static async read(sources: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<CIFAR10> {
    const parts: Uint8Array[] = [];
    for (const { name, bytes } of sources) parts.push(await readBatch(name, bytes));
    return new CIFAR10(parts);
  }

  /**
   * From a directory (where there is a file system).
   *
   * @param options part: 'train' (default) or 'test'; files: names of batch files instead of the official ones
   * @throws ConvletError `environment` where files are missing, `malformed`
   */
  static async open(directory: string, options: CIFAR10Options = {}): Promise<CIFAR10> {
    checkOptions('CIFAR10.open', options, known);
    const wanted = options.files ?? officialFiles[options.part ?? 'train'];
    const sources: { name: string; bytes: Uint8Array }[] = [];
    for (const file of wanted) {
      const { path, bytes } = await readEither('CIFAR10', directory, file.replace(/\.gz$/, ''));
      sources.push({ name: path, bytes });
    }
    return CIFAR10.read(sources);
  }

  /** Picture [3,32,32] in 0 … 1, and its class. */
  get(index: number): Sample {
    checkIndex('CIFAR10', index, this.length);
    let part = this.parts.length - 1;
    while (this.starts[part] > index) part--;
    const bytes = this.parts[part];
    const from = (index - this.starts[part]) * recordBytes;
    const data = new Float32Array(pixels);
    for (let i = 0; i < pixels; i++) data[i] = bytes[from + 1 + i] / 255;
    return { input: { shape: [channels, height, width], data }, target: bytes[from] };
  }
}

async function readBatch(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  // The format has no header that would tell the size.
  const content = await unpack(bytes, name, 0, () => ({ atMost: maxRecords * recordBytes }));
  const left = content.length % recordBytes;
  if (content.length === 0 || left !== 0)
    throw new ConvletError(
      'malformed',
      `${name}: expects records of ${recordBytes} bytes, got ${content.length} bytes: ` +
        `${Math.floor(content.length / recordBytes)} records and ${left} bytes`,
    );
  for (let at = 0; at < content.length; at += recordBytes) {
    if (content[at] < names.length) continue;
    const where = `label of record ${at / recordBytes} (byte ${at})`;
    throw new ConvletError('malformed', `${name}: ${where} expects a class in 0 … 9, got ${content[at]}`);
  }
  return content;
}
