import type { Backend } from '../backend/backend.ts';
import { JsBackend } from '../backend/js/backend.ts';
import { byteLength } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { execute } from '../ops/execute.ts';
import { getOp } from '../ops/index.ts';
import type { OpDef, TensorInfo } from '../ops/op.ts';
import { elementCount } from '../tensor/layout.ts';
import { constant, Tensor } from '../tensor/tensor.ts';
import { constantValue, type Graph, type GraphNode, liveNodes, newValue, type Value } from './graph.ts';

/**
 * Thrown where building cannot go on without the elements of a value that is only known at run time: a shape that comes
 * out of the data. Not a user's error: whoever builds the graph catches it and leaves the node to run time.
 */
export class NeedsData extends Error {
  override readonly name = 'NeedsData';
}

/** Constants up to this are computed ahead always. */
const smallBytes = 2 ** 12;
/**
 * Bytes that all constants computed ahead may take beyond their inputs: a file of a few bytes must not claim the whole
 * memory (Expand), but weights that are made so are worth having before the first run.
 */
const maxGrowth = 2 ** 30;

/** Adds ops one by one, infers their shapes and computes at once what depends on constants alone. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  protected readonly backend: Backend;
  private growth = 0;

  /** `backend` computes the constants: plain JS by default, which needs nothing set up. */
  constructor(backend: Backend = new JsBackend()) {
    this.backend = backend;
  }

  /**
   * Outputs of one op. Checks as the op's `infer` does. Throws NeedsData for an op whose output shapes depend on values
   * that are not constant.
   */
  add(opName: string, inputs: readonly (Value | null)[], attrs: unknown, nodeName: string): Value[] {
    const op = getOp(opName);
    const infos = op.infer(inputs, attrs);
    for (const { shape } of infos) checkCount(opName, shape);
    if (inputs.every((value) => value === null || value.constant !== null) && this.worthFolding(op, inputs, infos)) {
      return this.compute(op, inputs, attrs).map((tensor) => constantValue(nodeName, tensor));
    }
    if (op.evaluate !== undefined) throw new NeedsData(`the output shape of ${opName} depends on its input's values`);
    const outputs = infos.map((info) => newValue(nodeName, info.dtype, info.shape));
    this.nodes.push({ name: nodeName, op, attrs, inputs: [...inputs], outputs });
    return outputs;
  }

  /** The graph of what `outputs` need. */
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
      if (this.growth + growth > maxGrowth) return false;
      this.growth += growth;
    }
    return true;
  }

  /** The outputs as constants; may share memory with the inputs (reshape). */
  protected compute(op: OpDef, inputs: readonly (Value | null)[], attrs: unknown): Tensor[] {
    const tensors = inputs.map((value) => value?.constant ?? null);
    return execute(this.backend, op, tensors, attrs).map((out) =>
      out.layout === 'row'
        ? new Tensor(out.dtype, out.shape, 'row', out.storage, true)
        : constant(out.data, out.shape, out.dtype),
    );
  }
}

/** Shapes of honest models can be counted in bytes without rounding. */
function checkCount(opName: string, shape: readonly number[]): void {
  if (Number.isSafeInteger(elementCount(shape) * 8)) return;
  throw new ConvletError('shape', `${opName}: the output ${shapeText(shape)} has more elements than can be counted`);
}

function bytesOf(infos: readonly TensorInfo[]): number {
  return infos.reduce((sum, info) => sum + byteLength(info.dtype, elementCount(info.shape)), 0);
}
