import { expect } from 'vitest';
import { ConvletError, type ConvletErrorCode } from '../../src/common/error.ts';

/** Runs `read`, which may fail with a ConvletError and nothing else; true if it did not fail. */
export function onlyConvletErrors(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof ConvletError)) throw error;
    expect(error.message.length).toBeLessThan(500);
    return false;
  }
}

export function expectError(read: () => unknown, code: ConvletErrorCode, message: RegExp): void {
  let caught: unknown;
  try {
    read();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(ConvletError);
  expect((caught as ConvletError).message).toMatch(message);
  expect((caught as ConvletError).code).toBe(code);
}

/** `bytes` at an odd address, where nothing can be viewed. */
export function misaligned(bytes: Uint8Array): Uint8Array {
  const shifted = new Uint8Array(bytes.byteLength + 1);
  shifted.set(bytes, 1);
  return shifted.subarray(1);
}
