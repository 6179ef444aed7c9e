/**
 * A file of which only what somebody asks for is read. Most of a model file is weights that a kernel packs into a form of
 * its own: they go from the file to where they are packed, and never lie in memory as a whole (reading a file into new
 * memory costs less for the reading than for the pages that are touched for the first time).
 */
export interface LazyFile {
  /** As long as the file. Only what `need` was called for is there, the rest is zeros that take no memory. */
  readonly bytes: Uint8Array;
  /**
   * Reads the bytes from `start` to `end` into `bytes`, unless they are there, and says up to where all from `start` on are.
   * Throws `environment` where that fails.
   */
  need(start: number, end: number): number;
  /** Fills `target` with the bytes from `start` on, which need not come into `bytes` for that. Throws as `need` does. */
  copy(start: number, target: Uint8Array): void;
  /** Nothing more can be read. */
  close(): void;
}
