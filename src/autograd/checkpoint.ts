import { ConvletError } from '../common/error.ts';
import type { TensorInfo } from '../ops/core/op.ts';
import { executor } from './engine.ts';
import type { Executor } from './executor.ts';
import { recordKeys, replayKeys } from './random-key.ts';
import { backward, isGradEnabled, recordNode, withRecording } from './tape.ts';
import { type Rule, Variable } from './variable.ts';

/**
 * Runs `body(...inputs)` and keeps none of its intermediate results: the backward pass runs it again. Trades time for
 * memory. Parameters that `body` uses get their gradients as usual.
 *
 * @returns what `body` returns: a variable
 */
export function checkpoint(body: (...inputs: Variable[]) => Variable, ...inputs: Variable[]): Variable {
  const on = executor();
  if (!isGradEnabled()) return body(...inputs);
  on.beforeRecorded();
  const keys: Variable[] = [];
  const output = Variable.of(
    recordKeys(keys, () => withoutGraph(on, body, inputs)),
    on,
  );
  const rule: Rule = ({ grads, wants }, made) => {
    on.beforeRecorded();
    const again = inputs.map((input, i) => {
      const copy = apart(on, input);
      copy.requiresGrad = wants[i];
      return copy;
    });
    const result = replayKeys(keys, () => withRecording(true, () => body(...again)));
    const seed = grads[0] as TensorInfo;
    on.retain(seed);
    const grad = Variable.of(seed, on);
    if (result.requiresGrad) backward(result, grad);
    grad.dispose();
    return again.map((copy) => {
      const handle = copy.grad === null ? null : on.materialize(copy.grad);
      if (handle !== null) {
        on.retain(handle);
        made.push(handle);
      }
      copy.dispose();
      return handle;
    });
  };
  const versions = inputs.map(() => 0);
  recordNode(on, { name: 'checkpoint', attrs: {}, inputs, outputs: [output], versions, rule, once: true });
  return output;
}

/** An input without its history. In a trace a parameter stays one: anything else would be a constant there. */
const apart = (on: Executor, input: Variable): Variable => (on.isTrace ? input.share() : input.share('step'));

/** The result of `body` with one reference, and nothing else of what it makes. */
function withoutGraph(on: Executor, body: (...inputs: Variable[]) => Variable, inputs: Variable[]): TensorInfo {
  on.enter();
  try {
    const result = withRecording(false, () => body(...inputs.map((input) => apart(on, input))));
    if (!(result instanceof Variable))
      throw new ConvletError('argument', 'checkpoint: expects a function that returns a variable');
    const handle = on.materialize(result);
    on.retain(handle);
    return handle;
  } finally {
    on.leave(new Set());
  }
}
