import { isArrayOf } from '../common/dtype.ts';
import { ConvletError } from '../common/error.ts';
import { type Files, fileError, files, joinPath } from '../common/files.ts';
import type { TensorValue } from '../io/elements.ts';
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from '../io/safetensors.ts';
import type { OptimizerState } from '../optim/optimizer.ts';
import { checksum } from './checksum.ts';

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** All that training goes on from. */
export interface Checkpoint {
  /** Parameters and buffers under PyTorch's names. */
  readonly model: ReadonlyMap<string, TensorValue>;
  /** State of the optimizer; null for a file without one. */
  readonly optimizer: OptimizerState | null;
  /** Epoch, random numbers, schedule, history: all else that is needed. */
  readonly metadata: Json;
}

/** No name of a module's field has a slash. */
const optimizerPrefix = 'optimizer/';
const version = 1;

interface Header {
  readonly version: number;
  /** Groups, and what is a number in the state of parameters (the rest are tensors); null without an optimizer. */
  readonly optimizer: { readonly paramGroups: Json; readonly numbers: Record<string, Record<string, number>> } | null;
  readonly metadata: Json;
}

/**
 * A checkpoint as one safetensors file: the model's tensors under PyTorch's names (any reader of the format finds them),
 * the optimizer's as `optimizer/PARAMETER/NAME`, the rest as JSON in the metadata with a checksum of everything.
 */
export function encodeCheckpoint({ model, optimizer, metadata }: Checkpoint): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, TensorValue>();
  for (const [name, { dtype, shape, data }] of model) tensors.set(name, { dtype, shape, data });
  const numbers: Record<string, Record<string, number>> = {};
  for (const [index, state] of Object.entries(optimizer?.state ?? {})) {
    numbers[index] = {};
    for (const [name, value] of Object.entries(state)) {
      if (typeof value === 'number') numbers[index][name] = value;
      else tensors.set(`${optimizerPrefix}${index}/${name}`, asTensor(value));
    }
  }
  const groups = optimizer === null ? null : { paramGroups: optimizer.paramGroups as unknown as Json, numbers };
  const text = JSON.stringify({ version, optimizer: groups, metadata } satisfies Header, exactNumber);
  return writeSafetensors(tensors, [
    ['format', 'pt'],
    ['convlet', text],
    ['checksum', checksum(text, tensors)],
  ]);
}

/**
 * Reads a checkpoint and checks that it is the one that was written.
 *
 * @param name of the file, for errors
 * @throws ConvletError `malformed` for a damaged file or one that is no checkpoint, `unsupported` for a later version
 */
export function decodeCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const { tensors, metadata } = parse(bytes, name);
  const text = metadata.get('convlet');
  if (text === undefined) throw damaged(name, "is no checkpoint of convlet (no metadata 'convlet')");
  const [expected, got] = [metadata.get('checksum'), checksum(text, tensors)];
  if (expected !== got) throw damaged(name, `is damaged: expects checksum ${expected}, got ${got}`);
  const header = JSON.parse(text, parseNumber) as Header;
  if (header.version !== version)
    throw new ConvletError(
      'unsupported',
      `checkpoint '${name}': version ${header.version}, this convlet reads ${version}`,
    );
  const model = new Map<string, TensorValue>();
  const state: OptimizerState['state'] = {};
  for (const [index, numbers] of Object.entries(header.optimizer?.numbers ?? {})) state[Number(index)] = { ...numbers };
  for (const [key, value] of tensors) {
    if (key.startsWith(optimizerPrefix)) {
      const [index, slot] = key.slice(optimizerPrefix.length).split('/');
      (state[Number(index)] ??= {})[slot] = value.data;
    } else model.set(key, value);
  }
  const groups = header.optimizer?.paramGroups as unknown as OptimizerState['paramGroups'];
  return {
    model,
    optimizer: header.optimizer === null ? null : { state, paramGroups: groups },
    metadata: header.metadata,
  };
}

