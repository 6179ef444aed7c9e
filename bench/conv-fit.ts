// Compares the constants of src/backend/wasm/conv/conv-cost.ts with measured times: how well they predict, and which would predict best.
import type { PrimCall } from '../src/backend/backend.ts';
import type { ConvAttrs } from '../src/backend/prims/conv.ts';
import { convAlgorithms } from '../src/backend/wasm/conv/conv.ts';
import { type ConvCosts, convCosts } from '../src/backend/wasm/conv/conv-cost.ts';
import { weightGradAlgorithms } from '../src/backend/wasm/conv/conv-weight-grad.ts';
import type { Declined } from '../src/backend/wasm/core/prim.ts';
import type { WasmSession } from '../src/backend/wasm/core/session.ts';
import { BorrowedStorage } from '../src/memory/storage.ts';
import { Tensor } from '../src/tensor/tensor.ts';

/** Input and output channels, map, kernel, stride, groups, batch. */
export type Layer = readonly [
  from: number,
  to: number,
  map: number,
  kernel?: number,
  stride?: number,
  groups?: number,
  n?: number,
];

/** The result of a layer that is computed: its output, or the gradient of its weights. */
export type Work = 'conv' | 'convWeightGrad';

/** Nanoseconds of each algorithm that can do a layer. */
export interface Measured {
  readonly layer: Layer;
  /** Default 'conv'. */
  readonly work?: Work;
  readonly ns: { readonly [algorithm: string]: number };
}

/** The contents of bench/results/conv-costs.json. */
export interface Measurement {
  readonly processor: string;
  readonly variant: string;
  readonly node: string;
  readonly rows: readonly Measured[];
}

/** The layer with a ReLU and padding of half the kernel. */
export function layerAttrs([from, to, map, kernel = 3, stride = 1, groups = 1, n = 1]: Layer): ConvAttrs {
  const pad = kernel >> 1;
  const size = Math.floor((map + 2 * pad - kernel) / stride) + 1;
  return {
    ...{ batch: n, channels: from, outChannels: to, groups },
    ...{ input: [1, map, map], output: [1, size, size], kernel: [1, kernel, kernel], stride: [1, stride, stride] },
    ...{ dilation: [1, 1, 1], padBegin: [0, pad, pad], activation: { kind: 'relu', alpha: 0, beta: 0 } },
  };
}

const weight = new Tensor('float32', [1], 'row', new BorrowedStorage(new Float32Array(1)), true);

/** Nanoseconds of an algorithm for a layer, by kind of work. */
const estimates: {
  readonly [W in Work]: (layer: Layer, name: string, session: WasmSession, costs: ConvCosts) => number | Declined;
} = {
  conv(layer, name, session, costs) {
    const call: PrimCall<'conv'> = {
      prim: 'conv',
      inputs: [null, weight, null, null],
      outputs: [],
      attrs: layerAttrs(layer),
    };
    return convAlgorithms.find((algorithm) => algorithm.name === name)!.cost(call, session, costs);
  },
  convWeightGrad(layer, name, session, costs) {
    const call: PrimCall<'convWeightGrad'> = {
      prim: 'convWeightGrad',
      inputs: [null, null],
      outputs: [],
      attrs: layerAttrs(layer),
    };
    return weightGradAlgorithms.find((algorithm) => algorithm.name === name)!.cost(call, session, costs);
  },
};

/** Nanoseconds that the cost model estimates for a layer with constant weights. */
export function estimate(
  { layer, work = 'conv' }: Pick<Measured, 'layer' | 'work'>,
  name: string,
  session: WasmSession,
  costs: ConvCosts,
): number {
  const cost = estimates[work](layer, name, session, costs);
  if (typeof cost !== 'number') throw new Error(`${name} was measured on ${layer} and declines: ${cost.why}`);
  return cost;
}

const names = Object.keys(convCosts) as (keyof ConvCosts)[];
const only = (name: keyof ConvCosts): ConvCosts =>
  Object.fromEntries(names.map((other) => [other, other === name ? 1 : 0])) as unknown as ConvCosts;

/** The factor of each constant: estimates are linear in them. */
export const factors = (row: Pick<Measured, 'layer' | 'work'>, name: string, session: WasmSession): number[] =>
  names.map((constant) => estimate(row, name, session, only(constant)));

/** Depthwise convolutions have one algorithm and no estimate. */
const timesOf = ({ ns }: Measured): [name: string, ns: number][] =>
  Object.entries(ns).filter(([name]) => name !== 'depthwise');

/** The constants of the least sum of squared relative errors; constants on which no row depends are unchanged. */
export function fitCosts(rows: readonly Measured[], session: WasmSession): ConvCosts {
  const equations = rows.flatMap((row) =>
    timesOf(row).map(([name, ns]) => factors(row, name, session).map((factor) => factor / ns)),
  );
  const start = names.map((name) => convCosts[name]);
  const fitted = leastSquares(equations, start);
  return Object.fromEntries(names.map((name, i) => [name, fitted[i]])) as unknown as ConvCosts;
}

/**
 * Non-negative x of the least |A x − 1|², by coordinate descent from `start` (each x[j] in turn gets its best value while the others
 * are fixed, as in Franc et al., "Sequential coordinate-wise algorithm for the non-negative least squares problem").
 */
export function leastSquares(a: readonly (readonly number[])[], start: readonly number[], sweeps = 20000): number[] {
  const x = [...start];
  const residuals = a.map((row) => row.reduce((sum, factor, j) => sum + factor * x[j], -1));
  const squares = x.map((_, j) => a.reduce((sum, row) => sum + row[j] * row[j], 0));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    x.forEach((value, j) => {
      if (squares[j] === 0) return;
      const slope = a.reduce((sum, row, i) => sum + row[j] * residuals[i], 0);
      x[j] = Math.max(0, value - slope / squares[j]);
      a.forEach((row, i) => {
        residuals[i] += row[j] * (x[j] - value);
      });
    });
  }
  return x;
}

/** Mean relative error of prediction, and the time of the chosen algorithms relative to the fastest. */
export function quality(rows: readonly Measured[], session: WasmSession, costs: ConvCosts) {
  const errors: number[] = [];
  const ratios: number[] = [];
  for (const row of rows) {
    const times = timesOf(row);
    const predicted = times.map(([name]) => estimate(row, name, session, costs));
    if (times.length === 0) continue;
    times.forEach(([, ns], i) => {
      errors.push(Math.abs(predicted[i] / ns - 1));
    });
    const chosen = times[predicted.indexOf(Math.min(...predicted))][1];
    ratios.push(chosen / Math.min(...times.map(([, ns]) => ns)));
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { error: mean(errors), choice: mean(ratios), worstChoice: Math.max(...ratios) };
}
