import type { Backend, Runner, Session, Step } from '../backend/backend.ts';
import { ConvletError, withContext } from '../common/error.ts';
import type { Graph, GraphNode, Value } from '../graph/graph.ts';
import { type Storage, StorageSlice } from '../memory/storage.ts';
import { Lowering } from '../ops/core/lower.ts';
import { type Layout, userLayout } from '../tensor/layout.ts';
import { Tensor } from '../tensor/tensor.ts';
import { splitBatch } from './batch.ts';
import { type MemoryPlan, planMemory } from './memory-plan.ts';
import { type Program, type ProgramWithViews, placeViews } from './views.ts';

/** A step with the graph node that it belongs to, for profiles. */
export interface PlannedStep {
  readonly node: string;
  readonly op: string;
  readonly step: Step;
  /** The node's multiply–accumulates, on the first of its steps that computes a convolution or product; 0 on other steps. */
  readonly macs: number;
}

/**
 * A graph compiled for one set of input shapes: a flat list of steps over one arena. Fill the inputs' arrays, call `run()`, which
 * allocates nothing, and read the outputs' arrays (row-major, valid until the next run).
 */
export class Plan {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly steps: readonly PlannedStep[];
  readonly memory: MemoryPlan;
  private readonly runner: Runner;
  private readonly arena: Storage;
  private readonly session: Session;

  constructor(
    inputs: ReadonlyMap<string, Tensor>,
    outputs: ReadonlyMap<string, Tensor>,
    steps: readonly PlannedStep[],
    memory: MemoryPlan,
    arena: Storage,
    session: Session,
  ) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.steps = steps;
    this.runner = session.runner(
      steps.map((planned) => planned.step),
      (i) => label(steps[i].node, steps[i].op),
    );
    this.memory = memory;
    this.arena = arena;
    this.session = session;
  }

  run(): void {
    this.runner.run();
  }

  /** As `run`; on a backend whose leader is a worker it does not block the calling thread. Only one run may be pending. */
  async start(): Promise<void> {
    if (this.runner.start === undefined) this.runner.run();
    else await this.runner.start();
  }

  /** Bytes that only this plan uses: its arena, descriptors and tables. */
  get heldBytes(): number {
    return this.arena.byteLength + this.session.heldBytes;
  }

  dispose(): void {
    this.session.dispose();
    this.arena.free();
  }
}

export interface CompileOptions {
  /** Whether tensors may be views of others to save copies (views.ts); default: if views save copies on the backend. */
  readonly views?: boolean;
  /** The most bytes that a layer of a batch reads and writes at a time (batch.ts); default: a core's part of the last cache. */
  readonly batchBytes?: number;
  /** Element order of inputs and outputs of rank 4 and 5; default 'row'. */
  readonly layout?: Layout;
}

/** Lowers a graph, plans its memory and binds its steps. `parent`: the session whose constants and workspace the plans of a model share. */
export function compile(graph: Graph, backend: Backend, parent?: Session, options: CompileOptions = {}): Plan {
  const { lowering, inputs, outputs, ...lowered } = lowerGraph(graph, options.layout ?? 'row');
  const [read, written] = [[...inputs.values()], [...outputs.values()]];
  const plain = { calls: lowering.calls, owners: lowered.owners, views: undefined };
  const wanted = options.views ?? backend.views;
  const { calls, owners, views } = wanted
    ? withViews(plain, lowering.aliases, [...read, ...written], options.batchBytes)
    : plain;
  const memory = planMemory(calls, lowering.aliases, read, written, views);
  const arena = allocateArena(backend, memory.arenaBytes);
  const session = backend.session(parent);
  try {
    session.keepLocal(lowering.tables);
    for (const [tensor, offset] of memory.offsets) {
      if (tensor.storage === null) tensor.storage = new StorageSlice(arena, offset, tensor.byteLength);
    }
    const steps: PlannedStep[] = [];
    // The batch of a node may be split into several calls.
    const isMain = (i: number): boolean => calls[i].prim === owners[i]?.op.name;
    const parts = new Map<GraphNode | null, number>();
    owners.forEach((node, i) => {
      if (isMain(i)) parts.set(node, (parts.get(node) ?? 0) + 1);
    });
    calls.forEach((call, i) => {
      const node = owners[i];
      const [name, op] = [node?.name ?? 'output layout', node?.op.name ?? 'copy'];
      let macs = node !== null && isMain(i) ? macsOf(node) / parts.get(node)! : 0;
      try {
        for (const step of session.prepare(call)) {
          const counted = step.prim === call.prim ? macs : 0;
          macs -= counted;
          steps.push({ node: name, op, step, macs: counted });
        }
      } catch (error) {
        throw withContext(label(name, op), error);
      }
    });
    session.seal();
    return new Plan(inputs, outputs, steps, memory, arena, session);
  } catch (error) {
    session.dispose();
    arena.free();
    throw error;
  }
}

