import { ConvletError } from '../common/error.ts';
import { anything, checkCall, type KnownOf, kind } from '../common/options.ts';
import type { Metric, Values } from './metric.ts';

/** Where an output or target stands in an array or record: a name or number, or several on the way down. */
export type Place = string | number | readonly (string | number)[];

/** Of select. */
export interface SelectOptions {
  /** The output that the metric is of. */
  readonly output?: Place;
  /** Its target. Default: the place of the output, if targets are an array or record. */
  readonly target?: Place;
  /** Default: that of the metric. */
  readonly name?: string;
}

const placeKind = kind<Place>('a name or number, or an array of them', (value) =>
  (Array.isArray(value) ? value : [value]).every((step) => typeof step === 'string' || typeof step === 'number'),
);
const selectKnown: KnownOf<SelectOptions> = {
  output: placeKind,
  target: placeKind,
  name: kind('a text', (value) => typeof value === 'string'),
};

const selecting = new WeakSet<Metric>();

/** Whether a metric takes arrays and records. */
export const isSelecting = (metric: Metric): boolean => selecting.has(metric);

/**
 * A metric of one of several outputs: `metrics.select(metrics.accuracy(), { output: 'classes' })`.
 *
 * @throws ConvletError `unknown-name` at the first batch that has no such output or target
 */
export function select(metric: Metric, options: SelectOptions): Metric {
  checkCall('select', { args: { metric: anything }, options: selectKnown }, [metric, options]);
  const { output, target = output, name = metric.name } = options;
  const selected: Metric = {
    name,
    better: metric.better,
    update: (outputs, targets) => metric.update(at('output', outputs, output), at('target', targets, target)),
    compute: () => metric.compute(),
    reset: () => metric.reset(),
    stateDict: () => metric.stateDict(),
    loadStateDict: (state) => metric.loadStateDict(state),
  };
  selecting.add(selected);
  return selected;
}

/** What stands at a place; a value that is no array or record is all of it. */
function at(what: string, values: unknown, place: Place = []): Values {
  let found = values as { readonly [step: string]: unknown };
  if (isValues(found) && what === 'target') return found;
  for (const step of [place].flat()) {
    const next = isValues(found) ? undefined : found?.[step];
    if (next === undefined) {
      const has = isValues(found) ? 'one tensor' : Object.keys(found ?? {}).join(', ');
      throw new ConvletError('unknown-name', `metrics.select: there is no ${what} '${step}'; there is ${has}`);
    }
    found = next as typeof found;
  }
  if (isValues(found)) return found;
  throw new ConvletError(
    'argument',
    `metrics.select: ${what} expects the place of one tensor, there are several: ${Object.keys(found)}`,
  );
}

const isValues = (value: unknown): value is Values & { readonly [step: string]: unknown } =>
  Array.isArray((value as Partial<Values> | null)?.shape);
