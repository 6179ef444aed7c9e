import type { PrimCall } from '../../backend/backend.ts';
import type { PrimName, Prims } from '../../backend/prims/index.ts';
import { type DType, dtypeOf, type TypedArray } from '../../common/dtype.ts';
import { canBeChannelsLast, type Layout } from '../../tensor/layout.ts';
import { constant, Tensor } from '../../tensor/tensor.ts';
import { constantToLayout, toLayout } from './layout-conversion.ts';
import type { Emitter, OpDef, Placed, TensorInfo } from './op.ts';

/**
 * Turns ops into prim calls on tensors that have no memory yet. Used by eager execution (which allocates and runs at
 * once) and by the compiler (which plans memory over all calls first).
 */
export class Lowering implements Emitter {
  readonly calls: PrimCall[] = [];
  /** tensor → the tensor whose memory it shares. */
  readonly aliases = new Map<Tensor, Tensor>();
  /** Constants made by ops while lowering: index tables and the like. */
  readonly tables: Tensor[] = [];
  private readonly converted = new Map<Tensor, Tensor>();

  call<P extends PrimName>(
    prim: P,
    inputs: readonly (Tensor | null)[],
    outputs: readonly Tensor[],
    attrs: Prims[P],
  ): void {
    this.calls.push({ prim, inputs, outputs, attrs } as PrimCall);
  }

  temp(dtype: DType, shape: readonly number[], layout: Layout = 'row'): Tensor {
    return new Tensor(dtype, shape, layout, null);
  }

  alias(tensor: Tensor, shape: readonly number[], layout: Layout): Tensor {
    const view = tensor.as(shape, layout);
    if (view.storage === null) this.aliases.set(view, tensor);
    return view;
  }

  constant(array: TypedArray, shape: readonly number[] = [array.length], dtype: DType = dtypeOf(array)): Tensor {
    const table = constant(array, shape, dtype);
    this.tables.push(table);
    return table;
  }

  /**
   * Emits one op: converts inputs to the layouts of its rule, creates its outputs and returns them. `infos` are the
   * op's inferred outputs.
   */
  op(op: OpDef, inputs: readonly (Tensor | null)[], attrs: unknown, infos: readonly TensorInfo[]): Tensor[] {
    const layouts = op.layouts(inputs as readonly (Placed | null)[], attrs, infos);
    const placed = inputs.map((t, i) => (t === null ? null : this.toLayout(t, layouts.inputs[i])));
    if (layouts.view) return [this.alias(placed[0]!, infos[0].shape, layouts.outputs[0])];
    const outputs = infos.map((info, i) => {
      const target = op.inPlace === undefined ? null : placed[op.inPlace[i]];
      return target ?? new Tensor(info.dtype, info.shape, layouts.outputs[i], null);
    });
    op.forward(this, placed, outputs, attrs);
    return outputs;
  }

  /** `tensor` in another layout, converted at most once. */
  toLayout(tensor: Tensor, layout: Layout): Tensor {
    if (tensor.layout === layout || !canBeChannelsLast(tensor.rank)) return tensor;
    let out = this.converted.get(tensor);
    if (out === undefined) {
      out = tensor.constant ? constantToLayout(tensor, layout) : toLayout(this, tensor, layout);
      this.converted.set(tensor, out);
    }
    return out;
  }
}
