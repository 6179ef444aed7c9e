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

/** The algorithm that was chosen, and the cost of each. */
export interface Choice<P extends PrimName, Context, A extends Algorithm<P, Context> = Algorithm<P, Context>> {
  readonly taken: A;
  readonly costs: ReadonlyMap<A, number | Declined>;
}

/** A choice without alternatives, for tests and benchmarks of one algorithm. */
export const only = <P extends PrimName, Context, A extends Algorithm<P, Context>>(
  taken: A & Algorithm<P, Context>,
): Choice<P, Context, A> => ({ taken, costs: new Map() });

/** Estimates the algorithms and chooses that of the least cost; the first of equals. */
export function choose<P extends PrimName, Context, A extends Algorithm<P, Context> = Algorithm<P, Context>>(
  algorithms: readonly A[],
  call: PrimCall<P>,
  session: WasmSession,
): Choice<P, Context, A> {
  const costs = new Map(algorithms.map((algorithm) => [algorithm, algorithm.cost(call, session)]));
  const numbers = [...costs.values()].map(costOf);
  return { taken: algorithms[numbers.indexOf(Math.min(...numbers))], costs };
}

/** Lowers the call by the chosen algorithm, and notes on the steps which it is, and what the others would cost or why they cannot do it. */
export function lowerBy<P extends PrimName, Context>(
  { taken, costs }: Choice<P, Context>,
  call: PrimCall<P>,
  session: WasmSession,
  context: Context,
): Step[] {
  const steps = taken.lower(call, session, context);
  const extra = taken.detail?.(call, session);
  const others = [...costs]
    .filter(([algorithm]) => algorithm !== taken)
    .map(
      ([{ name }, cost]) =>
        `${name} ${cost instanceof Declined ? `cannot: ${cost.why}` : `${(cost / 1e6).toFixed(3)} ms`}`,
    );
  const cost = costOf(costs.get(taken) ?? Number.POSITIVE_INFINITY);
  let first = true;
  for (const step of steps) {
    if (!(step instanceof KernelStep)) continue;
    step.detail = extra === undefined ? taken.name : `${taken.name}, ${extra}`;
    step.others = others.join('; ');
    if (first && cost < Number.POSITIVE_INFINITY) step.cost = cost;
    first = false;
  }
  return steps;
}
