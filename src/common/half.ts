/**
 * float16 (IEEE 754 binary16) and bfloat16, bit for bit. Tensors of these types are stored as float32. Both conversions
 * work on bit patterns, so that NaN payloads are kept and nothing depends on how an engine treats NaN in a double.
 * float32 -> half rounds to nearest, ties to even; half -> float32 is exact.
 */

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** float32 bit pattern of a float16 bit pattern (0..65535). Exact. */
export function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  let mantissa = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // Subnormal: shift the leading one into the implicit place; float32 has enough exponents for that.
  const shift = Math.clz32(mantissa) - 21;
  mantissa = (mantissa << shift) & 0x3ff;
  return (sign | ((113 - shift) << 23) | (mantissa << 13)) >>> 0;
}

/** float16 bit pattern nearest to a float32 bit pattern; ties to even, overflow to infinity, NaN stays NaN (quiet). */
export function float32ToFloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above: halfway to the next power of two rounds up
  if (magnitude >= 0x38800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // 2^-25 and below: a tie at most, and zero is even
  // Subnormal result: mantissa with its leading one, shifted right by a distance between 14 and 24.
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept);
}

/** float32 bit pattern of a bfloat16 bit pattern (0..65535). Exact. */
export function bfloat16ToFloat32Bits(half: number): number {
  return (half << 16) >>> 0;
}

/** bfloat16 bit pattern nearest to a float32 bit pattern; ties to even, overflow to infinity, NaN stays NaN (quiet). */
export function float32ToBfloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits >>> 0) + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function fromBits(bits: number): number {
  scratchBits[0] = bits;
  return scratchFloat[0];
}

function toBits(value: number): number {
  scratchFloat[0] = value;
  return scratchBits[0];
}

/** The value of a float16 bit pattern. */
export function float16ToNumber(half: number): number {
  return fromBits(float16ToFloat32Bits(half));
}

/** The float16 bit pattern of a float32 value (a double is rounded to float32 first, as PyTorch does). */
export function numberToFloat16(value: number): number {
  return float32ToFloat16Bits(toBits(value));
}

/** The value of a bfloat16 bit pattern. */
export function bfloat16ToNumber(half: number): number {
  return fromBits(bfloat16ToFloat32Bits(half));
}

/** The bfloat16 bit pattern of a float32 value (a double is rounded to float32 first, as PyTorch does). */
export function numberToBfloat16(value: number): number {
  return float32ToBfloat16Bits(toBits(value));
}

/** The float16 value nearest to `value`: what a cast to float16 stores. */
export function roundToFloat16(value: number): number {
  return fromBits(float16ToFloat32Bits(float32ToFloat16Bits(toBits(value))));
}

/** The bfloat16 value nearest to `value`: what a cast to bfloat16 stores. */
export function roundToBfloat16(value: number): number {
  return fromBits(bfloat16ToFloat32Bits(float32ToBfloat16Bits(toBits(value))));
}
