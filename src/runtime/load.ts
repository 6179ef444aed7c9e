import { supports } from '../abi/modules.ts';
import type { Backend } from '../backend/backend.ts';
import { JsBackend } from '../backend/js/backend.ts';
import { WasmBackend } from '../backend/wasm/backend.ts';
import type { PrimTables } from '../backend/wasm/core/prim.ts';
import { inferencePrims } from '../backend/wasm/prims.ts';
import { type BigIntArray, describe, type TypedArray } from '../common/dtype.ts';
import { asConvletError, ConvletError } from '../common/error.ts';
import type { LazyFile } from '../common/lazy-file.ts';
import { callable, checkOptions, type KnownOf, kind, oneOf } from '../common/options.ts';
import {
  type BlobLike,
  checkLimit,
  isUrl,
  type LoadProgress,
  type ResponseLike,
  readHeld,
  report,
  type SignalLike,
  type Transfer,
  throwIfAborted,
  type UrlLike,
} from '../common/source.ts';
import { OnnxProgram } from '../io/onnx/import.ts';
import { parseModel } from '../io/onnx/model.ts';
import { Model } from './model.ts';
import { noThreads, type Platform, type Variant } from './platform.ts';

type Int64Form = 'number' | 'bigint';

/** What a model is to run on, and how much it may take. */
export interface LoadOptions<Int64 extends Int64Form = 'number'> {
  /** 'wasm' (default), or 'js': the same network in plain JavaScript, for runtimes without WebAssembly SIMD. */
  readonly backend?: 'wasm' | 'js';
  /**
   * Which kernel build: 'simd', 'relaxed' (fused multiply–add), or 'auto' (default), which takes relaxed SIMD where the
   * runtime has it. One that the runtime cannot run is a ConvletError('environment').
   */
  readonly variant?: 'auto' | Variant;
  /**
   * Threads that share each run (default 1): a whole number ≥ 1, or 'auto' for as many as the machine runs at once, at most
   * 8. The results do not depend on it. More than one where the runtime has no threads is a ConvletError('environment');
   * 'auto' is one there. A page has them where it is cross-origin isolated (docs/browser.md).
   */
  readonly threads?: number | 'auto';
  /**
   * 'main' (default): a run is the calling thread's work, with `threads` its share of it, and blocks that thread meanwhile.
   * 'worker': workers do it, as many as `threads` says, and the calling thread's event loop goes on; only copying inputs
   * and outputs, compiling for new input shapes, and steps without a kernel are left to it. Same results. A runtime without
   * threads: ConvletError('environment'). A page's own thread must not wait, so there 'worker' is the default with more than
   * one thread, and 'main' a ConvletError('environment').
   */
  readonly leader?: 'main' | 'worker';
  /**
   * Browsers: where the script of worker threads is served, the file `convlet/worker.js` of this package. Default: it comes
   * from a `blob:` URL, which a Content Security Policy has to allow (`worker-src blob:`).
   */
  readonly workerUrl?: string | UrlLike;
  /**
   * Limit in bytes on the model file, and on what the backend holds: weights, activations, workspace and tables
   * together. More is a ConvletError('memory'), of `load` or of the `run` that would need it. Default: 4 GiB, what
   * WebAssembly can address; a single tensor has at most 2 GiB.
   */
  readonly maxMemoryBytes?: number;
  /**
   * Iterations that the Loop and Scan nodes of one run may take together where they cannot be unrolled (default
   * 100,000); more is a ConvletError('unsupported') of `run`. It ends loops that a wrong model or input makes endless.
   */
  readonly maxLoopIterations?: number;
  /**
   * 'fast' (default) takes Winograd's algorithm for 3×3 convolutions of stride 1 and 7×7 ones of stride 2 where it saves
   * time. Its error is within 5e-7 of Σ over channels of the tile's greatest pixel × the sum of the kernel's magnitudes, and
   * an infinity or NaN spoils the tile. 'exact' sums products one by one, as the other convolutions always do.
   */
  readonly precision?: 'exact' | 'fast';
  /**
   * Order of the elements of inputs and outputs of rank 4 and 5: 'channels-first' (default) is N, C, H, W; 'channels-last'
   * is N, H, W, C, which decoded pictures have and kernels work on, so that nothing is rearranged. Shapes are N, C, H, W
   * either way.
   */
  readonly layout?: 'channels-first' | 'channels-last';
  /**
   * How outputs of type int64 and uint64 come: 'number' (default) as Int32Array and Uint32Array, 'bigint' as BigInt64Array and
   * BigUint64Array. Inputs are taken as either.
   */
  readonly int64?: Int64;
  /** An AbortSignal: when it says so, `load` stops reading and rejects with ConvletError('aborted'), its reason as the cause. */
  readonly signal?: SignalLike;
  /** Called while the source is read, and at least once, at its end, with `loaded` equal to `total`. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** A kernel module (a WebAssembly.Module) compiled elsewhere, for runtimes that forbid compiling; `variant` then says which build it is (default simd). */
  readonly kernels?: object;
}

