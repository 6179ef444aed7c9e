import { ConvletError } from '../../src/common/error.ts';

/** The ConvletError that `act` fails with. Any other error, or none, fails the test. */
export async function failureOf(act: () => unknown): Promise<ConvletError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof ConvletError && error.code !== 'internal') return error;
    throw error;
  }
  throw new Error('expected a ConvletError, nothing was thrown');
}

/** mulberry32: numbers in 0…1 that depend on the seed alone. */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
