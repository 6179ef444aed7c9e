import { describe, expect, test } from 'vitest';
import { binaryFunctions } from '../../../src/backend/js/elementwise/binary.ts';
import { unaryFunctions } from '../../../src/backend/js/elementwise/unary.ts';
import { jsPrims } from '../../../src/backend/js/prims.ts';
import type { BinaryAttrs, BinaryKind } from '../../../src/backend/prims/elementwise.ts';
import { binary } from '../../../src/backend/wasm/elementwise/binary.ts';
import { where } from '../../../src/backend/wasm/elementwise/where.ts';
import { dtypes } from '../../../src/common/dtype.ts';
import { product } from '../../../src/common/numbers.ts';
import { wrap } from '../../../src/tensor/tensor.ts';
import { expectClose, Random, runPrim, seeds, variants } from '../harness.ts';

const kinds = ['add', 'sub', 'mul', 'div', 'max', 'min', 'prelu'] as const satisfies readonly BinaryKind[];

function reference(a: Float32Array, b: Float32Array, attrs: BinaryAttrs): Float32Array {
  const y: number[] = [];
  const f = binaryFunctions[attrs.kind];
  const act = attrs.activation;
  const visit = (axis: number, i: number, j: number): void => {
    if (axis === attrs.dims.length) {
      const v = f(a[i], b[j]);
      y.push(act === null ? v : unaryFunctions[act.kind](Math.fround(v), act.alpha, act.beta));
      return;
    }
    for (let n = 0; n < attrs.dims[axis]; n++)
      visit(axis + 1, i + n * attrs.aStrides[axis], j + n * attrs.bStrides[axis]);
  };
  visit(0, 0, 0);
  return Float32Array.from(y);
}

/** Strides of a dense operand that has only some of the axes, in a random memory order. */
function operand(random: Random, dims: number[], full: boolean): { strides: number[]; size: number } {
  const rank = dims.length;
  const strides = new Array<number>(rank).fill(0);
  const order = dims.map((_, i) => i);
  if (rank > 2 && random.int(0, 3) === 0) order.push(order.splice(random.int(0, rank - 1), 1)[0]);
  let size = 1;
  for (const axis of order.reverse()) {
    if (!full && random.int(0, 2) === 0) continue;
    strides[axis] = size;
    size *= dims[axis];
  }
  return { strides, size };
}

const activations = [
  null,
  null,
  { kind: 'relu', alpha: 0, beta: 0 },
  { kind: 'clip', alpha: -0.5, beta: 0.5 },
  { kind: 'leakyRelu', alpha: 0.25, beta: 0 },
] as const;

