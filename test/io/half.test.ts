import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as half from '../../src/common/half.ts';

const formats = [
  {
    name: 'float16',
    exponentBits: 5,
    mantissaBits: 10,
    toNumber: half.float16ToNumber,
    fromNumber: half.numberToFloat16,
  },
  {
    name: 'bfloat16',
    exponentBits: 8,
    mantissaBits: 7,
    toNumber: half.bfloat16ToNumber,
    fromNumber: half.numberToBfloat16,
  },
];

/** IEEE 754's definition, in doubles: the reference for the bit tricks. */
function ieeeValue(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >>> 15 ? -1 : 1;
  const exponent = (bits >>> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = bits & (2 ** mantissaBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * (mantissa / 2 ** mantissaBits) * 2 ** (1 - bias);
  return sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias);
}

for (const { name, exponentBits, mantissaBits, toNumber, fromNumber } of formats) {
  test(`${name}: all 65536 patterns have the value that IEEE 754 defines, and come back`, () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65536; bits++) {
      const value = toNumber(bits);
      if (!Object.is(value, ieeeValue(bits, exponentBits, mantissaBits))) wrong.push(bits);
      else if (Number.isNaN(value)) {
        if (!Number.isNaN(toNumber(fromNumber(value)))) wrong.push(bits);
      } else if (fromNumber(value) !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test(`${name}: halfway between any two neighbours goes to the even one, next to halfway to the nearer`, () => {
    const wrong: unknown[] = [];
    const step = new Float32Array(1);
    const stepBits = new Uint32Array(step.buffer);
    const infinity = (2 ** exponentBits - 1) << mantissaBits;
    for (let bits = 0; bits < infinity; bits++) {
      const low = ieeeValue(bits, exponentBits, mantissaBits);
      // The last finite number rounds as if the next power of two were representable.
      const high =
        bits + 1 === infinity ? 2 ** (2 ** (exponentBits - 1)) : ieeeValue(bits + 1, exponentBits, mantissaBits);
      const middle = (low + high) / 2;
      if (Math.fround(middle) !== middle) continue; // float32's own subnormals end here
      step[0] = middle;
      const around = [
        [stepBits[0], (bits & 1) === 0 ? bits : bits + 1],
        [stepBits[0] - 1, bits],
        [stepBits[0] + 1, bits + 1],
      ];
      for (const [pattern, expected] of around) {
        stepBits[0] = pattern;
        const value = step[0];
        if (fromNumber(value) !== expected || fromNumber(-value) !== (expected | 0x8000)) {
          wrong.push({ value, expected, got: fromNumber(value) });
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test(`${name}: no other pattern is nearer to a float32`, () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const bits = fromNumber(value);
        const error = Math.abs(toNumber(bits) - value);
        for (const other of [bits - 1, bits + 1]) {
          if (other >> 15 !== bits >> 15) continue;
          const distance = Math.abs(toNumber(other) - value);
          if (Number.isFinite(distance)) expect(distance).toBeGreaterThanOrEqual(error === Infinity ? 0 : error);
        }
      }),
      { numRuns: 2000 },
    );
  });
}

test('NaN stays NaN with its sign, also where the kept payload bits are zero', () => {
  expect(half.float32ToFloat16Bits(0x7f800001)).toBe(0x7e00);
  expect(half.float32ToFloat16Bits(0xff800001)).toBe(0xfe00);
  expect(half.float32ToBfloat16Bits(0x7f800001)).toBe(0x7fc0);
  expect(half.float32ToBfloat16Bits(0xffffffff)).toBe(0xffff);
  expect(half.float16ToFloat32Bits(0x7d01)).toBe(0x7fa02000);
});

test('rounding to half and back, known values', () => {
  expect(half.roundToFloat16(0.1)).toBe(0.0999755859375);
  expect(half.roundToFloat16(65519)).toBe(65504);
  expect(half.roundToFloat16(65520)).toBe(Infinity);
  expect(half.roundToFloat16(2 ** -24)).toBe(2 ** -24);
  expect(half.roundToFloat16(2 ** -25)).toBe(0);
  expect(Object.is(half.roundToFloat16(-(2 ** -26)), -0)).toBe(true);
  expect(half.roundToBfloat16(0.1)).toBe(0.10009765625);
  expect(half.roundToBfloat16(3.4028234663852886e38)).toBe(Infinity);
});
