import { Variable } from '../autograd/index.ts';
import { allocateArray, type DType, type TypedArray } from '../common/dtype.ts';
import { product } from '../common/numbers.ts';
import { expectKind, kind } from '../common/options.ts';
import { tensor } from '../tensor/tensor.ts';

const shapeKind = kind<readonly number[]>('an array of dimensions', Array.isArray);
const expectShape = (what: string, shape: unknown): void => expectKind(what, 'shape', shape, shapeKind);

/** A variable that a module learns: it stays in the backend's memory, and optimizers write it in place. */
export class Parameter extends Variable {
  static override readonly name: string = 'Parameter';

  /** `values` (row-major, kept) default to zeros. */
  constructor(shape: readonly number[], values?: TypedArray, requiresGrad = true) {
    expectShape('Parameter', shape);
    const made = tensor(values ?? allocateArray('float32', product(shape)), shape);
    super(made, made, requiresGrad, 'persistent');
  }
}

/** A variable of a module that is saved with it and not learned: running statistics. */
export class ModuleBuffer extends Variable {
  static override readonly name: string = 'ModuleBuffer';

  constructor(shape: readonly number[], dtype: DType = 'float32', value = 0) {
    expectShape('Buffer', shape);
    const array = allocateArray(dtype, product(shape)).fill(value);
    const made = tensor(array, shape, dtype);
    super(made, made, false, 'persistent');
  }
}