describe.each(variants)('%s', (variant) => {
  test('random broadcasts and layouts', () => {
    let withKernel = 0;
    const all = seeds(600);
    for (const seed of all) {
      const random = new Random(seed);
      const dims = Array.from({ length: random.int(0, 5) }, () => random.pick([1, 1, 2, 3, 4, 5, 8, 9, 16, 31]));
      const aFull = random.int(0, 2) > 0;
      const [a, b] = [operand(random, dims, aFull), operand(random, dims, !aFull)];
      const attrs: BinaryAttrs = {
        kind: random.pick(kinds),
        dims,
        aStrides: a.strides,
        bStrides: b.strides,
        activation: random.pick(activations),
      };
      const x = { data: random.floats(a.size) };
      const z = {
        data: random.floats(b.size).map((v) => (Math.abs(v) < 0.1 ? 1 : v)),
        constant: random.int(0, 3) === 0,
      };
      x.data[random.int(0, a.size - 1)] = Number.NaN;
      const expected = reference(x.data, z.data, attrs);
      const got = runPrim(variant, 'binary', [x, z], [{ length: expected.length }], attrs, binary);
      if (got === null) continue;
      withKernel++;
      expectClose(`seed ${seed}: ${JSON.stringify(attrs)}`, got.arrays[0], expected, 2e-7, 1e-7);
    }
    expect(withKernel).toBeGreaterThan(all.length * 0.9);
  }, 60_000);

  test.each(kinds)('%s of long rows, short rows and single values', (kind) => {
    const random = new Random(5);
    const shapes: { dims: number[]; a: number[]; b: number[] }[] = [
      { dims: [12_301], a: [1], b: [1] },
      { dims: [4099], a: [1], b: [0] },
      { dims: [4099], a: [0], b: [1] },
      { dims: [2501, 3], a: [3, 1], b: [0, 1] },
      { dims: [997, 17], a: [17, 1], b: [0, 1] },
      { dims: [12, 1000], a: [1000, 1], b: [1, 0] },
      { dims: [5, 3000], a: [3000, 1], b: [0, 1] },
      { dims: [1], a: [0], b: [0] },
      { dims: [0, 3], a: [3, 1], b: [0, 1] },
      // NCHW + NHWC
      { dims: [2, 6, 35], a: [210, 35, 1], b: [210, 1, 6] },
    ];
    for (const { dims, a, b } of shapes) {
      const sizeOf = (strides: number[]): number =>
        1 + dims.reduce((s, n, i) => s + Math.max(0, n - 1) * strides[i], 0);
      for (const constant of [false, true]) {
        for (const activation of [null, random.pick(activations.slice(2))]) {
          const [x, z] = [random.floats(sizeOf(a)), random.floats(sizeOf(b), 0.5, 3)];
          const attrs = { kind, dims, aStrides: a, bStrides: b, activation };
          const expected = reference(x, z, attrs);
          const inputs = [{ data: x }, { data: z, constant }];
          const got = runPrim(variant, 'binary', inputs, [{ length: expected.length }], attrs, binary);
          expect(got, JSON.stringify(attrs)).not.toBeNull();
          expectClose(JSON.stringify({ constant, ...attrs }), got!.arrays[0], expected, 2e-7, 1e-7);
        }
      }
    }
  });

  test.each(['equal', 'less', 'lessOrEqual', 'greater', 'greaterOrEqual'] as const)('%s', (kind) => {
    for (const seed of seeds(80)) {
      const random = new Random(seed);
      const dims = Array.from({ length: random.int(0, 3) }, () => random.pick([1, 2, 3, 5, 16, 33]));
      const [a, b] = [operand(random, dims, true), operand(random, dims, false)];
      const attrs = { kind, dims, aStrides: a.strides, bStrides: b.strides, activation: null };
      const values = [-1, 0, -0, 1, 2, Number.NaN, Infinity, -Infinity];
      const [x, z] = [a, b].map(({ size }) => Float32Array.from({ length: size }, () => random.pick(values)));
      const expected = reference(x, z, attrs);
      const outputs = [{ length: expected.length, dtype: 'bool' as const }];
      const got = runPrim(variant, 'binary', [{ data: x }, { data: z }], outputs, attrs, binary);
      if (got !== null) expect([...got.arrays[0]], `seed ${seed}: ${JSON.stringify(attrs)}`).toEqual([...expected]);
    }
    const long = { kind, dims: [9001], aStrides: [1], bStrides: [0], activation: null };
    const x = new Random(1).floats(9001);
    const inputs = [{ data: x }, { data: x.subarray(7, 8).slice() }];
    const got = runPrim(variant, 'binary', inputs, [{ length: 9001, dtype: 'bool' }], long, binary)!;
    expect([...got.arrays[0]]).toEqual([...reference(x, inputs[1].data, long)]);
  });

  test.each(['float32', 'int32'] as const)('where, %s', (dtype) => {
    let withKernel = 0;
    for (const seed of seeds(150)) {
      const random = new Random(seed);
      const dims = Array.from({ length: random.int(0, 5) }, () => random.pick([1, 2, 3, 4, 5, 9]));
      const [c, a, b] = [0, 1, 2].map((i) => operand(random, dims, i === seed % 3));
      const attrs = { dims, conditionStrides: c.strides, aStrides: a.strides, bStrides: b.strides };
      const condition = Uint8Array.from({ length: c.size }, () => random.pick([0, 1, 255]));
      const [x, z] = [a, b].map(({ size }) => Int32Array.from({ length: size }, () => random.int(-1e9, 1e9)));
      const view = (data: Int32Array) => ({ data: dtype === 'int32' ? data : Float32Array.from(data), dtype });
      const inputs = [{ data: condition, dtype: 'bool' as const }, view(x), view(z)];
      const length = product(dims);
      const got = runPrim(variant, 'where', inputs, [{ length, dtype }], attrs, where);
      const out = wrap(new dtypes[dtype].array(length), [length], dtype);
      jsPrims.where(
        inputs.map((t) => wrap(t.data, [t.data.length], t.dtype)),
        [out],
        attrs,
      );
      if (got === null) continue;
      withKernel++;
      expect(got.arrays[0], `seed ${seed}: ${JSON.stringify(attrs)}`).toEqual(out.array);
    }
    expect(withKernel).toBeGreaterThan(100);
  });

  test('powers that are functions of their own', () => {
    const x = new Random(3).floats(1000, 0.1, 4);
    for (const [exponent, hasKernel] of [
      [2, true],
      [1, true],
      [-1, true],
      [0.5, false],
      [-0.5, false],
      [3.5, false],
    ] as const) {
      const attrs = { kind: 'pow', dims: [10, 100], aStrides: [100, 1], bStrides: [0, 0], activation: null } as const;
      const inputs = [{ data: x }, { data: Float32Array.of(exponent), constant: true }];
      const got = runPrim(variant, 'binary', inputs, [{ length: 1000 }], attrs, binary);
      expect(got !== null).toBe(hasKernel);
      if (got !== null)
        expectClose(
          `x^${exponent}`,
          got.arrays[0],
          x.map((v) => v ** exponent),
          2e-7,
          0,
        );
    }
  });

  test('other element types have no kernel', () => {
    const attrs = { kind: 'add', dims: [4], aStrides: [1], bStrides: [1], activation: null } as const;
    const inputs = [{ data: new Int32Array(4) }, { data: new Int32Array(4) }];
    expect(runPrim(variant, 'binary', inputs, [{ length: 4, dtype: 'int32' }], attrs, binary)).toBeNull();
  });
});
