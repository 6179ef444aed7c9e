import type { BinaryKind } from '../../src/backend/prims/elementwise.ts';
import type { BinaryOpAttrs } from '../../src/ops/elementwise/attrs.ts';
import { type BenchCase, type BenchInput, type BenchSuite, data } from '../op-suite.ts';

const relu: BinaryOpAttrs = { activation: { kind: 'relu', alpha: 0, beta: 0 } };

function pair(name: string, op: BinaryKind, b: BenchInput, attrs: BinaryOpAttrs = {}): BenchCase<BinaryKind> {
  return { name, op, attrs, inputs: [data(1, 64, 112, 112), b] };
}

export default {
  name: 'binary',
  cases: [
    pair('add 64 @112', 'add', data(1, 64, 112, 112)),
    pair('add + relu 64 @112', 'add', data(1, 64, 112, 112), relu),
    pair('mul 64 @112', 'mul', data(1, 64, 112, 112)),
    pair('mul per channel 64 @112', 'mul', data(1, 64, 1, 1)),
    pair('add last axis 64 @112', 'add', data(112)),
    pair('div 64 @112', 'div', { shape: [1, 64, 112, 112], constant: false, range: [0.5, 2] }),
    pair('max 64 @112', 'max', data(1, 64, 112, 112)),
    pair('prelu 64 @112', 'prelu', data(64, 1, 1)),
  ],
} satisfies BenchSuite;
