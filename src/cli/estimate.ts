// Estimates of each layer's time: the cost by which the WebAssembly backend chooses among algorithms (conv-cost.ts), else a cost per
// product or per byte, on the machine of those figures. Mostly right within a factor of two; `bench --profile` measures.
import { stepText } from '../backend/backend.ts';
import type { PlannedStep } from '../compile/plan.ts';
import type { LayerReport } from '../runtime/inspect.ts';

/** Nanoseconds of a multiply–accumulate and of a byte, by a kernel and in plain JS. */
const perMac = { kernel: 0.04, depthwise: 0.1, js: 1 };
const perByte = { kernel: 0.04, js: 1 };
/** Nanoseconds of a call. */
const perStep = 500;

export interface LayerPart {
  /** What runs the layer: kernels, plain JS, or both; 'no work' for a layer that only changes a shape. */
  readonly runs: 'kernel' | 'plain JS' | 'kernel, plain JS' | 'no work';
  /** Milliseconds, measured or estimated for one thread; null for a backend without estimates. */
  readonly ms: number | null;
}

export interface StepReport {
  readonly node: string;
  readonly op: string;
  readonly kernel: string;
  readonly others: string;
}

const keyOf = ({ node, op }: { readonly node: string; readonly op: string }): string => `${op} ${node}`;

/**
 * A part for each layer, and a row for each step. Layers of one name and op share their steps.
 *
 * @param times measured milliseconds of the steps, or null for estimates
 * @param known whether there are estimates for this backend
 */
export function partsOf(
  layers: readonly LayerReport[],
  steps: readonly PlannedStep[],
  times: readonly number[] | null,
  known: boolean,
): { readonly parts: LayerPart[]; readonly kernels: StepReport[] } {
  const byKey = new Map<string, PlannedStep[]>();
  for (const planned of steps) {
    const key = keyOf(planned);
    byKey.set(key, [...(byKey.get(key) ?? []), planned]);
  }
  const measured = new Map(steps.map((step, i) => [step, times?.[i] ?? 0]));
  const keys = layers.map(({ name, baseOp }) => keyOf({ node: name, op: baseOp }));
  const parts = layers.map((layer, i) => {
    const own = byKey.get(keys[i]) ?? [];
    const share = keys.filter((key) => key === keys[i]).length;
    if (times !== null)
      return { runs: runsOf(own), ms: own.reduce((sum, step) => sum + measured.get(step)!, 0) / share };
    return { runs: runsOf(own), ms: known ? nanoseconds(layer, own) / share / 1e6 : null };
  });
  const kernels = steps.map(({ node, op, step }) => ({ node, op, kernel: stepText(step), others: step.others ?? '' }));
  return { parts, kernels };
}

function runsOf(steps: readonly PlannedStep[]): LayerPart['runs'] {
  const plain = steps.filter(({ step }) => step.kernel === 'js').length;
  if (steps.length === 0) return 'no work';
  return plain === 0 ? 'kernel' : plain === steps.length ? 'plain JS' : 'kernel, plain JS';
}

function nanoseconds({ baseOp, macs, bytes }: LayerReport, steps: readonly PlannedStep[]): number {
  if (steps.length === 0) return 0;
  const costs = steps.flatMap(({ step }) => (step.cost ? [step.cost] : []));
  const start = steps.length * perStep;
  if (costs.length > 0) return costs.reduce((sum, cost) => sum + cost, start);
  const by = steps.some(({ step }) => step.kernel === 'js') ? 'js' : 'kernel';
  // Only depthwise convolutions have no choice of algorithm, and thus no cost.
  const mac = baseOp === 'conv' && by === 'kernel' ? perMac.depthwise : perMac[by];
  return start + Math.max(macs * mac, bytes * perByte[by]);
}
