import { type CasesOf, tableOf } from '../case.ts';
import type { OptimizerOps, UpdateKind } from './attrs.ts';
import { optimizerHyper, optimizerStates } from './optimizer.ts';

const kinds = Object.keys(optimizerStates) as UpdateKind[];

/** Each kind with all its states, on lengths with and without a tail. */
export const optimizerCases: CasesOf<keyof OptimizerOps> = tableOf(
  kinds,
  (kind) =>
    [4096, 4099].map((length) => {
      const states = optimizerStates[kind].names.map(() => ({ shape: [length], range: [0.05, 0.2] as const }));
      const hyper = { shape: [optimizerHyper[kind].length], range: [0.01, 0.9] as const };
      return { attrs: {}, inputs: [{ shape: [length] }, { shape: [length] }, ...states, hyper] };
    }),
  (kind) => `${kind}Step` as const,
);
