import { describe, expect, test } from 'vitest';
import { activationHosts } from '../../src/backend/prim-traits.ts';
import { activationKinds, unaryKinds } from '../../src/backend/prims/elementwise.ts';
import { compile } from '../../src/compile/plan.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { constantValue, type Graph, newValue, type Value } from '../../src/graph/graph.ts';
import { optimize } from '../../src/graph/passes/index.ts';
import { getOp } from '../../src/ops/index.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { constant } from '../../src/tensor/tensor.ts';
import { backendOf, variants } from '../kernels/harness.ts';

const ones = (...shape: number[]): Value =>
  constantValue('ones', constant(new Float32Array(elementCount(shape)).fill(1), shape));

const window = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1, activation: null };
const norm = { epsilon: 1e-5, activation: null };

/** A node of each op that a function may become the activation of: its inputs behind x, its attributes. */
const hosts: Record<string, [inputs: (x: Value) => Value[], attrs: object]> = {
  conv: [() => [ones(6, 4, 3, 3), ones(6)], window],
  convTranspose: [() => [ones(4, 6, 3, 3), ones(6)], { ...window, outputPadding: [0, 0] }],
  matmul: [() => [ones(5, 3)], { transA: false, transB: false, alpha: 1, activation: null }],
  batchNorm: [() => [ones(4), ones(4), ones(4), ones(4)], norm],
  instanceNorm: [() => [ones(4), ones(4)], norm],
  groupNorm: [() => [ones(4), ones(4)], { ...norm, groups: 2 }],
  add: [(x) => [x], { activation: null }],
  sub: [() => [ones(1, 4, 1, 1)], { activation: null }],
  mul: [() => [ones(1, 4, 1, 1)], { activation: null }],
  div: [() => [ones(1, 4, 1, 1)], { activation: null }],
};

/** host, then the function `kind`, after all passes. */
function fused(host: string, kind: string): Graph {
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', [1, 4, 5, 5]);
  const [inputs, attrs] = hosts[host];
  const [value] = b.addOp(getOp(host), [x, ...inputs(x)], attrs, 'host');
  const [y] = b.addOp(getOp(kind), [value], {}, 'function');
  return optimize(b.finish([x], [{ name: 'y', value: y }]));
}

test('every op that takes an activation is tried here', () => {
  expect(Object.keys(hosts).sort()).toEqual([...activationHosts].sort());
});

test.each(Object.keys(hosts))('%s takes the functions that kernels know, and no others', (host) => {
  const taken = unaryKinds.filter(
    (kind) => kind !== 'not' && kind !== 'bitwiseNot' && fused(host, kind).nodes.length === 1,
  );
  expect(taken).toEqual(activationKinds.filter((kind) => kind !== 'identity'));
});

describe.each(variants)('%s', (variant) => {
  test.each(Object.keys(hosts))('a kernel carries out %s with every activation that is fused into it', (host) => {
    for (const kind of activationKinds) {
      const plan = compile(fused(host, kind), backendOf(variant));
      const kernels = plan.steps.map(({ step }) => step.kernel);
      plan.dispose();
      expect(kernels.length, kind).toBeGreaterThan(0);
      expect(kernels, kind).not.toContain('js');
    }
  });
});
