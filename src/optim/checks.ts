// Checks that optimizers and schedules share: values that options of the same names take, the arguments of schedules.
import { ConvletError } from '../common/error.ts';
import { checkCall, type Kind, type Known, kind } from '../common/options.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

export const notNegative: Kind<number> = kind('a number ≥ 0', (v) => isNumber(v) && v >= 0);
export const share: Kind<number> = kind('a number in 0…1', (v) => isNumber(v) && v >= 0 && v <= 1);
export const decays: Kind<readonly [number, number]> = kind(
  'two numbers in 0…1 (1 excluded)',
  (v) => Array.isArray(v) && v.length === 2 && v.every((beta) => isNumber(beta) && beta >= 0 && beta < 1),
);
export const pair: Kind<readonly [number, number]> = kind(
  'two numbers',
  (v) => Array.isArray(v) && v.length === 2 && v.every(isNumber),
);

const optimizerArg: Known = {
  optimizer: kind('an optimizer', (v) => Array.isArray((v as { paramGroups?: unknown } | null)?.paramGroups)),
};

/** Checks the arguments of a schedule; `given`: the optimizer, its options and surplus arguments. */
export function checkSchedule(
  name: string,
  options: Known,
  required: readonly string[],
  given: readonly unknown[],
): void {
  checkCall(name, { args: optimizerArg, options, needed: 1, required }, given);
}

/** Checks the arguments of a schedule without options; `args`: those after the optimizer, all of which must be given. */
export function checkScheduleArgs(name: string, args: Known, given: readonly unknown[]): void {
  const all = { ...optimizerArg, ...args };
  checkCall(name, { args: all, needed: Object.keys(all).length }, given);
}

/** Throws `argument` unless `value` is a number above (or at) `least`. */
export function expectAtLeast(schedule: string, name: string, value: unknown, least: number, whole = false): void {
  const fits = typeof value === 'number' && value >= least && (!whole || Number.isInteger(value));
  if (fits) return;
  throw new ConvletError(
    'argument',
    `${schedule}: ${name} expects a ${whole ? 'whole ' : ''}number ≥ ${least}, got ${String(value)}`,
  );
}
