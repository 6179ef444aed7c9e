import { TakeDesc } from '../../../abi/generated/abi.ts';
import { dtypes } from '../../../common/dtype.ts';
import { ConvletError } from '../../../common/error.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import { Declined, type WasmPrim } from '../core/prim.ts';

/** Indices that are known only at run time are checked before the kernel uses them. */
class CheckIndices implements Step {
  readonly prim = 'take';
  readonly kernel = 'check';
  private readonly index: Tensor;
  private readonly count: number;
  private readonly length: number;

  constructor(index: Tensor, count: number, length: number) {
    this.index = index;
    this.count = count;
    this.length = length;
  }

  run(): void {
    const { count, length } = this;
    const { array } = this.index;
    for (let j = 0; j < count; j++) {
      const i = array[j];
      if (i < -length || i >= length) {
        throw new ConvletError(
          'index-range',
          `take: index ${i} at position ${j} is outside the axis of length ${length}`,
        );
      }
    }
  }
}

export const take: WasmPrim<'take'> = ({ inputs, outputs, attrs }, session) => {
  const [x, index] = inputs as Tensor[];
  const { outer, length, inner, count } = attrs;
  const bytes = inner * dtypes[x.dtype].bytes;
  const total = outer * count;
  if (dtypes[index.dtype].array !== Int32Array) return new Declined(`indices in ${index.dtype}`);
  if (x.dtype !== outputs[0].dtype) return new Declined(`${x.dtype} to ${outputs[0].dtype}`);
  const check = new CheckIndices(index, count, length);
  if (index.constant) check.run();
  const checks: Step[] = index.constant ? [] : [check];
  if (total * bytes === 0) return checks;
  const unit = Math.max(1, Math.ceil(4096 / bytes));
  const values = {
    x: session.address(x),
    index: session.address(index),
    y: session.address(outputs[0]),
    length,
    count,
    bytes,
    unit,
    total,
  };
  return [...checks, session.step('take', 'take', TakeDesc, values, Math.ceil(total / unit))];
};