/**
 * Bytes of an .onnx file (an ArrayBuffer, or a view of one), a Blob or File with them, the Response of a `fetch`, or where
 * they are: a path (Node, Deno, Bun) or a URL. Weights that the file keeps in files beside it (external data) are read in
 * Node, Deno and Bun, from a path or file URL.
 */
export type ModelSource = string | UrlLike | ArrayBufferLike | ArrayBufferView | BlobLike | ResponseLike;

/** `load` as every entry exports it. */
export type Load = <Int64 extends Int64Form = 'number'>(
  source: ModelSource,
  options?: LoadOptions<Int64>,
) => Promise<Model<Int64 extends 'bigint' ? TypedArray | BigIntArray : TypedArray>>;

/** Options of models alone: `init` has none of them (InitOptions in init.ts). */
const modelOnly: ReadonlySet<string> = new Set(['leader', 'maxLoopIterations', 'int64', 'signal', 'onProgress']);

const known: KnownOf<LoadOptions<Int64Form>> = {
  backend: oneOf('wasm', 'js'),
  variant: oneOf('auto', 'simd', 'relaxed'),
  threads: kind("'auto' or a whole number ≥ 1", (v) => v === 'auto' || (Number.isInteger(v) && (v as number) >= 1)),
  leader: oneOf('main', 'worker'),
  workerUrl: kind('a string or a URL', (v) => typeof v === 'string' || isUrl(v)),
  maxMemoryBytes: kind('a positive number', (v) => typeof v === 'number' && v > 0),
  maxLoopIterations: kind('a number ≥ 0', (v) => typeof v === 'number' && v >= 0),
  precision: oneOf('fast', 'exact'),
  layout: oneOf('channels-first', 'channels-last'),
  int64: oneOf('number', 'bigint'),
  signal: kind('an AbortSignal', (v) => typeof (v as SignalLike | null)?.aborted === 'boolean'),
  onProgress: callable,
  kernels: kind('a WebAssembly.Module', (v) => Object.prototype.toString.call(v) === '[object WebAssembly.Module]'),
};
const initKnown = Object.fromEntries(Object.entries(known).filter(([name]) => !modelOnly.has(name)));

/** `load` for a runtime. */
export function createLoad(platform: Platform): Load {
  const load = async (source: ModelSource, options: LoadOptions<Int64Form> = {}): Promise<Model> => {
    try {
      return await loadModel(platform, source, options);
    } catch (error) {
      throw asConvletError('load', error);
    }
  };
  return load as Load; // what `int64` makes of the arrays is known at run time only
}

async function loadModel(platform: Platform, source: ModelSource, options: LoadOptions<Int64Form>): Promise<Model> {
  checkLoadOptions(options);
  // The kernels compile while the file is read. What fails of them is said below, after what is wrong with the file.
  if (options.backend !== 'js') kernelsOf(platform, options).catch(() => {});
  const { signal, onProgress, maxMemoryBytes: limit } = options;
  const program = await openProgram(platform, source, { signal, onProgress, limit });
  let backend: Backend | undefined;
  try {
    program.check();
    backend = await createBackend(platform, options, inferencePrims);
    throwIfAborted('load', signal);
    return new Model(program, backend, options);
  } catch (error) {
    backend?.dispose();
    program.close();
    throw error;
  }
}

/** The parsed model of a source; nothing of it has been prepared, and it may hold nodes that convlet cannot run. */
export async function openProgram(
  platform: Platform,
  source: ModelSource,
  transfer: Transfer = {},
): Promise<OnnxProgram> {
  throwIfAborted('load', transfer.signal);
  const file = (isLocated(source) && platform.openFile?.(source)) || undefined;
  try {
    const bytes = file?.bytes ?? (await readSource(platform, source, transfer));
    throwIfAborted('load', transfer.signal);
    const program = readProgram(platform, source, bytes, file, transfer);
    if (file !== undefined) report(transfer, bytes.byteLength, bytes.byteLength);
    return program;
  } catch (error) {
    file?.close();
    throw error;
  }
}

const isLocated = (source: ModelSource): source is string | URL => typeof source === 'string' || isUrl(source);

