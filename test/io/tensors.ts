import fc from 'fast-check';
import { type DType, dtypes } from '../../src/common/dtype.ts';
import { roundToBfloat16, roundToFloat16 } from '../../src/common/half.ts';
import { product } from '../../src/common/numbers.ts';
import type { TensorValue } from '../../src/io/elements.ts';

/** Any tensor, with values that its dtype can hold. */
export const anyTensor: fc.Arbitrary<TensorValue> = fc
  .tuple(fc.constantFrom(...(Object.keys(dtypes) as DType[])), fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = product(shape);
    const round = { float16: roundToFloat16, bfloat16: roundToBfloat16, bool: (value: number) => value & 1 }[
      dtype as string
    ];
    const value = dtypes[dtype].kind === 'float' ? fc.float() : fc.integer();
    return fc.array(value, { minLength: length, maxLength: length }).map((values) => {
      const data = new dtypes[dtype].array(round === undefined ? values : values.map(round));
      return { dtype, shape, data };
    });
  });
