// Engines that refuse to reserve 4 GiB for a shared memory get smaller wishes.
import { afterEach, expect, test, vi } from 'vitest';
import { load } from '../../src/runtime/node.ts';
import { lenet } from '../support/lenet.ts';

const { Memory } = WebAssembly;
afterEach(() => vi.restoreAllMocks());

/** Lets a memory have at most so many pages. */
function refuse(most: number): number[] {
  const asked: number[] = [];
  vi.spyOn(WebAssembly, 'Memory').mockImplementation(function (
    this: unknown,
    descriptor: WebAssembly.MemoryDescriptor,
  ) {
    asked.push(descriptor.maximum!);
    if (descriptor.maximum! > most) throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    return new Memory(descriptor);
  } as never);
  return asked;
}

test('half, and half again, until the engine has so much', async () => {
  const asked = refuse(16384);
  using model = await load(lenet('n'), { threads: 2 });
  expect(asked).toEqual([65536, 32768, 16384]);
  const { y } = await model.run({ x: { data: new Float32Array(784), shape: [1, 1, 28, 28] } });
  expect(y.shape).toEqual([1, 10]);
});

test('an engine that has not even 128 MiB: memory', async () => {
  refuse(1000);
  await expect(load(lenet('n'))).rejects.toMatchObject({ code: 'memory', message: expect.stringContaining('128 MiB') });
});
