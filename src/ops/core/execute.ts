import type { Backend } from '../../backend/backend.ts';
import type { Storage } from '../../memory/storage.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { Lowering } from './lower.ts';
import type { OpDef } from './op.ts';

/**
 * Runs one op now: checks, allocates the outputs on the backend, runs its prims, frees the temporaries. The caller owns
 * the outputs. An output that shares memory with an input (reshape) has that input's storage and must not be used after it is freed.
 * `shared`: all threads of the backend share the work; most single ops are too small for that.
 */
export function execute<A>(
  backend: Backend,
  op: OpDef<A>,
  inputs: readonly (Tensor | null)[],
  attrs: A,
  shared = false,
): Tensor[] {
  if (op.evaluate !== undefined) return op.evaluate(inputs, attrs);
  const infos = op.infer(inputs, attrs);
  const lowering = new Lowering();
  const owned = new Map<Tensor, Storage>();
  const session = backend.session();
  try {
    const placed = inputs.map((t) => (t === null ? null : reachable(backend, t, owned)));
    const outputs = lowering.op(op, placed, attrs, infos);
    for (const call of lowering.calls) {
      for (const output of call.outputs) place(output, lowering, backend, owned);
    }
    for (const output of outputs) place(output, lowering, backend, owned);
    const steps = [];
    for (const call of lowering.calls) {
      // A view may be read before `place` has seen its base as an output, so inputs are placed as well.
      for (const input of call.inputs) if (input !== null) place(input, lowering, backend, owned);
      steps.push(...session.prepare(call));
    }
    session.seal();
    if (shared) session.runner(steps, () => `'${op.name}'`).run();
    else for (const step of steps) step.run();
    return outputs.map((output) => keep(output, owned));
  } finally {
    for (const storage of owned.values()) storage.free();
    session.dispose();
  }
}

/** `tensor`, copied into the backend's memory if it is on the JavaScript heap and not a constant. */
function reachable(backend: Backend, tensor: Tensor, owned: Map<Tensor, Storage>): Tensor {
  if (backend.name === 'js' || tensor.constant || tensor.storage?.linear) return tensor;
  const storage = backend.memory.allocate(tensor.byteLength);
  const copy = new Tensor(tensor.dtype, tensor.shape, tensor.layout, storage);
  copy.array.set(tensor.array as Float32Array);
  owned.set(copy, storage);
  return copy;
}

function place(tensor: Tensor, lowering: Lowering, backend: Backend, owned: Map<Tensor, Storage>): void {
  if (tensor.storage !== null) return;
  const base = lowering.aliases.get(tensor);
  if (base !== undefined) {
    place(base, lowering, backend, owned);
    tensor.storage = base.storage;
    return;
  }
  tensor.storage = backend.memory.allocate(tensor.byteLength);
  owned.set(tensor, tensor.storage);
}

/** The output, whose storage is removed from those that are freed at the end. An output that is a view of such a storage then owns it. */
function keep(output: Tensor, owned: Map<Tensor, Storage>): Tensor {
  for (const [tensor, storage] of owned) {
    if (storage === output.storage) owned.delete(tensor);
  }
  return output;
}
