// A golden set: manifest.json and one safetensors file per group, with inputs and outputs of PyTorch operations.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '../../src/backend/backend.ts';
import { dtypes } from '../../src/common/dtype.ts';
import type { TensorValue } from '../../src/io/elements.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { execute } from '../../src/ops/execute.ts';
import '../../src/ops/index.ts';
import { getOp } from '../../src/ops/registry.ts';
import { constant, type Tensor, wrap } from '../../src/tensor/tensor.ts';
import type { GoldenAttrs } from './golden-context.ts';
import { goldenOps } from './golden-ops.ts';
import { compare, Mismatch, Skip } from './suite.ts';

export interface GoldenTensor {
  readonly name: string;
  readonly key: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

export interface GoldenCase {
  readonly id: string;
  readonly group: string;
  /** PyTorch's name of the operation. */
  readonly op: string;
  readonly attrs: GoldenAttrs;
  readonly inputs: readonly GoldenTensor[];
  readonly outputs: readonly GoldenTensor[];
  readonly rtol: number;
  readonly atol: number;
}

export interface GoldenManifest {
  readonly files: { readonly [group: string]: string };
  readonly cases: readonly GoldenCase[];
}

/** Reads DIR/manifest.json. Throws an Error that says what is wrong with it. */
export function readManifest(directory: string): GoldenManifest {
  const path = join(directory, 'manifest.json');
  if (!existsSync(path)) throw new Error(`there is no '${path}'`);
  let manifest: GoldenManifest;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`'${path}' is not JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(manifest?.cases) && typeof manifest.files === 'object') return manifest;
  throw new Error(`'${path}' is not a golden manifest: it has no 'cases' or no 'files'`);
}

export class GoldenSet {
  readonly manifest: GoldenManifest;
  readonly cases: ReadonlyMap<string, GoldenCase>;
  private readonly directory: string;
  private readonly groups = new Map<string, Map<string, TensorValue>>();

  constructor(directory: string) {
    this.directory = directory;
    this.manifest = readManifest(directory);
    this.cases = new Map(this.manifest.cases.map((c) => [c.id, c]));
  }

  value(group: string, key: string): TensorValue {
    let tensors = this.groups.get(group);
    if (tensors === undefined) {
      const path = join(this.directory, this.manifest.files[group] ?? `${group}.safetensors`);
      if (!existsSync(path)) throw new Mismatch(`the tensors of group ${group} are missing: there is no '${path}'`);
      tensors = readSafetensors(readFileSync(path));
      this.groups.set(group, tensors);
    }
    const value = tensors.get(key);
    if (value === undefined) throw new Mismatch(`${this.manifest.files[group]} has no tensor '${key}'`);
    return value;
  }

  /** Computes a case forward and compares it. Throws Mismatch, or Skip where no op is mapped. Returns the largest difference. */
  run(id: string, backend: Backend): number {
    const { op, group, inputs, outputs, attrs, rtol, atol } = this.cases.get(id)!;
    const compute = goldenOps[op];
    if (compute === undefined) throw new Skip(`${group}: ${op} has no mapping to ops`);
    const owned: Tensor[] = [];
    const runAll = (name: string, opAttrs: object, ...operands: (Tensor | null)[]): Tensor[] => {
      const results = execute(backend, getOp(name), operands, opAttrs);
      owned.push(...results);
      return results;
    };
    const find = (name: string): Tensor | null => {
      const index = inputs.findIndex((input) => input.name === name);
      if (index < 0) return null;
      const { data, shape, dtype } = this.value(group, inputs[index].key);
      // What follows the first input is mostly weights: given as constants, so that backends pack them.
      return index === 0 ? wrap(data, shape, dtype) : constant(data, shape, dtype);
    };
    const input = (name: string): Tensor => {
      const tensor = find(name);
      if (tensor === null) throw new Mismatch(`the case has no input '${name}'`);
      return tensor;
    };
    try {
      const results = compute({ attrs, input, find, runAll, run: (...args) => runAll(...args)[0] });
      if (results.length !== outputs.length) {
        throw new Mismatch(`${results.length} outputs, expected ${outputs.length}`);
      }
      const differences = outputs.map(({ name, key }, i) => {
        const expected = this.value(group, key);
        const { shape, dtype, data } = results[i];
        // Indices are int32 in the set and int64 here, stored alike.
        const same = dtypes[dtype].kind === 'int' && dtypes[expected.dtype].kind === 'int' ? expected.dtype : dtype;
        return compare(name, { shape, dtype: same, data }, expected, rtol, atol);
      });
      return Math.max(0, ...differences);
    } finally {
      for (const tensor of owned) tensor.dispose();
    }
  }
}
