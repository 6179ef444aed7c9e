import type { JsPrims } from '../backend.ts';

/** Every prim; the implementations are in the files of the same names. */
export const jsPrims = {} as JsPrims;