function withViews<Owner>(
  program: Program<Owner>,
  aliases: ReadonlyMap<Tensor, Tensor>,
  fixed: readonly Tensor[],
  batchBytes: number | undefined,
): ProgramWithViews<Owner> {
  const split = splitBatch(program, aliases, fixed, batchBytes);
  const images = [...split.views.values()].map((view) => view.base);
  const placed = placeViews(split, aliases, [...fixed, ...images]);
  return { ...placed, views: new Map([...placed.views, ...split.views]) };
}

/** The name of a node in errors. It contains the op, since one node of the file may have become several. */
const label = (node: string, op: string): string => `node '${node}' (${op})`;

function allocateArena(backend: Backend, bytes: number): Storage {
  try {
    return backend.memory.allocate(Math.max(bytes, 1));
  } catch (error) {
    throw withContext(`run: the activations for these input shapes take ${bytes} bytes`, error);
  }
}

const macsOf = (node: GraphNode): number => node.op.macs?.(node.inputs, node.outputs, node.attrs) ?? 0;

interface LoweredGraph {
  readonly lowering: Lowering;
  /** The node of each call. */
  readonly owners: readonly (GraphNode | null)[];
  readonly inputs: Map<string, Tensor>;
  readonly outputs: Map<string, Tensor>;
}

function lowerGraph(graph: Graph, layout: Layout): LoweredGraph {
  const lowering = new Lowering();
  const tensors = new Map<Value, Tensor>();
  const inputs = new Map<string, Tensor>();
  const owners: (GraphNode | null)[] = [];
  const claim = (node: GraphNode | null): void => {
    while (owners.length < lowering.calls.length) owners.push(node);
  };
  for (const value of graph.inputs) {
    const tensor = new Tensor(value.dtype, value.shape, userLayout(layout, value.shape.length), null);
    tensors.set(value, tensor);
    inputs.set(value.name, tensor);
  }
  const tensorOf = (value: Value): Tensor => {
    const known = tensors.get(value) ?? value.constant ?? value.state;
    if (known == null) throw new ConvletError('malformed', `value '${value.name}' is used before anything computes it`);
    return known;
  };
  for (const node of graph.nodes) {
    const infos = node.outputs.map(({ dtype, shape }) => ({ dtype, shape }));
    const args = node.inputs.map((value) => (value === null ? null : tensorOf(value)));
    try {
      const results = lowering.op(node.op, args, node.attrs, infos);
      node.outputs.forEach((value, i) => {
        tensors.set(value, results[i]);
      });
    } catch (error) {
      throw withContext(label(node.name, node.op.name), error);
    }
    claim(node);
  }
  const outputs = new Map<string, Tensor>();
  for (const { name, value } of graph.outputs) {
    outputs.set(name, outputTensor(lowering, tensorOf(value), layout));
    claim(null);
  }
  return { lowering, owners, inputs, outputs };
}

/** A constant is returned as it is: a graph may consist of one after folding. */
function outputTensor(lowering: Lowering, tensor: Tensor, layout: Layout): Tensor {
  return lowering.toLayout(tensor, userLayout(layout, tensor.rank));
}
