import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { abiHash } from '../../src/abi/generated/abi.ts';
import { ConvletError } from '../../src/common/error.ts';
import { load } from '../../src/index.ts';

const bytes = readFileSync(new URL('../../build/kernels.simd.wasm', import.meta.url));
const model = new Uint8Array(readFileSync(new URL('../fixtures/models/mobilenet_v2_tiny.onnx', import.meta.url)));

/** `i32.const value; end`, as it stands in a module. */
function constantOf(value: number): number[] {
  const leb: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const last = (rest >> 6 === 0 && (rest & 64) === 0) || (rest >> 6 === -1 && (rest & 64) !== 0);
    leb.push((rest & 127) | (last ? 0 : 128));
    if (last) return [0x41, ...leb, 0x0b];
  }
}

const instanceOf = (module: WebAssembly.Module): { abi?: () => number } =>
  new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } }).exports;

test('kernels of this version are taken, those of another one refused', async () => {
  const own = new WebAssembly.Module(bytes);
  expect(instanceOf(own).abi?.()).toBe(abiHash);
  expect((await load(model, { kernels: own })).backend).toBe('wasm');

  const changed = Buffer.from(bytes);
  const at = changed.indexOf(Buffer.from(constantOf(abiHash)));
  expect(at).toBeGreaterThan(0);
  changed[at + 1] ^= 1;
  const other = new WebAssembly.Module(changed);
  expect(instanceOf(other).abi?.()).toBe(abiHash ^ 1);
  const refused = load(model, { kernels: other });
  await expect(refused).rejects.toThrow(ConvletError);
  await expect(refused).rejects.toMatchObject({
    code: 'environment',
    message: expect.stringMatching(/same version.*convlet\/kernels/),
  });
});
