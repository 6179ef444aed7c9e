import type { JsPrims } from '../backend.ts';
import { conv } from './conv.ts';

/** Every prim; the implementations are in the files of the same names. */
export const jsPrims = {
  conv,
} as Partial<JsPrims> as JsPrims;
