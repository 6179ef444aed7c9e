import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { supportedVariants } from '../../src/abi/modules.ts';
import type { PrimCall } from '../../src/backend/backend.ts';
import type { PrimName, Prims } from '../../src/backend/prims/index.ts';
import { WasmBackend } from '../../src/backend/wasm/backend.ts';
import { Declined } from '../../src/backend/wasm/core/prim.ts';
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import { type DType, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import { BorrowedStorage, StorageSlice } from '../../src/memory/storage.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

/** The kernel builds to test: all that this engine supports, or the one of CONVLET_VARIANT. */
export const variants = supportedVariants().filter((variant) => (process.env.CONVLET_VARIANT ?? variant) === variant);

const backends = new Map<string, WasmBackend>();

/** One backend per kernel build, with the kernels of the last `npm run kernels`. */
export function backendOf(variant: 'simd' | 'relaxed'): WasmBackend {
  let backend = backends.get(variant);
  if (backend === undefined) {
    const path = fileURLToPath(new URL(`../../build/kernels.${variant}-train.wasm`, import.meta.url));
    backend = new WasmBackend(new WebAssembly.Module(readFileSync(path)), variant, { prims: allPrims });
    backends.set(variant, backend);
  }
  return backend;
}

/** Seeded numbers in [0, 1): mulberry32. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from lo to hi, both included. */
  int(lo: number, hi: number): number {
    return lo + Math.floor(this.next() * (hi - lo + 1));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)];
  }

  floats(length: number, lo = -2, hi = 2): Float32Array {
    return Float32Array.from({ length }, () => lo + this.next() * (hi - lo));
  }
}

/** CONVLET_SEED=n repeats one case of a property test; else `count` seeds. */
export function seeds(count: number): number[] {
  const one = process.env.CONVLET_SEED;
  return one === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(one)];
}

const guardBytes = 64;

/** An input of a kernel under test. A `constant` stays outside the linear memory, as weights do. */
export interface Operand {
  readonly data: TypedArray;
  readonly dtype?: DType;
  readonly constant?: boolean;
}

const dtypeOf = (data: TypedArray): DType => {
  const found = Object.entries(dtypes).find(([, type]) => type.array === data.constructor);
  return (data instanceof Int32Array ? 'int32' : found![0]) as DType;
};

/**
 * Runs a prim's kernels and returns a copy of the outputs; null if there is no kernel for the call. The memory around operands is filled
 * with NaN: values after an input must not matter, and values around an output must not change.
 */
export function runPrim<P extends PrimName>(
  variant: 'simd' | 'relaxed',
  prim: P,
  inputs: readonly (Operand | null)[],
  outputs: readonly { length: number; dtype?: DType; initial?: TypedArray }[],
  attrs: Prims[P],
  lower: (call: PrimCall<P>, session: ReturnType<WasmBackend['session']>) => { run(): void }[] | Declined,
  options: { inPlace?: boolean } = {},
): { arrays: TypedArray[]; steps: number } | null {
  const backend = backendOf(variant);
  const session = backend.session();
  const storages: { free(): void }[] = [];
  const place = (dtype: DType, length: number, initial?: TypedArray): Tensor => {
    const bytes = length * dtypes[dtype].bytes;
    const storage = backend.memory.allocate(bytes + 2 * guardBytes);
    storages.push(storage);
    new Uint8Array(storage.buffer(), storage.byteOffset, storage.byteLength).fill(0xff);
    const tensor = new Tensor(dtype, [length], 'row', new StorageSlice(storage, guardBytes, bytes));
    if (initial !== undefined) tensor.array.set(initial);
    return tensor;
  };
  try {
    const ins = inputs.map((input) => {
      if (input === null) return null;
      const dtype = input.dtype ?? dtypeOf(input.data);
      if (input.constant) return new Tensor(dtype, [input.data.length], 'row', new BorrowedStorage(input.data), true);
      return place(dtype, input.data.length, input.data);
    });
    const outs = outputs.map((out) =>
      options.inPlace ? ins[0]! : place(out.dtype ?? 'float32', out.length, out.initial),
    );
    const steps = lower({ prim, inputs: ins, outputs: outs, attrs }, session);
    if (steps instanceof Declined) return null;
    session.seal();
    for (const step of steps) runStep(step);
    const arrays = outs.map((t) => t.array.slice());
    for (const t of outs) checkGuards(t);
    return { arrays, steps: steps.length };
  } finally {
    session.dispose();
    for (const storage of storages) storage.free();
  }
}

let runs = 0;

/** Runs every other step as threads would: in ranges of units, in random order. */
function runStep(step: { run(): void }): void {
  const kernel = step as unknown as {
    call: unknown;
    descriptor: number;
    units: number;
  };
  const { call } = kernel;
  if (runs++ % 2 === 0 || typeof call !== 'function') {
    step.run();
    return;
  }
  const cuts = [0, Math.floor(kernel.units / 3), Math.ceil(kernel.units / 2), kernel.units];
  for (const i of [1, 2, 0]) if (cuts[i] < cuts[i + 1]) call(kernel.descriptor, cuts[i], cuts[i + 1]);
}

function checkGuards(tensor: Tensor): void {
  const { byteOffset } = tensor.storage!;
  for (const [name, at] of [
    ['before', byteOffset - guardBytes],
    ['behind', byteOffset + tensor.byteLength],
  ] as const) {
    const guard = new Uint8Array(tensor.storage!.buffer(), at, guardBytes);
    const hit = guard.findIndex((byte) => byte !== 0xff);
    if (hit >= 0) throw new Error(`a kernel wrote ${name} its output, at guard byte ${hit}`);
  }
}

/** Throws an error with both values for the first element that differs by more than abs + rel·|expected|. NaN equals NaN. */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  rel = 1e-6,
  abs = 1e-6,
): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} elements, not ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    if (Object.is(a, e) || a === e) continue;
    if (Number.isFinite(e) && Math.abs(a - e) <= abs + rel * Math.abs(e)) continue;
    throw new Error(`${what}: element ${i} is ${a}, expected ${e}`);
  }
}