function parse(bytes: Uint8Array, name: string): { tensors: Map<string, TensorValue>; metadata: Map<string, string> } {
  try {
    return { tensors: readSafetensors(bytes), metadata: readSafetensorsMetadata(bytes) };
  } catch (error) {
    if (!(error instanceof ConvletError)) throw error;
    throw new ConvletError(error.code, `checkpoint '${name}' (${bytes.length} bytes): ${error.message}`, {
      cause: error,
    });
  }
}

const damaged = (name: string, what: string): ConvletError =>
  new ConvletError('malformed', `checkpoint '${name}' ${what}`);

function asTensor(values: ArrayLike<number>): TensorValue {
  const double = isArrayOf(values, Float64Array);
  const data = double || isArrayOf(values, Float32Array) ? values : Float32Array.from(values);
  return { dtype: double ? 'float64' : 'float32', shape: [data.length], data };
}

/** JSON has no NaN and infinities; a history has. */
const exactNumber = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? { $number: String(value) } : value;
const parseNumber = (_: string, value: { $number?: string } | null): unknown =>
  value !== null && typeof value === 'object' && typeof value.$number === 'string' ? Number(value.$number) : value;

let saves = 0;
/** Names of the temporary files that this process is writing. */
const writing = new Set<string>();

/**
 * Writes a file so that a crash at any instant leaves the old one or the new one whole: into a temporary file next to it,
 * which is synced and renamed. Removes temporary files of processes that were killed.
 *
 * @throws ConvletError `environment` where it cannot be written (the disk is full, …); the old file stays then
 */
export async function writeWhole(path: string, bytes: Uint8Array, system: Files = files('write')): Promise<void> {
  const { directory, base } = parts(path);
  const suffix = `.${system.process}-${++saves}.tmp`;
  const temporary = path + suffix;
  writing.add(base + suffix);
  try {
    await removeLeftovers(directory, base, system);
    await system.makeDirectory(directory);
    await system.write(temporary, bytes);
    await system.rename(temporary, path);
  } catch (cause) {
    await system.remove(temporary).catch(() => {});
    throw fileError('cannot write', path, cause);
  } finally {
    writing.delete(base + suffix);
  }
}

/** Writes a checkpoint file; see `writeWhole`. */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint, system?: Files): Promise<void> {
  await writeWhole(path, encodeCheckpoint(checkpoint), system ?? files('saveCheckpoint'));
}

/**
 * Reads a checkpoint file and checks it. What an interrupted save has left beside it is ignored, and removed.
 *
 * @returns null if there is no such file
 * @throws ConvletError `malformed`, `unsupported`; `environment` where it cannot be read
 */
export async function loadCheckpoint(path: string, given?: Files): Promise<Checkpoint | null> {
  const system = given ?? files('loadCheckpoint');
  const { directory, base } = parts(path);
  await removeLeftovers(directory, base, system).catch(() => {});
  let bytes: Uint8Array | null;
  try {
    bytes = await system.read(path);
  } catch (cause) {
    throw fileError('cannot read', path, cause);
  }
  return bytes === null ? null : decodeCheckpoint(bytes, path);
}

function parts(path: string): { directory: string; base: string } {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return { directory: cut < 0 ? '.' : path.slice(0, cut + 1).replace(/(.)[/\\]$/, '$1'), base: path.slice(cut + 1) };
}

/** Temporary files of this name whose process does not run any more. */
async function removeLeftovers(directory: string, base: string, system: Files): Promise<void> {
  for (const name of (await system.list(directory)) ?? []) {
    const process = name.startsWith(`${base}.`) ? /^\.(\d+)-\d+\.tmp$/.exec(name.slice(base.length))?.[1] : undefined;
    if (process === undefined) continue;
    const own = Number(process) === system.process;
    if (own ? writing.has(name) : system.isRunning(Number(process))) continue;
    await system.remove(joinPath(directory, name));
  }
}
