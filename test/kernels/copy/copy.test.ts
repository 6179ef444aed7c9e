import { describe, expect, test } from 'vitest';
import type { CopyAttrs } from '../../../src/backend/prims/copy.ts';
import { copy, fill } from '../../../src/backend/wasm/copy/copy.ts';
import { take } from '../../../src/backend/wasm/copy/take.ts';
import { type DType, dtypes, type TypedArray } from '../../../src/common/dtype.ts';
import { expectClose, Random, runPrim, seeds, variants } from '../harness.ts';

function reference(
  x: TypedArray,
  y: TypedArray,
  attrs: CopyAttrs,
  axis = 0,
  from = attrs.inputOffset,
  to = attrs.outputOffset,
): void {
  if (axis === attrs.dims.length) {
    y[to] = x[from];
    return;
  }
  for (let i = 0; i < attrs.dims[axis]; i++) {
    reference(x, y, attrs, axis + 1, from + i * attrs.inputStrides[axis], to + i * attrs.outputStrides[axis]);
  }
}

/** Strides of a dense tensor whose axes have the memory order `order`, with `gap` elements of padding per axis. */
function strided(dims: number[], order: number[], gap: (axis: number) => number): { strides: number[]; size: number } {
  const strides = new Array<number>(dims.length);
  let size = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = size;
    size *= dims[axis] + gap(axis);
  }
  return { strides, size };
}

