import type { MatmulOpAttrs } from '../../src/ops/matmul/attrs.ts';
import { type BenchCase, type BenchSuite, data, weights } from '../op-suite.ts';

/** Rows of A, inner size, columns of B; `both`: B is no constant either; a batch of such products. */
type Row = readonly [m: number, k: number, n: number, both?: boolean, batch?: number];

const rows: readonly Row[] = [
  [1024, 1024, 1024],
  [512, 512, 512],
  [128, 128, 128],
  [127, 129, 131],
  [1, 2048, 1000],
  [8, 2048, 1000],
  [196, 64, 196, true, 8],
];

const attrs: MatmulOpAttrs = { transposeA: false, transposeB: false, alpha: 1, activation: null };

function matmulCase([m, k, n, both = false, batch = 1]: Row): BenchCase {
  const outer = batch > 1 ? [batch] : [];
  const b = both ? data(...outer, k, n) : weights(k, n);
  return {
    name: `${batch > 1 ? `${batch} × ` : ''}${m}×${k} · ${k}×${n}`,
    op: 'matmul',
    attrs,
    inputs: [data(...outer, m, k), b],
  };
}

export default { name: 'matmul', cases: rows.map(matmulCase) } satisfies BenchSuite;
