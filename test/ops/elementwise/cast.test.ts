import { describe, expect, it } from 'vitest';
import type { DType } from '../../../src/common/dtype.ts';
import * as family from '../../../src/ops/elementwise/cast.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t } from '../run.ts';

opTests('cast', family);

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe('cast', () => {
  const table: readonly [from: DType, to: DType, x: number[], y: number[]][] = [
    ['float32', 'int32', [1.9, -1.9, nan, inf, -inf, 3e9], [1, -1, 0, 2147483647, -2147483648, 2147483647]],
    ['float32', 'uint8', [-5, 255.9, 256], [0, 255, 255]],
    ['float32', 'bool', [0, -0, 0.1, nan], [0, 0, 1, 1]],
    ['int64', 'uint8', [257, -1], [1, 255]],
    ['int32', 'bool', [0, 256, -1], [0, 1, 1]],
    ['bool', 'float32', [0, 1], [0, 1]],
    ['uint8', 'int8', [200], [-56]],
    ['float32', 'float16', [1 + 2 ** -11, 1 + 3 * 2 ** -11, 70000], [1, 1 + 2 ** -9, inf]],
    ['float32', 'bfloat16', [1 + 2 ** -8, 1 + 3 * 2 ** -8], [1, 1 + 2 ** -6]],
    ['float64', 'float32', [0.1], [Math.fround(0.1)]],
  ];
  it.each(table)('%s to %s: %o', (from, to, x, y) => {
    const [out] = run('cast', { to }, t(x, [x.length], from));
    expect(out.dtype).toBe(to);
    expect([...out.data]).toEqual(y);
  });

  it('names an unknown type', () => {
    expectError('dtype', ['cast', 'to', 'float32', 'float8'], () => run('cast', { to: 'float8' }, t([1])));
  });
});