function readProgram(
  platform: Platform,
  source: ModelSource,
  bytes: Uint8Array,
  file: LazyFile | undefined,
  transfer: Transfer,
): OnnxProgram {
  checkLimit(bytes.byteLength, transfer);
  const external =
    isLocated(source) && platform.readSibling
      ? (location: string) => platform.readSibling!(source, location)
      : undefined;
  return new OnnxProgram(parseModel(bytes, file), external, () => file?.close());
}

/** The kernels for these options; a second call gets what the first one compiles. */
async function kernelsOf(platform: Platform, options: LoadOptions<Int64Form>): Promise<WebAssembly.Module> {
  if (options.kernels !== undefined) return options.kernels;
  const shared = chooseThreads(platform, options) > 1 || options.leader === 'worker';
  return platform.kernels(chooseVariant(platform, options), shared);
}

/** The backend that the options ask for, with these prims. Throws `environment` where the runtime cannot run it. */
export async function createBackend(
  platform: Platform,
  options: LoadOptions<Int64Form>,
  prims: PrimTables,
): Promise<Backend> {
  const { maxMemoryBytes, precision, workerUrl } = options;
  if (options.backend === 'js') return new JsBackend({ prims: prims.js, maxMemoryBytes });
  const variant = chooseVariant(platform, options);
  const threads = chooseThreads(platform, options);
  const { threading } = platform;
  const module = await kernelsOf(platform, options);
  const backend = new WasmBackend(module, variant, {
    prims,
    maxMemoryBytes,
    threads,
    leader: options.leader ?? (threads > 1 && threading?.mayWait?.() === false ? 'worker' : 'main'),
    spawn: threading && ((data) => threading.spawn(data, typeof workerUrl === 'object' ? workerUrl.href : workerUrl)),
    precision,
  });
  try {
    await backend.ready();
  } catch (error) {
    backend.dispose();
    throw error;
  }
  return backend;
}

/** 'auto': as many as the machine runs at once, one where the runtime has no threads or the calling one must not wait. */
function chooseThreads({ threading }: Platform, options: LoadOptions<Int64Form>): number {
  const { threads = 1, leader } = options;
  const lacking =
    options.kernels !== undefined
      ? 'kernels that are given have no threads'
      : threading === undefined
        ? noThreads
        : (threading.lacking?.() ?? null);
  if (leader === 'worker' && lacking !== null)
    throw new ConvletError('environment', `load: ${lacking}, got leader: 'worker'`);
  const waits = leader === 'main' && threading?.mayWait?.() === false;
  if (threads === 'auto') return lacking === null && !waits ? Math.min(threading!.available(), 8) : 1;
  if (threads > 1 && lacking !== null)
    throw new ConvletError('environment', `load: ${lacking}, got threads: ${threads}`);
  if (threads > 1 && waits)
    throw new ConvletError(
      'environment',
      `load: a page's own thread must not wait for others: threads: ${threads} expects leader 'worker', or that a Web Worker loads ` +
        "or trains here, got leader: 'main'",
    );
  return threads;
}

function chooseVariant(platform: Platform, options: LoadOptions<Int64Form>): Variant {
  const wanted = options.variant ?? 'auto';
  if (wanted === 'auto') {
    if (options.kernels !== undefined) return 'simd';
    const [best] = platform.variants();
    if (best !== undefined) return best;
    throw new ConvletError('environment', "load: this runtime has no WebAssembly SIMD; use { backend: 'js' }");
  }
  if (!supports(wanted)) throw new ConvletError('environment', `load: this runtime cannot run variant '${wanted}'`);
  if (options.kernels === undefined && !platform.variants().includes(wanted)) {
    throw new ConvletError(
      'environment',
      `load: this entry comes without variant '${wanted}': import convlet/kernels/${wanted}.wasm and give the module as kernels`,
    );
  }
  return wanted;
}

/** Throws `argument` for options that `load` would not take. */
export function checkLoadOptions(options: LoadOptions<Int64Form>): void {
  checkOptions('load', options, known);
  if (options.leader === 'worker' && options.backend === 'js')
    throw new ConvletError('argument', "load: leader 'worker' expects backend 'wasm', got 'js'");
}

/** Those of `init`: what `load` has, without what models alone have. */
export const checkInitOptions = (options: object): void => checkOptions('init', options, initKnown);

async function readSource(platform: Platform, source: ModelSource, transfer: Transfer): Promise<Uint8Array> {
  if (isLocated(source)) return platform.readBytes(source, transfer);
  const bytes = await readHeld(source, transfer);
  if (bytes !== null) return bytes;
  const expected = 'a path, a URL, a Response, a Blob or the bytes of an .onnx file';
  throw new ConvletError('argument', `load: expects ${expected}, got ${describe(source)}`);
}
