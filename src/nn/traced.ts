// What traces of training steps and of models share: operands and results that are structures, and the second trace.

import { type Engine, isVariableLike, recordKeys, replayKeys, Variable, type VariableLike } from '../autograd/index.ts';
import { defaultGenerator } from '../common/random.ts';
import { mapStructure, type Structure } from '../common/structure.ts';
import type { Plan } from '../compile/plan.ts';
import type { Graph, Value } from '../graph/graph.ts';
import type { TensorInfo } from '../ops/core/op.ts';
import { Tensor, wrap } from '../tensor/tensor.ts';
import type { AnyModule } from './module.ts';
import { TraceExecutor } from './trace.ts';
import { type Difference, differenceOf, drawnInside } from './trace-twice.ts';
import { watchForward } from './watch.ts';

/** The parts of a batch in their order, and where each stands: '[0]', '[1].mask'. */
export function partsOf(what: string, batch: unknown): { parts: VariableLike[]; paths: string[] } {
  const parts: VariableLike[] = [];
  const paths: string[] = [];
  mapStructure(
    batch,
    isVariableLike,
    (part: VariableLike, path) => {
      parts.push(part);
      paths.push(path);
    },
    (path) => `${what}: operand ${path} expects a variable, a tensor, { shape, data }, or arrays and records of them`,
  );
  return { parts: parts.map(typed), paths };
}

/** With the element type that the array says, where none is given. */
const typed = (part: VariableLike): Variable | Tensor =>
  part instanceof Variable || part instanceof Tensor ? part : wrap(part.data, part.shape, part.dtype);

/** Row-major elements of `part` into an input of a plan. */
export function fill(input: Tensor, part: VariableLike): void {
  const source = part instanceof Variable ? part.read() : part;
  input.array.set(!(source instanceof Tensor) ? source.data : source.layout === 'row' ? source.array : source.data);
}

/** One run of a program under a trace: its operands, and what it gives. */
export class Trace {
  static readonly name: string = 'Trace';

  readonly executor: TraceExecutor;
  readonly results: { name: string; value: Value }[] = [];
  /** Names of the results that are the program's output, in its structure. */
  output: Structure<string> = [];
  private count = 0;

  constructor(on: Engine, frozen: boolean) {
    this.executor = new TraceExecutor(on, frozen);
  }

  /** Operands as variables of the trace, in their structure. */
  operands(batch: readonly unknown[], isInfo: (value: unknown) => boolean = isVariableLike): Structure<Variable>[] {
    const input = (info: TensorInfo): Variable =>
      Variable.of(this.executor.input(`input ${this.count++}`, info), this.executor);
    const leaf = (info: TensorInfo | VariableLike): Variable =>
      input('dtype' in info && info.dtype !== undefined ? (info as TensorInfo) : typed(info as VariableLike));
    return batch.map((part) => mapStructure(part, isInfo, leaf, () => 'compile: an operand'));
  }

  /** Notes what the program returned. Throws `argument` for what holds anything but variables. */
  setOutput(what: string, output: unknown): void {
    this.output = mapStructure(
      output,
      (value) => value instanceof Variable,
      (variable: Variable, path) => {
        const name = `output${path}`;
        this.results.push({ name, value: this.executor.materialize(variable) });
        return name;
      },
      (path) => `${what}: forward expects to return a variable, or arrays and records of variables; its output${path}`,
    );
  }
}

export interface Traced {
  readonly graph: Graph;
  readonly output: Structure<string>;
  readonly before: readonly (() => void)[];
  readonly after: readonly (() => void)[];
}

/**
 * Traces a program, twice: a graph that is another one the second time depends on what JavaScript draws or decides in it. The
 * second trace begins with the same state of the default generator and with the keys of the first, and changes nothing.
 *
 * @throws ConvletError `argument` that names where the traces part
 */
export function traceTwice(
  what: string,
  on: Engine,
  model: AnyModule,
  frozen: boolean,
  body: (trace: Trace) => void,
): Traced {
  const run = (noted?: Map<Value, string>): { trace: Trace; graph: Graph } => {
    const trace = new Trace(on, frozen);
    const unwatch = noted === undefined ? null : watch(model, trace.executor, noted);
    try {
      body(trace);
    } finally {
      unwatch?.();
    }
    return { trace, graph: trace.executor.finish(trace.results) };
  };
  const begun = defaultGenerator.state;
  const keys: Variable[] = [];
  const first = recordKeys(keys, run);
  const ended = defaultGenerator.state;
  try {
    defaultGenerator.state = begun;
    const second = replayKeys(keys, run);
    const drawn = defaultGenerator.state.drawn !== begun.drawn;
    const found: Difference | null = drawn
      ? { node: null, what: 'numbers are drawn from the default generator' }
      : differenceOf(first.graph, second.graph);
    if (found !== null) {
      const noted = new Map<Value, string>();
      const third = replayKeys(keys, () => run(noted));
      const output = found.node === null ? undefined : third.graph.nodes[found.node]?.outputs[0];
      throw drawnInside(what, found, (output && noted.get(output)) ?? null);
    }
  } finally {
    defaultGenerator.state = ended;
  }
  const { trace, graph } = first;
  return { graph, output: trace.output, before: trace.executor.before, after: trace.executor.after };
}

/** Notes for each value of a trace in which layer's forward() it was made. Returns how to end it. */
function watch(model: AnyModule, executor: TraceExecutor, noted: Map<Value, string>): () => void {
  const layers: string[] = [];
  executor.onApply = (values) => {
    const layer = layers.at(-1);
    if (layer !== undefined) for (const value of values) noted.set(value, layer);
  };
  return watchForward(model, (path, module, forward) => {
    const { name } = module.constructor;
    layers.push(path === '' ? `forward() of ${name}` : `layer '${path}' (${name})`);
    try {
      return forward();
    } finally {
      layers.pop();
    }
  });
}

/** The tensors of a plan's operands, in their order. */
export function inputsOf(plan: Plan): Tensor[] {
  const inputs: Tensor[] = [];
  for (let i = 0; plan.inputs.has(`input ${i}`); i++) inputs.push(plan.inputs.get(`input ${i}`)!);
  return inputs;
}

/** The tensors of a plan's output, in the structure of its names. */
export const outputsOf = (plan: Plan, names: Structure<string>): Structure<Tensor> =>
  mapStructure(
    names,
    (value) => typeof value === 'string',
    (name: string) => plan.outputs.get(name)!,
    () => 'compile: the output',
  );
