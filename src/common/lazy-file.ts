/**
 * A file that is read on demand. Most of a model file is weights that a kernel packs: they are read directly to where they are
 * packed, and the whole file is never in memory. (Most of the time of reading a file into new memory is page faults.)
 */
export interface LazyFile {
  /** As long as the file. Only the bytes for which `need` was called are present; the rest is zeros that take no memory. */
  readonly bytes: Uint8Array;
  /**
   * Reads the bytes from `start` to `end` into `bytes` unless they are present. Returns the end of the present bytes that follow `start`.
   * Throws `environment` if reading fails.
   */
  need(start: number, end: number): number;
  /** Fills `target` with the bytes from `start` on, without storing them in `bytes`. Throws as `need` does. */
  copy(start: number, target: Uint8Array): void;
  /** Nothing more can be read. */
  close(): void;
}
