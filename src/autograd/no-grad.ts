import { ConvletError } from '../common/error.ts';
import { callable, expectKind } from '../common/options.ts';
import { executor } from './engine.ts';
import { withRecording } from './tape.ts';
import { Variable } from './variable.ts';

/**
 * Runs `body` without recording. What it returns (variables, arrays and objects of them) stays, everything else that is
 * made inside is freed.
 *
 * @throws ConvletError `argument` if `body` is asynchronous: it would go on after the recording is back on
 */
export function noGrad<T>(body: () => T): T {
  expectKind('noGrad', 'body', body, callable);
  const on = executor();
  on.enter();
  const kept = new Set<Variable>();
  try {
    const result = withRecording(false, body);
    if (typeof (result as { then?: unknown } | null)?.then === 'function')
      throw new ConvletError('argument', 'noGrad: expects a synchronous function');
    collect(result, kept);
    return result;
  } finally {
    on.leave(kept);
  }
}

function collect(value: unknown, into: Set<Variable>): void {
  if (value instanceof Variable) into.add(value);
  else if (Array.isArray(value)) for (const entry of value) collect(entry, into);
  else if (value instanceof Map) for (const entry of value.values()) collect(entry, into);
  else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    for (const entry of Object.values(value)) collect(entry, into);
}