const shuffled = (random: Random, n: number): number[] => {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.int(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
};

function values(dtype: DType, length: number): TypedArray {
  const array = new dtypes[dtype].array(length);
  for (let i = 0; i < length; i++) array[i] = (i * 7 + 3) % 251;
  return array;
}

function check(
  variant: 'simd' | 'relaxed',
  what: string,
  x: TypedArray,
  dtype: DType,
  size: number,
  attrs: CopyAttrs,
): void {
  const initial = values(dtype, size).fill(99);
  const expected = initial.slice();
  reference(x, expected, attrs);
  const got = runPrim(variant, 'copy', [{ data: x, dtype }], [{ length: size, dtype, initial }], attrs, copy);
  expect(got, `${what}: has a kernel`).not.toBeNull();
  expectClose(`${what} ${dtype} ${JSON.stringify(attrs)}`, got!.arrays[0], expected, 0, 0);
}

describe.each(variants)('%s', (variant) => {
  test('random strides, gaps, offsets, reversed and repeated axes', () => {
    for (const seed of seeds(400)) {
      const random = new Random(seed);
      const rank = random.int(0, 5);
      const dims = Array.from({ length: rank }, () => random.pick([1, 2, 3, 4, 5, 7, 8, 13, 16]));
      const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'int64', 'uint8', 'bool', 'int16', 'float64']);
      const gap = random.pick([() => 0, () => 0, () => random.int(0, 2)]);
      const input = strided(dims, shuffled(random, rank), gap);
      const output = strided(dims, random.pick([dims.map((_, i) => i), shuffled(random, rank)]), gap);
      let inputOffset = random.int(0, 3);
      const outputOffset = random.int(0, 3);
      const inputSize = inputOffset + input.size;
      dims.forEach((n, axis) => {
        if (random.int(0, 5) === 0) {
          inputOffset += input.strides[axis] * (n - 1);
          input.strides[axis] *= -1;
        } else if (random.int(0, 6) === 0) {
          input.strides[axis] = 0;
        }
      });
      const attrs = { dims, inputOffset, inputStrides: input.strides, outputOffset, outputStrides: output.strides };
      check(variant, `seed ${seed}`, values(dtype, inputSize), dtype, outputOffset + output.size, attrs);
    }
  });

  test.each([
    [3, 50, 67],
    [1, 3, 3],
    [64, 11, 13],
    [5, 5, 129],
    [33, 40, 1],
    [3, 1, 4],
    [3, 1, 5],
  ])('channels %i of %i×%i first and last', (channels, height, width) => {
    const plane = height * width;
    const dims = [2, plane, channels];
    const last = [plane * channels, channels, 1];
    const first = [plane * channels, 1, plane];
    const x = values('float32', 2 * plane * channels);
    check(variant, 'to last', x, 'float32', x.length, {
      dims,
      inputOffset: 0,
      inputStrides: first,
      outputOffset: 0,
      outputStrides: last,
    });
    check(variant, 'to first', x, 'float32', x.length, {
      dims,
      inputOffset: 0,
      inputStrides: last,
      outputOffset: 0,
      outputStrides: first,
    });
  });

  test('two runs taken in turns, from one tensor and pitched', () => {
    for (const channels of [1, 2, 3, 4, 5, 7, 8, 29, 58]) {
      for (const [pixels, gap] of [
        [1, 0],
        [6, 3],
        [150, 0],
      ]) {
        const pixel = 2 * channels + gap;
        const x = values('float32', pixels * pixel + 2);
        check(variant, 'interleaved', x, 'float32', pixels * pixel + 1, {
          dims: [pixels, channels, 2],
          inputOffset: 2,
          inputStrides: [pixel, 1, channels],
          outputOffset: 1,
          outputStrides: [pixel, 2, 1],
        });
      }
    }
  });

  test('one long run is shared out in units', () => {
    for (const length of [8191, 8192, 8193, 20001]) {
      const x = values('float32', length + 5);
      const attrs = { dims: [length], inputOffset: 5, inputStrides: [1], outputOffset: 2, outputStrides: [1] };
      check(variant, 'flat', x, 'float32', length + 2, attrs);
      check(variant, 'flat', values('uint8', length + 5), 'uint8', length + 2, attrs);
    }
  });

  test('fill', () => {
    for (const dtype of ['float32', 'int64', 'uint8', 'bool', 'int16'] as const) {
      for (const length of [0, 1, 2, 3, 5, 17, 16385, 40003]) {
        const attrs = { value: dtype === 'bool' ? 1 : dtype === 'float32' ? -1.25 : 77, length };
        const got = runPrim(variant, 'fill', [], [{ length, dtype }], attrs, fill)!.arrays[0];
        expectClose(`fill ${dtype} ${length}`, got, new Array(length).fill(attrs.value), 0, 0);
      }
    }
    const one = { value: 1, length: 3 };
    expect(runPrim(variant, 'fill', [], [{ length: 3, dtype: 'float64' }], one, fill)).toBeNull();
    const zero = runPrim(variant, 'fill', [], [{ length: 3, dtype: 'float64' }], { value: 0, length: 3 }, fill);
    expect([...zero!.arrays[0]]).toEqual([0, 0, 0]);
  });

  test('take', () => {
    for (const seed of seeds(60)) {
      const random = new Random(seed);
      const outer = random.int(1, 4);
      const [length, inner, count] = [random.int(1, 9), random.pick([1, 2, 3, 4, 17, 300]), random.int(0, 40)];
      const dtype = random.pick<DType>(['float32', 'uint8', 'float64', 'int16', 'int64']);
      const x = values(dtype, outer * length * inner);
      const index = Int32Array.from({ length: count }, () => random.int(-length, length - 1));
      const expected = values(dtype, outer * count * inner);
      for (let at = 0; at < expected.length; at++) {
        const i = index[Math.floor(at / inner) % count];
        const o = Math.floor(at / inner / count);
        expected[at] = x[(o * length + (i < 0 ? i + length : i)) * inner + (at % inner)];
      }
      const inputs = [
        { data: x, dtype },
        { data: index, dtype: 'int64', constant: random.int(0, 1) === 1 },
      ] as const;
      const attrs = { outer, length, inner, count };
      const got = runPrim(variant, 'take', inputs, [{ length: expected.length, dtype }], attrs, take)!;
      expectClose(`seed ${seed}: take ${dtype} ${JSON.stringify(attrs)}`, got.arrays[0], expected, 0, 0);
    }
  });

  test('a run-time index outside its axis is an error', () => {
    for (const index of [3, -4]) {
      const inputs = [{ data: new Float32Array(6) }, { data: Int32Array.of(0, index), dtype: 'int64' }] as const;
      const attrs = { outer: 1, length: 3, inner: 2, count: 2 };
      expect(() => runPrim(variant, 'take', inputs, [{ length: 4 }], attrs, take)).toThrow(
        `take: index ${index} at position 1 is outside the axis of length 3`,
      );
    }
  });
});
