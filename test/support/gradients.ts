// Runs backward rules eagerly with a short tape, so that tests of rules and kernels do not depend on src/autograd.
import type { Backend } from '../../src/backend/backend.ts';
import { dtypes, type TypedArray } from '../../src/common/dtype.ts';
import { execute } from '../../src/ops/core/execute.ts';
import type { GradContext, TensorInfo } from '../../src/ops/core/op.ts';
import { getOp } from '../../src/ops/training.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';

interface Entry {
  readonly op: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attrs: unknown;
}

/** Runs ops, records those on which gradients of `sources` depend, and runs their rules in reverse order. Owns all results. */
export class TestTape {
  private readonly backend: Backend;
  private readonly owned: Tensor[] = [];
  private readonly entries: Entry[] = [];
  private readonly reached: Set<Tensor>;

  constructor(backend: Backend, sources: readonly Tensor[]) {
    this.backend = backend;
    this.reached = new Set(sources);
  }

  run(op: string, attrs: unknown, ...inputs: (Tensor | null)[]): Tensor[] {
    const outputs = this.execute(op, inputs, attrs);
    if (inputs.some((t) => t !== null && this.reached.has(t))) {
      this.entries.push({ op, inputs, outputs, attrs });
      for (const output of outputs) if (dtypes[output.dtype].kind === 'float') this.reached.add(output);
    }
    return outputs;
  }

  /** Gradients of Σ output · seed by each of `sources`; zeros are null. Throws for an op without a rule. */
  gradients(seeds: ReadonlyMap<Tensor, Tensor>, sources: readonly Tensor[]): (Tensor | null)[] {
    const grads = new Map<Tensor, Tensor>(seeds);
    for (const { op, inputs, outputs, attrs } of [...this.entries].reverse()) {
      if (!outputs.some((output) => grads.has(output))) continue;
      const { backward } = getOp(op);
      if (backward === undefined) throw new Error(`op ${op} has no backward rule`);
      const wants = inputs.map((t) => t !== null && this.reached.has(t));
      const context: GradContext<unknown> = {
        attrs,
        inputs,
        outputs,
        grads: outputs.map((output) => grads.get(output) ?? null),
        wants,
        op: (name, operands, ...[given]) => this.execute(name, operands as (Tensor | null)[], given ?? {}),
        constant: (array, shape) => tensor(array, shape),
      };
      backward(context).forEach((grad, i) => {
        if (grad !== null && wants[i]) this.accumulate(grads, inputs[i]!, grad, op);
      });
    }
    return sources.map((source) => grads.get(source) ?? null);
  }

  dispose(): void {
    for (const result of this.owned) result.dispose();
    this.owned.length = 0;
  }

  private execute(op: string, inputs: readonly (Tensor | null)[], attrs: unknown): Tensor[] {
    const outputs = execute(this.backend, getOp(op), inputs, attrs);
    for (const output of outputs) {
      // The owner of a view's base frees the view.
      if (!inputs.some((t) => t?.storage === output.storage)) this.owned.push(output);
    }
    return outputs;
  }

  private accumulate(grads: Map<Tensor, Tensor>, input: Tensor, info: TensorInfo, op: string): void {
    const grad = info as Tensor;
    if (grad.shape.join() !== input.shape.join() || grad.dtype !== input.dtype) {
      throw new Error(`${op}: gradient ${grad.dtype}[${grad.shape}] of an input ${input.dtype}[${input.shape}]`);
    }
    const before = grads.get(input);
    grads.set(input, before === undefined ? grad : this.execute('add', [before, grad], { activation: null })[0]);
  }
}

/** Forward and backward of one op: its outputs and the gradients of Σ output · seed by all float inputs, in row-major order. */
export function opGradients(
  backend: Backend,
  op: string,
  inputs: readonly (Tensor | null)[],
  attrs: unknown,
  seedsOf: (outputs: readonly Tensor[]) => readonly (Tensor | null)[],
): { outputs: TypedArray[]; grads: (TypedArray | null)[] } {
  const sources = inputs.filter((t): t is Tensor => t !== null && dtypes[t.dtype].kind === 'float');
  const tape = new TestTape(backend, sources);
  try {
    const results = tape.run(op, attrs, ...inputs);
    const seeds = new Map<Tensor, Tensor>();
    seedsOf(results).forEach((seed, i) => {
      if (seed !== null) seeds.set(results[i], seed);
    });
    const grads = tape.gradients(seeds, sources);
    return {
      outputs: results.map((t) => t.data),
      grads: inputs.map((t) => (t === null ? null : (grads[sources.indexOf(t)]?.data ?? null))),
    };
  } finally {
    tape.dispose();
  }
}
