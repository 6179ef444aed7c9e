import { ConvletError } from './error.ts';

/** The part of a `Blob` or `File` that is used. */
export interface BlobLike {
  /** Bytes. */
  readonly size: number;
  /** All bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The part of the `Response` of `fetch` that is used. Its body must not have been read before. */
export interface ResponseLike {
  /** Whether the status is a success (200 … 299). */
  readonly ok: boolean;
  /** The answer's status. */
  readonly status: number;
  /** Where it came from; for errors. */
  readonly url: string;
  /** Whether the body has been read. */
  readonly bodyUsed: boolean;
  /** content-length and content-encoding are read. */
  readonly headers: { get(name: string): string | null };
  /** A `ReadableStream`, or null. */
  readonly body: unknown;
  /** All bytes of the body. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The part of a `URL` that says where something is. */
export interface UrlLike {
  /** The whole address. */
  readonly href: string;
  /** https:, file:, … */
  readonly protocol: string;
}

/** The part of an `AbortSignal` that is used. */
export interface SignalLike {
  /** Whether to give up. */
  readonly aborted: boolean;
  /** Why; the error's cause. */
  readonly reason?: unknown;
}

/** How much of a source has been read. */
export interface LoadProgress {
  /** Bytes so far. */
  readonly loaded: number;
  /** Bytes of the whole source, or null if they are not known before the end. */
  readonly total: number | null;
}

/** Options of reading a source. */
export interface Transfer {
  /** The function that reads, for errors. Default 'load'. */
  readonly what?: string;
  readonly signal?: SignalLike;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** The most bytes that are read. */
  readonly limit?: number;
}

/** The part of a `ReadableStream` of bytes that is used. */
interface Chunks {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Tests the tag, since `instanceof` works for the classes of one realm only. */
export const isUrl = (value: unknown): value is URL => tagOf(value) === 'URL';
export const isBlob = (value: unknown): value is BlobLike => tagOf(value) === 'Blob' || tagOf(value) === 'File';
export const isResponse = (value: unknown): value is ResponseLike => tagOf(value) === 'Response';
const isBuffer = (value: unknown): value is ArrayBuffer =>
  tagOf(value) === 'ArrayBuffer' || tagOf(value) === 'SharedArrayBuffer';

/** The bytes of an ArrayBuffer, or of a view of one; null for anything else. */
export function bytesOf(value: unknown): Uint8Array | null {
  if (isBuffer(value)) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return null;
  return value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Throws `aborted` if the signal is aborted. */
export function throwIfAborted(what: string, signal: SignalLike | undefined): void {
  if (signal?.aborted) throw new ConvletError('aborted', `${what}: aborted by its signal`, { cause: signal.reason });
}

/** Calls the caller's function; an error that it throws is reported as the caller's. */
export function report({ onProgress }: Transfer, loaded: number, total: number | null): void {
  try {
    onProgress?.({ loaded, total });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConvletError('argument', `load: onProgress threw: ${message}`, { cause });
  }
}

/** The bytes of a Blob, an ArrayBuffer or a view; null for anything else. */
export async function readHeld(source: unknown, transfer: Transfer): Promise<Uint8Array | null> {
  if (isResponse(source)) return readResponse(source, transfer);
  if (isBlob(source)) checkLimit(source.size, transfer);
  const bytes = isBlob(source) ? new Uint8Array(await source.arrayBuffer()) : bytesOf(source);
  if (bytes !== null) report(transfer, bytes.byteLength, bytes.byteLength);
  return bytes;
}

/** The body of a response. Throws `environment` for an unsuccessful status and for a transfer that breaks off. */
export async function readResponse(response: ResponseLike, transfer: Transfer): Promise<Uint8Array> {
  const { what = 'load' } = transfer;
  const name = response.url === '' ? 'the response' : `'${response.url}'`;
  if (!response.ok) throw new ConvletError('environment', `${what}: ${name} answered ${response.status}`);
  if (response.bodyUsed)
    throw new ConvletError(
      'argument',
      `${what}: the body of ${name} has been read already; give its bytes, or a clone()`,
    );
  // The length of an encoded body is not that of the decoded bytes.
  const length = response.headers.get('content-encoding') === null ? response.headers.get('content-length') : null;
  const total = length !== null && /^\d+$/.test(length) ? Number(length) : null;
  checkLimit(total ?? 0, transfer);
  try {
    return response.body === null
      ? new Uint8Array(await response.arrayBuffer())
      : await readChunks(response.body as Chunks, total, transfer);
  } catch (cause) {
    throwIfAborted(what, transfer.signal);
    if (cause instanceof ConvletError) throw cause;
    throw new ConvletError('environment', `${what}: ${name} broke off: ${(cause as Error).message}`, { cause });
  }
}

async function readChunks(body: Chunks, total: number | null, transfer: Transfer): Promise<Uint8Array> {
  const reader = body.getReader();
  let bytes = new Uint8Array(total ?? 1 << 16);
  let loaded = 0;
  try {
    for (;;) {
      throwIfAborted('load', transfer.signal);
      const { done, value } = await reader.read();
      if (done || value === undefined) break;
      const end = loaded + value.byteLength;
      checkLimit(end, transfer);
      if (end > bytes.byteLength) {
        const grown = new Uint8Array(Math.max(end, bytes.byteLength * 2));
        grown.set(bytes.subarray(0, loaded));
        bytes = grown;
      }
      bytes.set(value, loaded);
      loaded = end;
      if (loaded !== total) report(transfer, loaded, total);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
  report(transfer, loaded, loaded);
  return loaded === bytes.byteLength ? bytes : bytes.slice(0, loaded);
}

/** Throws `memory` for more bytes than the limit. */
export function checkLimit(bytes: number, { limit }: Transfer): void {
  if (limit !== undefined && bytes > limit)
    throw new ConvletError('memory', `load: the model has ${bytes} bytes, maxMemoryBytes is ${limit}`);
}
