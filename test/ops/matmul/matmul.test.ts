import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/matmul/matmul.ts';
import { opTests } from '../harness.ts';
import { expectError, run, t } from '../run.ts';

opTests('matmul', family);

const plain = { transposeA: false, transposeB: false, alpha: 1, activation: null };
const a = t([1, 2, 3, 4, 5, 6], [2, 3]);
const b = t([1, 0, 2, 1, 0, 3], [3, 2]);

describe('matmul', () => {
  it('multiplies matrices, adds the bias, applies the activation', () => {
    expect([...run('matmul', plain, a, b, null)[0].data]).toEqual([5, 11, 14, 23]);
    expect([...run('matmul', { ...plain, alpha: 2 }, a, b, t([1, -1]))[0].data]).toEqual([11, 21, 29, 45]);
    const clip = { kind: 'clip', alpha: 6, beta: 20 };
    expect([...run('matmul', { ...plain, activation: clip }, a, b, null)[0].data]).toEqual([6, 11, 14, 20]);
  });

  it('transposes the last two axes', () => {
    const [y] = run('matmul', { ...plain, transposeA: true, transposeB: true }, b, a, null);
    expect(y.shape).toEqual([2, 2]);
    expect([...y.data]).toEqual([5, 14, 11, 23]);
  });

  it("follows NumPy's rules for vectors and batches", () => {
    expect(run('matmul', plain, t([1, 2, 3]), b, null)[0].shape).toEqual([2]);
    expect(run('matmul', plain, a, t([1, 2, 3]), null)[0].shape).toEqual([2]);
    const [dot] = run('matmul', plain, t([1, 2, 3]), t([1, 2, 3]), null);
    expect([dot.shape, dot.data[0]]).toEqual([[], 14]);
    const [y] = run(
      'matmul',
      plain,
      t([1, 2, 3, 4, 5, 6], [2, 1, 1, 3]),
      t([1, 0, 2, 1, 0, 3, 1, 1, 1, 1, 1, 1], [2, 3, 2]),
      null,
    );
    expect(y.shape).toEqual([2, 2, 1, 2]);
    expect([...y.data]).toEqual([5, 11, 6, 6, 14, 23, 15, 15]);
  });

  it('agrees with a plain triple loop at every size around its blocks', () => {
    for (const [m, k, n] of [
      [1, 5, 3],
      [3, 4, 5],
      [4, 7, 4],
      [5, 3, 6],
      [9, 17, 11],
    ]) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const left = Array.from({ length: m * k }, (_, i) => ((i * 7) % 11) - 5);
          const right = Array.from({ length: k * n }, (_, i) => ((i * 5) % 13) - 6);
          const [y] = run(
            'matmul',
            { ...plain, transposeA, transposeB },
            t(left, transposeA ? [k, m] : [m, k]),
            t(right, transposeB ? [n, k] : [k, n]),
            null,
          );
          const expected: number[] = [];
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let sum = 0;
              for (let p = 0; p < k; p++) {
                sum += left[transposeA ? p * m + i : i * k + p] * right[transposeB ? j * k + p : p * n + j];
              }
              expected.push(sum);
            }
          }
          expect([...y.data], `${m}x${k}x${n} ${transposeA} ${transposeB}`).toEqual(expected);
        }
      }
    }
  });

  it('names what does not fit', () => {
    expectError('shape', ['matmul', '[2,3]', '[2,3]', '3 rows', 'got 2'], () => run('matmul', plain, a, a, null));
    expectError('shape', ['bias', '[2]', '[3]'], () => run('matmul', plain, a, b, t([1, 2, 3])));
    expectError('shape', ['rank 1', '[]'], () => run('matmul', plain, t([1], []), b, null));
    expectError('dtype', ['b', 'float32', 'int32'], () => run('matmul', plain, a, t([1, 2, 3], [3, 1], 'int32'), null));
  });
});
