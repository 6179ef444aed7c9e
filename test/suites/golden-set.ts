// A golden set: manifest.json and one safetensors file per group, with inputs and outputs of PyTorch operations.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '../../src/backend/backend.ts';
import { dtypes } from '../../src/common/dtype.ts';
import type { TensorValue } from '../../src/io/elements.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { constant, type Tensor, wrap } from '../../src/tensor/tensor.ts';
import { TestTape } from '../support/gradients.ts';
import type { GoldenAttrs } from './golden-context.ts';
import { goldenOps } from './golden-ops.ts';
import { checkSchedule, type GoldenSchedule } from './golden-optim.ts';
import { isVariableCase, runVariableCase } from './golden-variables.ts';
import { compare, Mismatch, Skip } from './suite.ts';

export interface GoldenTensor {
  readonly name: string;
  readonly key: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

export interface GoldenOutput extends GoldenTensor {
  /** Key of the upstream gradient; absent if the output has none. */
  readonly gy?: string;
}

export interface GoldenCase {
  readonly id: string;
  readonly group: string;
  /** PyTorch's name of the operation. */
  readonly op: string;
  readonly attrs: GoldenAttrs;
  readonly inputs: readonly GoldenTensor[];
  readonly outputs: readonly GoldenOutput[];
  /** Gradients of Σ output · gy by the inputs of these names. */
  readonly grads?: readonly GoldenTensor[];
  readonly rtol: number;
  readonly atol: number;
}

export interface GoldenManifest {
  readonly files: { readonly [group: string]: string };
  readonly cases: readonly GoldenCase[];
  /** Learning rates of schedules. */
  readonly schedulers?: readonly GoldenSchedule[];
}

/** Reads DIR/manifest.json. Throws an Error if the file is missing or invalid. */
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
  readonly schedules: ReadonlyMap<string, GoldenSchedule>;
  private readonly directory: string;
  private readonly groups = new Map<string, Map<string, TensorValue>>();

  constructor(directory: string) {
    this.directory = directory;
    this.manifest = readManifest(directory);
    this.cases = new Map(this.manifest.cases.map((c) => [c.id, c]));
    this.schedules = new Map(this.manifest.schedulers?.map((s) => [s.id, s]));
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

  /**
   * Computes a case and compares its outputs and its gradients. Throws Mismatch, or Skip if there is no op for it. Returns the
   * largest difference.
   */
  run(id: string, backend: Backend): number {
    const schedule = this.schedules.get(id);
    if (schedule !== undefined) return checkSchedule(schedule);
    const { op, grads = [] } = this.cases.get(id)!;
    if (isVariableCase(op)) return runVariableCase(this, this.cases.get(id)!, backend);
    const forward = this.evaluate(id, backend, []);
    return grads.length === 0 ? forward : Math.max(forward, this.evaluate(id, backend, grads));
  }

  /** With `wanted`: the gradients are compared as well, and nothing is a constant, as in training. */
  private evaluate(id: string, backend: Backend, wanted: readonly GoldenTensor[]): number {
    const { op, group, inputs, outputs, attrs, rtol, atol } = this.cases.get(id)!;
    const compute = goldenOps[op];
    if (compute === undefined) throw new Skip(`${group}: ${op} has no mapping to ops`);
    const given = new Map(
      inputs.map(({ name, key }, i) => {
        const { data, shape, dtype } = this.value(group, key);
        // The inputs after the first are mostly weights: they are constants here, so that backends pack them.
        const make = i === 0 || wanted.length > 0 ? wrap : constant;
        return [name, make(data, shape, dtype)];
      }),
    );
    const find = (name: string): Tensor | null => given.get(name) ?? null;
    const input = (name: string): Tensor => {
      const tensor = find(name);
      if (tensor === null) throw new Mismatch(`the case has no input '${name}'`);
      return tensor;
    };
    const sources = wanted.map(({ name }) => input(name));
    const tape = new TestTape(backend, sources);
    const runAll = (name: string, opAttrs: object, ...operands: (Tensor | null)[]): Tensor[] =>
      tape.run(name, opAttrs, ...operands);
    try {
      const results = compute({ attrs, input, find, runAll, run: (...args) => runAll(...args)[0] });
      if (results.length !== outputs.length) {
        throw new Mismatch(`${results.length} outputs, expected ${outputs.length}`);
      }
      const differences = outputs.map(({ name, key }, i) => {
        const expected = this.value(group, key);
        const { shape, dtype, data } = results[i];
        // Indices are int32 in the set and int64 here; both are stored in 32 bits.
        const same = dtypes[dtype].kind === 'int' && dtypes[expected.dtype].kind === 'int' ? expected.dtype : dtype;
        return compare(name, { shape, dtype: same, data }, expected, rtol, atol);
      });
      const seeds = new Map<Tensor, Tensor>();
      outputs.forEach(({ gy }, i) => {
        if (gy === undefined) return;
        const { data, shape, dtype } = this.value(group, gy);
        seeds.set(results[i], wrap(data, shape, dtype));
      });
      const grads = wanted.length === 0 ? [] : tape.gradients(seeds, sources);
      const more = grads.map((grad, i) => {
        const { name, key } = wanted[i];
        const expected = this.value(group, key);
        const got = grad ?? { ...expected, data: new Float32Array(expected.data.length) };
        return compare(`gradient by ${name}`, got, expected, rtol, atol);
      });
      return Math.max(0, ...differences, ...more);
    } finally {
      tape.dispose();
    }
  }
}
