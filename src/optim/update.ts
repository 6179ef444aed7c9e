// What the optimizers' classes have in common beside their base.
import { ConvletError } from '../common/error.ts';

/** Ranges that options of the same names have in all optimizers. */
const ranges: Readonly<Record<string, { readonly text: string; readonly holds: (v: number) => boolean }>> = {
  lr: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
  eps: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
  weightDecay: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
  momentum: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
  alpha: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
  rho: { text: 'a number in 0…1', holds: (v) => v >= 0 && v <= 1 },
  lrDecay: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
  momentumDecay: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
  initialAccumulatorValue: { text: 'a number ≥ 0', holds: (v) => v >= 0 },
};

/** Throws `argument` for the first option of a group that makes no sense; the message names optimizer and option. */
export function checkGroups(optimizer: string, groups: readonly { readonly [option: string]: unknown }[]): void {
  for (const group of groups) {
    for (const [name, { text, holds }] of Object.entries(ranges)) {
      const value = group[name];
      if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && holds(value))) continue;
      throw new ConvletError('argument', `${optimizer}: ${name} expects ${text}, got ${String(value)}`);
    }
    const { betas } = group;
    const pair = betas === undefined || (Array.isArray(betas) && betas.length === 2);
    if (!pair || (betas as number[] | undefined)?.some((beta) => !(beta >= 0 && beta < 1))) {
      throw new ConvletError(
        'argument',
        `${optimizer}: betas expects two numbers in 0…1 (1 excluded), got ${String(betas)}`,
      );
    }
  }
}
