import type { PrimCall, Step } from '../../backend.ts';
import type { PrimName } from '../../prims/index.ts';
import { KernelStep } from './kernel-step.ts';
import { Declined } from './prim.ts';
import type { WasmSession } from './session.ts';

/** One of several ways to compute a prim. `Context`: what the binding has computed before it chooses. */
export interface Algorithm<P extends PrimName, Context> {
  readonly name: string;
  /** How it would cut the work, for profiles. */
  detail?(call: PrimCall<P>, session: WasmSession): string;
  /** Estimated nanoseconds of one thread with cold weights, on the machine of conv-cost.ts, or why it cannot compute this call. */
  cost(call: PrimCall<P>, session: WasmSession): number | Declined;
  lower(call: PrimCall<P>, session: WasmSession, context: Context): Step[];
}

const costOf = (cost: number | Declined): number => (cost instanceof Declined ? Number.POSITIVE_INFINITY : cost);

/** The algorithm of the least estimated cost; the first of equals. */
export function cheapest<P extends PrimName, Context>(
  algorithms: readonly Algorithm<P, Context>[],
  call: PrimCall<P>,
  session: WasmSession,
): Algorithm<P, Context> {
  const costs = algorithms.map((algorithm) => costOf(algorithm.cost(call, session)));
  return algorithms[costs.indexOf(Math.min(...costs))];
}

/** Notes on the steps which algorithm was taken, and what the others would cost or why they cannot compute the call. */
export function explain<P extends PrimName, Context>(
  steps: Step[],
  taken: Algorithm<P, Context>,
  algorithms: readonly Algorithm<P, Context>[],
  call: PrimCall<P>,
  session: WasmSession,
): Step[] {
  const extra = taken.detail?.(call, session);
  const cost = costOf(taken.cost(call, session));
  let first = true;
  const others = algorithms
    .filter((algorithm) => algorithm !== taken)
    .map((algorithm) => {
      const cost = algorithm.cost(call, session);
      return `${algorithm.name} ${cost instanceof Declined ? `cannot: ${cost.why}` : `${(cost / 1e6).toFixed(3)} ms`}`;
    });
  for (const step of steps) {
    if (!(step instanceof KernelStep)) continue;
    step.detail = extra === undefined ? taken.name : `${taken.name}, ${extra}`;
    step.others = others.join('; ');
    if (first && cost < Number.POSITIVE_INFINITY) step.cost = cost;
    first = false;
  }
  return steps;
}
