// Element types of mixed operands: torch.result_type, and the values that follow from it.
import { expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { resultType } from '../../src/autograd/promote.ts';
import { allocateArray, type DType } from '../../src/common/dtype.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import { expectClose, expectError } from '../ops/run.ts';
import { describeEngines } from '../support/engines.ts';

const of = (dtype: DType, shape: readonly number[] = [2]): Variable => {
  const array = allocateArray(dtype, shape.length === 0 ? 1 : 2);
  return variable(tensor(array, shape, dtype));
};

/** torch.result_type(torch.zeros(2, dtype=a), torch.zeros(2, dtype=b)) of PyTorch 1.13. */
const pairs: readonly (readonly [DType, DType, DType])[] = [
  ['bool', 'bool', 'bool'],
  ['bool', 'uint8', 'uint8'],
  ['bool', 'int64', 'int64'],
  ['bool', 'float16', 'float16'],
  ['uint8', 'int8', 'int16'],
  ['uint8', 'int16', 'int16'],
  ['uint8', 'int32', 'int32'],
  ['int8', 'int64', 'int64'],
  ['int32', 'int64', 'int64'],
  ['int64', 'float16', 'float16'],
  ['int64', 'float32', 'float32'],
  ['float16', 'bfloat16', 'float32'],
  ['float16', 'float32', 'float32'],
  ['bfloat16', 'float32', 'float32'],
  ['float32', 'float64', 'float64'],
];

test.each(pairs)('%s and %s make %s', (a, b, result) => {
  expect(resultType(of(a), of(b))).toBe(result);
  expect(resultType(of(b), of(a))).toBe(result);
});

test('operands without axes and numbers change the category only', () => {
  expect(resultType(of('float32'), of('float64', []))).toBe('float32');
  expect(resultType(of('int32'), of('float64', []))).toBe('float64');
  expect(resultType(of('uint8'), of('int64', []))).toBe('uint8');
  expect(resultType(of('int32'), 7)).toBe('int32');
  expect(resultType(of('int32'), 0.5)).toBe('float32');
  expect(resultType(of('bool'), 3)).toBe('int64');
  expect(resultType(of('bool'), true)).toBe('bool');
  expect(resultType(of('float16'), 0.5)).toBe('float16');
});

describeEngines('promotion', (use) => {
  const whole = () => variable(new Int32Array([0, 1, 2, 3]));
  const expectIs = (got: Variable, dtype: DType, values: readonly number[]): void => {
    expect(got.dtype).toBe(dtype);
    expectClose(got.data, values);
  };

  test('whole numbers that meet a fraction become float32', () => {
    use();
    expectIs(whole().add(0.5), 'float32', [0.5, 1.5, 2.5, 3.5]);
    expectIs(whole().mul(0.5), 'float32', [0, 0.5, 1, 1.5]);
    expectIs(whole().div(2), 'float32', [0, 0.5, 1, 1.5]);
    expectIs(whole().pow(0.5), 'float32', [0, 1, Math.SQRT2, Math.sqrt(3)]);
    expectIs(whole().clamp(0.5, 1.5), 'float32', [0.5, 1, 1.5, 1.5]);
    expectIs(whole().maximum(1.5), 'float32', [1.5, 1.5, 2, 3]);
    expectIs(whole().where(whole().gt(1), 0.5), 'float32', [0.5, 0.5, 2, 3]);
    expectIs(whole().add(variable([0.5, 0.5, 0.5, 0.5])), 'float32', [0.5, 1.5, 2.5, 3.5]);
    expectIs(variable(new Uint8Array([0, 51])).div(255), 'float32', [0, 0.2]);
    expectIs(whole().mean(), 'float32', [1.5]);
    expectIs(whole().exp(), 'float32', [0, 1, 2, 3].map(Math.exp));
    expectIs(whole().var(), 'float32', [5 / 3]);
  });

  test('whole numbers among themselves stay whole', () => {
    use();
    expectIs(whole().mul(2), 'int32', [0, 2, 4, 6]);
    expectIs(whole().pow(2), 'int32', [0, 1, 4, 9]);
    expectIs(whole().sum(), 'int64', [6]);
    expectIs(variable(new Uint8Array([0, 255])).add(1), 'uint8', [1, 0]);
    expectError('argument', ['pow', '-1', 'float32'], () => whole().pow(-1));
  });

  test('comparisons see the number itself', () => {
    use();
    expectIs(whole().lt(0.5), 'bool', [1, 0, 0, 0]);
    expectIs(whole().ge(1.5), 'bool', [0, 0, 1, 1]);
    expectIs(variable(new Uint8Array([0, 255])).eq(-1), 'bool', [0, 0]);
    expectIs(variable(new Uint8Array([0, 255])).lt(300), 'bool', [1, 1]);
    expectIs(variable([1, 2]).eq(variable(new Int32Array([1, 3]))), 'bool', [1, 0]);
  });

  test('truth values count as 0 and 1', () => {
    use();
    const flags = whole().gt(1);
    expectIs(flags.sum(), 'int64', [2]);
    expectIs(flags.mean(), 'float32', [0.5]);
    expectIs(flags.mul(0.5), 'float32', [0, 0, 0.5, 0.5]);
    expectIs(flags.add(flags), 'bool', [0, 0, 1, 1]);
    expectError('dtype', ['sub', 'ne'], () => flags.sub(flags));
    expectError('dtype', ['where', 'bool', 'ne(0)'], () => variable([1, 2]).where(variable([1, 0]), 0));
  });

  test('a standard deviation of 0 has the gradient 0', () => {
    use();
    const x = variable([1, 1, 1], undefined, { requiresGrad: true });
    const y = x.std();
    y.backward();
    expectClose(y.data, [0]);
    expectClose(x.grad!.data, [0, 0, 0]);
    const z = variable([1, 2, 4], undefined, { requiresGrad: true });
    z.std().backward();
    expectClose(
      z.grad!.data,
      [-4 / 3, -1 / 3, 5 / 3].map((d) => d / (2 * Math.sqrt(7 / 3))),
      5,
    );
  });
});

test('values that a type cannot hold are refused when a variable is made', () => {
  expectError('argument', ['int32', '1.5', 'position 0'], () => variable([1.5, 2], undefined, { dtype: 'int32' }));
  expectError('argument', ['uint8', '300', 'position 1'], () => variable([1, 300], undefined, { dtype: 'uint8' }));
  expectError('argument', ['int64', '32 bits'], () => variable([1e10], undefined, { dtype: 'int64' }));
  expectError('argument', ['bool', '2'], () => variable([2], undefined, { dtype: 'bool' }));
  expect(variable([1, 0], undefined, { dtype: 'bool' }).dtype).toBe('bool');
});
