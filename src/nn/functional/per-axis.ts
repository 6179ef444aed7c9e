import { ConvletError } from '../../common/error.ts';

/** One number for all spatial axes, or one per axis. */
export type PerAxis = number | readonly number[];

export function perAxis(op: string, name: string, value: unknown, rank: number): number[] {
  if (typeof value === 'number') return new Array<number>(rank).fill(value);
  if (Array.isArray(value) && value.length === rank) return [...(value as number[])];
  throw new ConvletError(
    'argument',
    `${op}: ${name} expects a number or ${rank} of them, got ${JSON.stringify(value)}`,
  );
}
