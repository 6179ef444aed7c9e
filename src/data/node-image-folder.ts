import { ConvletError } from '../common/error.ts';
import { fileError, files, joinPath } from '../common/files.ts';
import { checkOptions, type KnownOf, kind, number, oneOf, whole } from '../common/options.ts';
import { type Channels, checkChannels } from '../io/images/image.ts';
import { checkIndex, type Dataset, located, type Sample, type Values } from './dataset.ts';
import { ImagePool } from './node-image-pool.ts';
import { loadImage } from './node-load-image.ts';

/** Of ImageFolder.open. */
export interface ImageFolderOptions {
  /** Pixels of the inputs: a number for squares, or [height, width]. Default: as the files have them. */
  readonly size?: number | readonly [number, number];
  /** 1 grey, 3 RGB (default), 4 RGBA. */
  readonly channels?: Channels;
  /** Threads that decode (default 0: this one does). Use them with the loader's `prefetch`, and `dispose()`. */
  readonly workers?: number;
  /**
   * 'throw' (default): a file that cannot be read or decoded ends the loop with an error that names it. 'skip': its sample is
   * left out of the batches, and listed in `skipped`.
   */
  readonly onError?: 'throw' | 'skip';
  /** Most pixels of a file, checked before it is decoded. Default 100e6. */
  readonly maxPixels?: number;
}

const known: KnownOf<ImageFolderOptions> = {
  size: kind(
    'a number of pixels or [height, width]',
    (v) => Number.isInteger(v) || (Array.isArray(v) && v.length === 2 && v.every(Number.isInteger)),
  ),
  channels: number as KnownOf<ImageFolderOptions>['channels'],
  workers: whole(0),
  onError: oneOf('throw', 'skip'),
  maxPixels: number,
};

interface Entry {
  readonly path: string;
  readonly label: number;
}

/** A file that was left out. */
export interface SkippedFile {
  /** The sample's number. */
  readonly index: number;
  /** The file. */
  readonly path: string;
  /** Why it was left out. */
  readonly error: ConvletError;
}

/** Errors that are about one file. Others, as too many open files, would come with good ones too. */
const fileCodes = new Set<unknown>(['malformed', 'unsupported', 'memory']);
const systemCodes = new Set<unknown>(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'EIO']);
const isAboutFile = (cause: unknown): boolean => {
  const { code } = (cause ?? {}) as { code?: unknown };
  return cause instanceof ConvletError ? fileCodes.has(code) : systemCodes.has(code);
};

const pictures = /\.(png|jpe?g)$/i;

/**
 * Pictures (PNG, JPEG) in one folder per class: `directory/CLASS/….png`. Inputs are [C,H,W] in 0 … 1. Classes and files are
 * in the order of their names.
 *
 * ```ts
 * const flowers = await data.ImageFolder.open('flowers/', { size: 64, workers: 2 });
 * ```
 */
export class ImageFolder implements Dataset {
  static readonly name: string = 'ImageFolder';

  /** Names of the folders, sorted: a sample's target is a number of this list. */
  readonly classes: readonly string[];
  /** Path and class of each file. */
  readonly entries: readonly Entry[];
  private readonly request: { channels: Channels; size: readonly [number, number] | null; maxPixels: number };
  private readonly pool: ImagePool | null;
  private readonly skips: boolean;
  private readonly left = new Map<number, SkippedFile>();

  private constructor(
    classes: readonly string[],
    entries: readonly Entry[],
    options: ImageFolderOptions,
    pool: ImagePool | null,
  ) {
    const { size, channels = 3, maxPixels = 100e6, onError = 'throw' } = options;
    this.skips = onError === 'skip';
    this.classes = classes;
    this.entries = entries;
    const square = typeof size === 'number' ? ([size, size] as const) : size;
    this.request = { channels, size: square ?? null, maxPixels };
    this.pool = pool;
  }

  /**
   * Lists the PNG and JPEG files in the folders below `directory`; they are decoded when they are needed.
   *
   * @throws ConvletError `environment` for a directory that cannot be read, `malformed` for one without pictures
   */
  static async open(directory: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
    checkOptions('ImageFolder.open', options, known);
    const { channels = 3, workers = 0 } = options;
    checkChannels(channels, 'ImageFolder');
    const names = await list(directory);
    const classes = names.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
    const entries: Entry[] = [];
    for (const [label, name] of classes.entries()) {
      const folder = joinPath(directory, name);
      for (const file of await list(folder))
        if (pictures.test(file)) entries.push({ path: joinPath(folder, file), label });
    }
    if (entries.length === 0) {
      const found = `${classes.length} folders without one`;
      throw new ConvletError(
        'malformed',
        `ImageFolder: '${directory}' expects a folder of pictures per class, got ${found}`,
      );
    }
    return new ImageFolder(classes, entries, options, workers > 0 ? await ImagePool.start(workers) : null);
  }

  /** How many files. */
  get length(): number {
    return this.entries.length;
  }

  /** The files that have been left out so far (`onError: 'skip'`), in order. */
  get skipped(): readonly SkippedFile[] {
    return [...this.left.values()].sort((a, b) => a.index - b.index);
  }

  /**
   * The sample; null for a file that is left out (`onError: 'skip'`).
   *
   * @throws ConvletError `malformed`, `unsupported`, `memory` or `environment` naming the file
   */
  async get(index: number): Promise<Sample<Values, number> | null> {
    checkIndex('ImageFolder', index, this.length);
    const { path, label } = this.entries[index];
    const request = { path, ...this.request };
    try {
      return { input: await (this.pool?.load(request) ?? loadImage(request)), target: label };
    } catch (cause) {
      const error = located(path, fileError('ImageFolder: cannot read', path, cause));
      if (!this.skips || !isAboutFile(cause)) throw error;
      this.left.set(index, { index, path, error });
      return null;
    }
  }

  /** Ends the threads. */
  async dispose(): Promise<void> {
    await this.pool?.dispose();
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    const names = await files('ImageFolder').list(directory);
    if (names !== null) return names;
  } catch (cause) {
    throw fileError('ImageFolder: cannot read', directory, cause);
  }
  throw new ConvletError('environment', `ImageFolder: there is no directory '${directory}'`);
}
