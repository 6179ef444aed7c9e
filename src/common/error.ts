/** The kind of an error; stable across versions, meant for `switch`. */
export type ConvletErrorCode =
  | 'shape' // a shape does not fit an op or a model input
  | 'dtype' // an element type does not fit
  | 'argument' // an option or attribute has a value that makes no sense
  | 'missing-input' // a model input was not given
  | 'unknown-name' // a name that the model or library does not have
  | 'index-range' // an index is outside its axis
  | 'malformed' // a file that is damaged or of another format
  | 'unsupported' // valid, but not something convlet runs
  | 'memory' // more memory than allowed or available
  | 'non-finite' // a loss, gradient or weight became NaN or infinite
  | 'disposed' // used after dispose()
  | 'aborted' // given up because its AbortSignal said so, with the signal's reason as the cause
  | 'internal' // a fault of convlet's own, please report it
  | 'environment'; // the runtime lacks something (WebAssembly SIMD, file access, an optional package)

/**
 * The only error type that convlet throws for wrong input. `code` is the kind of the error; the message names the op, node and
 * argument, what was expected and what came.
 */
export class ConvletError extends Error {
  static override readonly name: string = 'ConvletError';

  override readonly name = 'ConvletError';
  /** What kind of thing went wrong. */
  readonly code: ConvletErrorCode;

  constructor(code: ConvletErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The same error with the place in front of its message ("node 'conv1' (Conv): …"). Other errors are returned unchanged. */
export function withContext(where: string, error: unknown): unknown {
  if (!(error instanceof ConvletError)) return error;
  return new ConvletError(error.code, `${where}: ${error.message}`, { cause: error.cause ?? error });
}

/**
 * The error that a caller of `what` gets: a ConvletError unchanged; `memory` if the engine has no more memory; for any other
 * error, which should not happen, `internal` with the error as its cause.
 */
export function asConvletError(what: string, error: unknown): ConvletError {
  if (error instanceof ConvletError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const exhausted = error instanceof RangeError && /allocation failed|array length|out of memory/i.test(message);
  if (exhausted)
    return new ConvletError('memory', `${what}: the engine has no memory left (${message})`, { cause: error });
  return new ConvletError('internal', `${what}: ${message} (a fault of convlet's, please report it)`, { cause: error });
}

/** `[1,3,224,224]`, with `?` for a dimension that is not known. */
export function shapeText(shape: readonly (number | string | null)[]): string {
  return `[${shape.map((d) => d ?? '?').join(',')}]`;
}
