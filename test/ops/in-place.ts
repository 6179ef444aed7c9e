import { readFileSync } from 'node:fs';
import { supportedVariants } from '../../src/abi/modules.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { WasmBackend } from '../../src/backend/wasm/backend.ts';
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import { execute } from '../../src/ops/core/execute.ts';
import type { OpDef } from '../../src/ops/core/op.ts';
import { Tensor, wrap } from '../../src/tensor/tensor.ts';
import { jsBackend } from '../support/js-backend.ts';

/** Ops that write over their inputs cannot go through the harness, which gives every backend the same inputs. */
export const backends: readonly (readonly [string, () => Backend])[] = [
  ['js', () => jsBackend()],
  ...supportedVariants().map((variant) => {
    const make = (): Backend => {
      const bytes = readFileSync(new URL(`../../build/kernels.${variant}-train.wasm`, import.meta.url));
      return new WasmBackend(new WebAssembly.Module(bytes), variant, { prims: allPrims });
    };
    return [`wasm ${variant}`, make] as const;
  }),
];

/** A tensor in the backend's own memory, which ops may write. */
export function state(backend: Backend, values: Float32Array, shape: readonly number[] = [values.length]): Tensor {
  const tensor = new Tensor('float32', shape, 'row', backend.memory.allocate(values.byteLength));
  tensor.array.set(values);
  return tensor;
}

export function update(backend: Backend, op: OpDef, inputs: readonly (Tensor | Float32Array | null)[]): void {
  const tensors = inputs.map((input) => (input instanceof Float32Array ? wrap(input, [input.length]) : input));
  execute(backend, op, tensors, {});
}
