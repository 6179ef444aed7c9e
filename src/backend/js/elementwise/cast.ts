import { type DType, dtypes } from '../../../common/dtype.ts';
import { roundToBfloat16, roundToFloat16 } from '../../../common/half.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';

/** Least and greatest value of the integer types as they are stored. */
const limits: { readonly [D in DType]?: readonly [number, number] } = {
  int64: [-(2 ** 31), 2 ** 31 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint64: [0, 2 ** 32 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint8: [0, 255],
};

const roundings: { readonly [D in DType]?: (x: number) => number } = {
  float16: roundToFloat16,
  bfloat16: roundToBfloat16,
};

/**
 * Floating-point to integer truncates towards zero and clamps to the type's limits, and NaN gives 0 (ONNX does not define either);
 * integer to narrower integer keeps the low bits; to bool, every value except zero is true.
 */
export const cast: JsPrim<'cast'> = (inputs, outputs, { length, from, to }) => {
  const x = (inputs[0] as Tensor).array;
  const y = outputs[0].array;
  const limit = limits[to];
  const round = roundings[to];
  if (to === 'bool') {
    for (let i = 0; i < length; i++) y[i] = x[i] !== 0 ? 1 : 0;
  } else if (limit !== undefined && dtypes[from].kind === 'float') {
    const [least, most] = limit;
    // Storing truncates, and stores NaN as 0.
    for (let i = 0; i < length; i++) y[i] = Math.min(Math.max(x[i], least), most);
  } else if (round !== undefined && from !== to) {
    for (let i = 0; i < length; i++) y[i] = round(x[i]);
  } else {
    for (let i = 0; i < length; i++) y[i] = x[i];
  }
};
