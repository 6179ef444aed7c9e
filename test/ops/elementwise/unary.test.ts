import { describe, expect, it } from 'vitest';
import { erf } from '../../../src/backend/js/elementwise/erf.ts';
import { unaryOps } from '../../../src/ops/elementwise/unary.ts';
import { opTests } from '../harness.ts';
import { expectClose, expectError, run, t, values } from '../run.ts';

opTests('unary', unaryOps);

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe('unary', () => {
  // Values of PyTorch's functions of the same names.
  const table: readonly [kind: string, attrs: object, x: number[], y: number[]][] = [
    ['relu', {}, [-1, 0, 2, nan, inf], [0, 0, 2, nan, inf]],
    ['clip', { alpha: -1, beta: 2 }, [-3, 0.5, 9, nan], [-1, 0.5, 2, nan]],
    ['clip', {}, [-3e38, inf], [Math.fround(-3e38), inf]],
    ['leakyRelu', {}, [-2, 3], [-0.02, 3]],
    ['elu', {}, [-1, 1], [-0.6321206, 1]],
    ['selu', {}, [-1, 1], [-1.1113307, 1.050701]],
    ['celu', { alpha: 2 }, [-1, 1], [-0.7869387, 1]],
    ['thresholdedRelu', {}, [0.5, 1, 1.5], [0, 0, 1.5]],
    ['hardSigmoid', {}, [-3, 1, 3], [0, 0.7, 1]],
    ['hardSwish', {}, [-4, -1, 1, 4], [0, -0.3333333, 0.6666667, 4]],
    ['sigmoid', {}, [-1000, 0, 1, 1000], [0, 0.5, 0.7310586, 1]],
    ['silu', {}, [-1, 2], [-0.2689414, 1.7615942]],
    ['gelu', {}, [-1, 1, 3], [-0.1586553, 0.8413447, 2.9959502]],
    ['geluTanh', {}, [-1, 1, 3], [-0.158808, 0.841192, 2.9963627]],
    ['mish', {}, [-1, 1], [-0.3034015, 0.8650984]],
    ['softplus', {}, [-100, 0, 1, 100], [0, Math.LN2, 1.3132617, 100]],
    ['softplus', { alpha: 2, beta: 20 }, [1], [1.0634639]],
    ['softsign', {}, [-3, 1], [-0.75, 0.5]],
    ['logSigmoid', {}, [-100, 0, 100], [-100, -Math.LN2, 0]],
    ['tanhShrink', {}, [1], [0.2384058]],
    ['hardShrink', {}, [-0.6, 0.5, 0.7], [-0.6, 0, 0.7]],
    ['softShrink', {}, [-1, 0.2, 2], [-0.5, 0, 1.5]],
    ['shrink', { alpha: 1.5, beta: 1.5 }, [-2, 0, 2], [-0.5, 0, 0.5]],
    ['threshold', { alpha: 0.5, beta: 7 }, [0, 1], [7, 1]],
    ['round', {}, [-2.5, -1.5, 0.5, 1.5, 2.4], [-2, -2, 0, 2, 2]],
    ['sign', {}, [-3, 0, 2], [-1, 0, 1]],
    ['rsqrt', {}, [4, 0], [0.5, inf]],
    ['log', {}, [-1, 0], [nan, -inf]],
    ['linear', { alpha: 2, beta: 1 }, [3], [7]],
    ['isNaN', {}, [nan, 1], [1, 0]],
    ['isInf', {}, [inf, -inf, nan], [1, 1, 0]],
    ['isInf', { alpha: 0 }, [inf, -inf, nan], [0, 1, 0]],
  ];
  it.each(table)('%s %o of %o', (kind, attrs, x, y) => {
    expectClose(
      values(kind, attrs, t(x)).map((v) => v + 0),
      y,
    );
  });

  it('erf is exact to double precision', () => {
    const known = [
      0, 0, 0.1, 0.1124629160182849, 0.5, 0.5204998778130465, 1, 0.8427007929497149, 2, 0.9953222650189527,
    ];
    for (let i = 0; i < known.length; i += 2) {
      expect(erf(known[i])).toBeCloseTo(known[i + 1], 15);
      expect(erf(-known[i])).toBeCloseTo(-known[i + 1], 15);
    }
    expect(erf(1e-20)).toBeCloseTo(1.128379167095513e-20, 34);
    expect([erf(inf), erf(-inf), erf(7), erf(nan)]).toEqual([1, -1, 1, nan]);
    // The function is continuous where one series ends and the next begins.
    for (let x = 1 / 16; x < 6; x += 1 / 8) expect(erf(x + 1e-12) - erf(x - 1e-12)).toBeLessThan(3e-12);
  });

  it('whole numbers stay whole and wrap', () => {
    expect(values('abs', {}, t([-3, 4], [2], 'int64'))).toEqual([3, 4]);
    expect(values('square', {}, t([65537], [1], 'int32'))).toEqual([131073]);
    expect(values('bitwiseNot', {}, t([0, 200], [2], 'uint8'))).toEqual([255, 55]);
    expect(values('not', {}, t([0, 1], [2], 'bool'))).toEqual([1, 0]);
  });

  it('tests give bool', () => {
    expect(run('isNaN', {}, t([1]))[0].dtype).toBe('bool');
  });

  it('rejects other element types', () => {
    expectError('dtype', ['exp', 'x', 'float', 'int64'], () => run('exp', {}, t([1], [1], 'int64')));
    expectError('dtype', ['not', 'bool', 'float32'], () => run('not', {}, t([1])));
    expectError('missing-input', ['relu', "'x'"], () => run('relu', {}, null));
  });
});
