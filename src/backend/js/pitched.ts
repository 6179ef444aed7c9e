import { dtypes, type TypedArray, viewArray } from '../../common/dtype.ts';
import { BorrowedStorage } from '../../memory/storage.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { type JsPrim, JsStep, type PrimCall, type Step } from '../backend.ts';
import type { PrimName } from '../prims/index.ts';

/** What a pitch means: the input is copied out of the wider tensor of which it is a view, and the output is copied into its own. */
export class PitchedStep<P extends PrimName> implements Step {
  readonly prim: P;
  readonly kernel = 'js';
  readonly detail: string;
  private readonly call: PrimCall<P>;
  private readonly inner: JsStep<P>;
  private readonly x: Tensor | null;
  private readonly y: Tensor | null;

  constructor(call: PrimCall<P>, implementation: JsPrim<P>, detail = '') {
    const { inputs, outputs, pitch } = call;
    this.prim = call.prim;
    this.detail = detail;
    this.call = call;
    this.x = pitch!.x > 0 ? packed(inputs[0]!) : null;
    this.y = pitch!.y > 0 ? packed(outputs[0]) : null;
    const replaced: PrimCall<P> = {
      ...call,
      inputs: [this.x ?? inputs[0], ...inputs.slice(1)],
      outputs: [this.y ?? outputs[0], ...outputs.slice(1)],
    };
    this.inner = new JsStep(replaced, implementation);
  }

  run(): void {
    const { inputs, outputs, pitch } = this.call;
    if (this.x !== null) {
      const [source, target, channels] = [span(inputs[0]!, pitch!.x), this.x.array, this.x.shape[1]];
      for (let i = 0, from = 0; i < target.length; i += channels, from += pitch!.x) {
        for (let c = 0; c < channels; c++) target[i + c] = source[from + c];
      }
    }
    this.inner.run();
    if (this.y !== null) {
      const [source, target, channels] = [this.y.array, span(outputs[0], pitch!.y), this.y.shape[1]];
      for (let i = 0, to = 0; i < source.length; i += channels, to += pitch!.y) {
        for (let c = 0; c < channels; c++) target[to + c] = source[i + c];
      }
    }
  }
}

function packed({ dtype, shape, layout, size }: Tensor): Tensor {
  return new Tensor(dtype, shape, layout, new BorrowedStorage(new dtypes[dtype].array(size)));
}

/** The elements from the first of a view to its last. */
function span({ dtype, storage, size, shape }: Tensor, pitch: number): TypedArray {
  const pixels = size / shape[1];
  return viewArray(dtype, storage!.buffer(), storage!.byteOffset, (pixels - 1) * pitch + shape[1]);
}
