import type { UnaryKind } from '../../src/backend/prims/elementwise.ts';
import type { UnaryOpAttrs } from '../../src/ops/elementwise/attrs.ts';
import { type BenchInput, type BenchSuite, data } from '../op-suite.ts';

const positive: BenchInput = { shape: [1, 64, 112, 112], constant: false, range: [0.1, 4] };
const attrs: { readonly [K in UnaryKind]?: UnaryOpAttrs } = { clip: { alpha: 0, beta: 6 } };

const kinds: readonly UnaryKind[] = [
  'relu',
  'clip',
  'leakyRelu',
  'hardSigmoid',
  'hardSwish',
  'sigmoid',
  'silu',
  'tanh',
  'gelu',
  'exp',
  'erf',
];
const positiveOnly: readonly UnaryKind[] = ['log', 'sqrt'];

export default {
  name: 'unary',
  cases: [
    ...kinds.map((kind) => ({ kind, input: data(1, 64, 112, 112) })),
    ...positiveOnly.map((kind) => ({ kind, input: positive })),
  ].map(({ kind, input }) => ({ name: `${kind} 64 @112`, op: kind, attrs: attrs[kind] ?? {}, inputs: [input] })),
} satisfies BenchSuite;
