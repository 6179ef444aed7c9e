// Cases of the golden set that are computed with variables: losses, optimizers, quantization, networks.

import { useBackend, Variable, variable } from '../../src/autograd/index.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { dtypes } from '../../src/common/dtype.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import type { GoldenAttrs } from './golden-context.ts';
import { goldenLosses } from './golden-loss.ts';
import { goldenNetworks } from './golden-networks.ts';
import { goldenOptimizers } from './golden-optim.ts';
import { goldenQuantization } from './golden-quant.ts';
import type { GoldenCase, GoldenSet } from './golden-set.ts';
import { compare, type Expected, Mismatch } from './suite.ts';

export interface VariableContext {
  readonly case: GoldenCase;
  readonly attrs: GoldenAttrs;
  /** An input, as a leaf that requires gradients if its gradient is compared. It is the same variable each time. */
  input(name: string): Variable;
  find(name: string): Variable | null;
  /** Makes `variable` the input of that name. */
  provide(name: string, variable: Variable): void;
  /** An input's values. */
  values(name: string): Expected;
}

/** Outputs in the case's order; those that require gradients are backpropagated with the case's upstream gradients. */
export type VariableOp = (context: VariableContext) => readonly (Variable | Expected)[];

export type VariableOps = { readonly [op: string]: VariableOp };

const ops: VariableOps = { ...goldenLosses, ...goldenOptimizers, ...goldenQuantization, ...goldenNetworks };

export const isVariableCase = (op: string): boolean => ops[op] !== undefined;

/** Runs a case on a new engine of `backend`, and frees all its memory. Throws Mismatch. */
export function runVariableCase(set: GoldenSet, given: GoldenCase, backend: Backend): number {
  const engine = useBackend(backend);
  const { op, group, inputs, outputs, grads = [], attrs, rtol, atol } = given;
  const leaves = new Map<string, Variable>();
  const values = (name: string): Expected => {
    const input = inputs.find((entry) => entry.name === name);
    if (input === undefined) throw new Mismatch(`the case has no input '${name}'`);
    return set.value(group, input.key);
  };
  const input = (name: string): Variable => {
    let leaf = leaves.get(name);
    if (leaf === undefined) {
      const { data, shape, dtype } = values(name);
      const wanted = grads.some((grad) => grad.name === name);
      leaf = variable(tensor(data.slice(), shape, dtype));
      if (wanted) leaf = new Variable(leaf, leaf.host, true, 'persistent');
      leaves.set(name, leaf);
    }
    return leaf;
  };
  const find = (name: string): Variable | null => (inputs.some((entry) => entry.name === name) ? input(name) : null);
  try {
    const results = ops[op]({
      case: given,
      attrs,
      input,
      find,
      values,
      provide: (name, made) => void leaves.set(name, made),
    });
    if (results.length !== outputs.length) throw new Mismatch(`${results.length} outputs, expected ${outputs.length}`);
    const differences = outputs.map(({ name, key }, i) => {
      const expected = set.value(group, key);
      const { shape, dtype, data } = results[i];
      const same = dtypes[dtype].kind === 'int' && dtypes[expected.dtype].kind === 'int' ? expected.dtype : dtype;
      return compare(name, { shape, dtype: same, data }, expected, rtol, atol);
    });
    const seeded = outputs.flatMap(({ gy }, i) => (gy === undefined ? [] : [{ result: results[i], gy }]));
    if (grads.length > 0) {
      const [{ result, gy }] = seeded;
      const seed = set.value(group, gy);
      (result as Variable).backward(variable(tensor(seed.data.slice(), seed.shape, seed.dtype)));
      for (const { name, key } of grads) {
        const expected = set.value(group, key);
        const grad = input(name).grad;
        const got = grad ?? { ...expected, data: new Float32Array(expected.data.length) };
        differences.push(compare(`gradient by ${name}`, got, expected, rtol, atol));
      }
    }
    return Math.max(0, ...differences);
  } finally {
    for (const leaf of leaves.values()) leaf.dispose();
    engine.flush();
  }
}
