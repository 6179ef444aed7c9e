// A graph as it is against the same graph after all passes: same values, and which ops are left.
import { expect } from 'vitest';
import { dtypes } from '../../src/common/dtype.ts';
import { compile } from '../../src/compile/plan.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { constantValue, type Graph, newValue, type Value } from '../../src/graph/graph.ts';
import { optimize } from '../../src/graph/passes/index.ts';
import type { OpName, Ops, WithAttrs } from '../../src/ops/attrs.ts';
import { describeLayers } from '../../src/runtime/inspect.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { constant, type Tensor } from '../../src/tensor/tensor.ts';
import { Random } from '../kernels/harness.ts';
import { jsBackend } from '../support/js-backend.ts';

const window = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1, activation: null };

/** Writes a graph down in few words; constants are drawn from the seed, so that the same calls give the same graph. */
export class Sketch {
  readonly builder = new GraphBuilder();
  readonly inputs: Value[] = [];
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  input(shape: readonly number[], dtype: Value['dtype'] = 'float32'): Value {
    const value = newValue(`x${this.inputs.length}`, dtype, shape);
    this.inputs.push(value);
    return value;
  }

  weight(shape: readonly number[], low = -1, high = 1): Value {
    return constantValue('w', constant(this.random.floats(elementCount(shape), low, high), shape));
  }

  /** One number; `shape` may have any axes of one cell, `dtype` is that of the other operand. */
  scalar(value: number, shape: readonly number[] = [], dtype: Value['dtype'] = 'float32'): Value {
    return constantValue('s', constant(new dtypes[dtype].array([value]), shape, dtype));
  }

  op<N extends OpName>(op: N, inputs: (Value | null)[], ...[attrs]: WithAttrs<N>): Value {
    return this.builder.add(op, inputs, attrs ?? ({} as Ops[N]), op)[0];
  }

  conv(x: Value, channels: number, attrs: Partial<Ops['conv']> = {}, bias = true): Value {
    const rank = x.shape.length - 2;
    const all = { ...window, stride: [1, 1, 1].slice(0, rank), ...attrs };
    const { groups } = all;
    const weight = this.weight([channels, x.shape[1] / groups, ...Array<number>(rank).fill(3)]);
    return this.op('conv', [x, weight, bias ? this.weight([channels]) : null], all);
  }

  convTranspose(x: Value, channels: number, groups = 1): Value {
    const weight = this.weight([x.shape[1], channels / groups, 3, 3]);
    return this.op('convTranspose', [x, weight, null], { ...window, groups, outputPadding: [0, 0] });
  }

  matmul(a: Value, b: Value, attrs: Partial<Ops['matmul']> = {}, bias: Value | null = null): Value {
    return this.op('matmul', [a, b, bias], {
      transposeA: false,
      transposeB: false,
      alpha: 1,
      activation: null,
      ...attrs,
    });
  }

  batchNorm(x: Value, variance = this.weight([x.shape[1]], 0.5, 2)): Value {
    const c = [x.shape[1]];
    const parameters = [this.weight(c), this.weight(c), this.weight(c), variance];
    return this.op('batchNorm', [x, ...parameters], { epsilon: 1e-5, activation: null });
  }

  graph(results: readonly Value[]): Graph {
    return this.builder.finish(
      this.inputs,
      results.map((value, i) => ({ name: `y${i}`, value })),
    );
  }
}

/** What makes a graph: its inputs by `s.input`, its results returned. */
export type Drawing = (s: Sketch) => Value | readonly Value[];

export function draw(drawing: Drawing, seed = 42): Graph {
  const sketch = new Sketch(seed);
  const result = drawing(sketch);
  return sketch.graph(Array.isArray(result) ? result : [result as Value]);
}

/** Ops of a graph in order, with what was fused into them: `conv+add+relu`. */
export const opsOf = (graph: Graph): string[] => describeLayers(graph).map(({ op }) => op);

/** Runs the graph as it is and after all passes on the same input and compares; returns the optimised one. */
export function comparePasses(make: () => Graph, tolerance = 2e-5, label = ''): Graph {
  const optimized = optimize(make());
  const [expected, got] = [make(), optimized].map((graph) => run(graph));
  for (const [name, values] of expected) {
    const result = got.get(name)!;
    expect([result.dtype, ...result.shape], name).toEqual([values.dtype, ...values.shape]);
    const wrong = values.array.findIndex((v, i) => !isClose(result.array[i], v, tolerance));
    expect(wrong, `${label} ${name}[${wrong}]: ${result.array[wrong]} instead of ${values.array[wrong]}`).toBe(-1);
  }
  return optimized;
}

const isClose = (a: number, b: number, tolerance: number): boolean =>
  a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= tolerance * (1 + Math.abs(b));

function run(graph: Graph): ReadonlyMap<string, Tensor> {
  const random = new Random(7);
  const plan = compile(graph, jsBackend());
  for (const tensor of plan.inputs.values()) {
    const whole = dtypes[tensor.dtype].kind !== 'float';
    tensor.array.set(random.floats(tensor.size, -8, 8).map((v) => (whole ? Math.round(v) : v)));
  }
  plan.run();
  return plan.outputs;
}
