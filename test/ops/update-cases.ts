// Cases of the ops that write over their inputs (`inPlace`), which list none of their own.
import type { OpCase, OpDef } from '../../src/ops/core/op.ts';
import type { UpdateKind } from '../../src/ops/optimizer/attrs.ts';
import { optimizerHyper, optimizerStates } from '../../src/ops/optimizer/optimizer.ts';

/** The optimizers with all their states, on lengths with and without a tail. */
function updateCases({ name }: OpDef): OpCase<unknown>[] {
  if (name === 'assign') return [{ attrs: {}, inputs: [{ shape: [2, 3, 4, 5] }, { shape: [2, 3, 4, 5] }] }];
  const kind = name.replace(/Step$/, '') as UpdateKind;
  return [4096, 4099].map((length) => {
    const states = optimizerStates[kind].names.map(() => ({ shape: [length], range: [0.05, 0.2] as const }));
    const hyper = { shape: [optimizerHyper[kind].length], range: [0.01, 0.9] as const };
    return { attrs: {}, inputs: [{ shape: [length] }, { shape: [length] }, ...states, hyper] };
  });
}

/** Cases of any op: its own, or those of an update. */
export const casesOf = (op: OpDef): readonly OpCase<unknown>[] =>
  op.inPlace === undefined ? op.cases() : updateCases(op);
