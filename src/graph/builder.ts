import type { Backend } from '../backend/backend.ts';
import { JsBackend } from '../backend/js/backend.ts';
import { jsPrims } from '../backend/js/prims.ts';
import { byteLength } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import type { OpName, Ops } from '../ops/attrs.ts';
import { execute } from '../ops/core/execute.ts';
import type { OpDef, TensorInfo } from '../ops/core/op.ts';
import { getOp } from '../ops/index.ts';
import { elementCount, maxRank } from '../tensor/layout.ts';
import { constant, Tensor } from '../tensor/tensor.ts';
import type { FoldCache } from './fold-cache.ts';
import { constantValue, type Graph, type GraphNode, liveNodes, newValue, type Value } from './graph.ts';

/**
 * Thrown if building needs the elements of a value that is only known at run time, such as a shape that is computed from
 * data. It is not a user's error: the code that builds the graph catches it and runs the node after the plan.
 */
export class NeedsData extends Error {
  override readonly name = 'NeedsData';
}

/** Constants of up to so many bytes are always computed while the graph is built. */
const smallBytes = 2 ** 12;
/**
 * The most bytes that constants computed at build time may take in addition to their inputs. A file of a few bytes must not use all
 * memory (Expand) or a minute of time, but weights that ops compute from constants should be ready before the first run.
 */
const maxGrowth = 2 ** 28;
/** No tensor may be larger, for any limit on memory: kernels count bytes in 32 bits. */
const maxTensorBytes = 2 ** 31;

/** The limit on a graph's memory, and constants of earlier builds. */
export interface BuildOptions {
  /** The most bytes of the graph's activations and constants when it runs (default: the limit of the backend's memory). */
  readonly limit?: number;
  readonly cache?: FoldCache;
}

/** Adds ops one by one, infers their shapes, and computes at once every op whose inputs are constants. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  protected readonly backend: Backend;
  private readonly limit: number;
  private readonly cache: FoldCache | null;
  private growth = 0;

  /** `backend` computes the constants; default: plain JS, which needs no initialization. */
  constructor(
    backend: Backend = new JsBackend({ prims: jsPrims }),
    { limit = backend.memory.limit, cache }: BuildOptions = {},
  ) {
    this.backend = backend;
    this.limit = limit;
    this.cache = cache ?? null;
    cache?.begin();
  }

  /**
   * Outputs of one op. Checks as the op's `infer` does. Throws NeedsData for an op whose output shapes depend on values
   * that are not constant.
   */
  add<N extends OpName>(opName: N, inputs: readonly (Value | null)[], attrs: Ops[N], nodeName: string): Value[] {
    return this.addOp(getOp(opName), inputs, attrs, nodeName);
  }

  /** As `add`, for an op whose name and attributes have already been checked. */
  addOp(op: OpDef, inputs: readonly (Value | null)[], attrs: unknown, nodeName: string): Value[] {
    const opName = op.name;
    const infos = op.infer(inputs, attrs);
    for (const info of infos) this.checkSize(opName, info);
    if (inputs.every((value) => value === null || value.constant !== null) && this.worthFolding(op, inputs, infos)) {
      const constants = inputs.map((value) => value?.constant ?? null);
      const compute = () => this.compute(op, constants, attrs);
      const tensors = this.cache === null ? compute() : this.cache.get(op, constants, attrs, compute);
      return tensors.map((tensor) => constantValue(nodeName, tensor));
    }
    if (op.evaluate !== undefined) throw new NeedsData(`the output shape of ${opName} depends on its input's values`);
    const outputs = infos.map((info) => newValue(nodeName, info.dtype, info.shape));
    this.nodes.push({ name: nodeName, op, attrs, inputs: [...inputs], outputs });
    return outputs;
  }

  /** The graph of the nodes that `outputs` depend on. */
  finish(inputs: Value[], outputs: { name: string; value: Value }[]): Graph {
    const nodes = liveNodes(
      this.nodes,
      outputs.map((output) => output.value),
    );
    return { inputs, outputs, nodes };
  }

  protected worthFolding(op: OpDef, inputs: readonly (Value | null)[], outputs: readonly TensorInfo[]): boolean {
    if (op.evaluate !== undefined) return true;
    const size = bytesOf(outputs);
    const growth = size - bytesOf(inputs.filter((value) => value !== null));
    if (size > smallBytes && growth > 0) {
      if (this.growth + growth > Math.min(maxGrowth, this.limit)) return false;
      this.growth += growth;
    }
    return true;
  }

  /** The outputs as constants; may share memory with the inputs (reshape). */
  protected compute(op: OpDef, inputs: readonly (Tensor | null)[], attrs: unknown): Tensor[] {
    return execute(this.backend, op, inputs, attrs).map((out) =>
      out.layout === 'row'
        ? new Tensor(out.dtype, out.shape, 'row', out.storage, true)
        : constant(out.data, out.shape, out.dtype),
    );
  }

  /** Refuses a tensor that is too large, with the op's name, before anything of that size is allocated (a table per axis, too). */
  private checkSize(opName: string, { dtype, shape }: TensorInfo): void {
    if (shape.length > maxRank) {
      throw new ConvletError('shape', `${opName}: the output expects at most ${maxRank} axes, got ${shape.length}`);
    }
    // Strides must stay in range even if an axis is empty, so an empty axis counts as 1.
    const bytes = byteLength(dtype, elementCount(shape.map((d) => d || 1)));
    const most = Math.min(maxTensorBytes, this.limit);
    if (bytes <= most) return;
    throw new ConvletError(
      'memory',
      `${opName}: the output ${shapeText(shape)} expects at most ${most} bytes, got ${bytes}`,
    );
  }
}

function bytesOf(infos: readonly TensorInfo[]): number {
  return infos.reduce((sum, info) => sum + byteLength(info.dtype, elementCount(info.shape)), 0);
}
