// Values that options of the same names take in all optimizers.
import { type Kind, kind } from '../common/options.ts';

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
