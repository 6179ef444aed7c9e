import { expect, test } from 'vitest';
import type { PrimCall } from '../../src/backend/backend.ts';
import { splitBatch } from '../../src/compile/batch.ts';
import { compile, type Plan } from '../../src/compile/plan.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { constantValue, newValue, type Value } from '../../src/graph/graph.ts';
import { constant, Tensor } from '../../src/tensor/tensor.ts';
import { jsBackend } from '../support/js-backend.ts';

const conv = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1, activation: null };
const weight = (): Value => constantValue('w', constant(new Float32Array(4 * 4 * 9).fill(0.1), [4, 4, 3, 3]));

/** Three convolutions of 4 × 8 × 8 (1 KB an image). */
function planned(batchBytes: number): Plan {
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', [6, 4, 8, 8]);
  const layer = (value: Value): Value => b.add('conv', [value, weight()], conv, 'layer')[0];
  const y = layer(layer(layer(x)));
  return compile(b.finish([x], [{ name: 'y', value: y }]), jsBackend(), undefined, { views: true, batchBytes });
}

const convolutions = ({ steps }: Plan): number => steps.filter(({ step }) => step.prim === 'conv').length;

test('a chain of layers is taken through in parts that fit', () => {
  expect(convolutions(planned(1 << 20))).toBe(3);
  expect(convolutions(planned(4096))).toBe(3 * 3);
  expect(convolutions(planned(1))).toBe(3 * 6);
});

test('what lies between the layers needs memory for a part alone', () => {
  const arena = (batchBytes: number): number => {
    const b = new GraphBuilder();
    const x = newValue('x', 'float32', [6, 4, 8, 8]);
    const wide = [
      [16, 4, 3, 3],
      [16, 16, 3, 3],
      [4, 16, 3, 3],
    ].reduce((value, of) => {
      const w = constantValue('w', constant(new Float32Array(of[0] * of[1] * 9), of));
      return b.add('conv', [value, w], conv, 'layer')[0];
    }, x);
    const graph = b.finish([x], [{ name: 'y', value: wide }]);
    return compile(graph, jsBackend(), undefined, { views: true, batchBytes }).memory.arenaBytes;
  };
  // Two tensors of 16 channels are live between the layers; the ends, of 4, stay whole.
  expect(arena(1 << 20)).toBeGreaterThanOrEqual(2 * 6 * 4096);
  expect(arena(1)).toBeLessThanOrEqual(2 * 4096 + 2 * 6 * 1024 + 1024);
});

test('the multiply–accumulates of the parts are those of the batch', () => {
  const macs = (plan: Plan): number => plan.steps.reduce((sum, step) => sum + step.macs, 0);
  expect(macs(planned(4096))).toBe(macs(planned(1 << 20)));
});

test('a value that something else reads stays whole', () => {
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', [6, 4, 8, 8]);
  const first = b.add('conv', [x, weight()], conv, 'first')[0];
  const second = b.add('conv', [first, weight()], conv, 'second')[0];
  const outputs = [first, second].map((value, i) => ({ name: `y${i}`, value }));
  const backend = jsBackend();
  const plan = compile(b.finish([x], outputs), backend, undefined, { views: true, batchBytes: 1 });
  expect(convolutions(plan)).toBe(12);
  plan.inputs.get('x')!.array.fill(1);
  plan.run();
  // The corner of a 3×3 kernel sees four pixels of four channels.
  expect(plan.outputs.get('y0')!.array[0]).toBeCloseTo(4 * 4 * 0.1, 5);
  expect(plan.outputs.get('y0')!.size).toBe(6 * 4 * 64);
});

test('weights that are no constants are not packed for each part', () => {
  const b = new GraphBuilder();
  const x = newValue('x', 'float32', [6, 4, 8, 8]);
  const w = newValue('w', 'float32', [4, 4, 3, 3]);
  const first = b.add('conv', [x, w], conv, 'first')[0];
  const y = b.add('conv', [first, w], conv, 'second')[0];
  const plan = compile(b.finish([x, w], [{ name: 'y', value: y }]), jsBackend(), undefined, {
    views: true,
    batchBytes: 1,
  });
  expect(convolutions(plan)).toBe(2);
});

test('elements of eight bytes are found in their images', () => {
  const b = new GraphBuilder();
  const x = newValue('x', 'float64', [4, 3, 5, 5]);
  const y = b.add('exp', [b.add('neg', [x], {}, 'neg')[0]], {}, 'exp')[0];
  const options = { views: true, batchBytes: 1 };
  const plan = compile(b.finish([x], [{ name: 'y', value: y }]), jsBackend(), undefined, options);
  expect(plan.steps.length).toBeGreaterThan(4);
  const values = Float64Array.from({ length: 300 }, (_, i) => i / 300);
  plan.inputs.get('x')!.array.set(values);
  plan.run();
  expect([...plan.outputs.get('y')!.array]).toEqual([...values].map((v) => Math.exp(-v)));
});

test('a batch of one image is left as it is, however large', () => {
  const tensor = (size: number): Tensor => new Tensor('float32', [size, 4, 8, 8], 'channelsLast', null);
  const chain = (size: number): PrimCall[] => {
    const tensors = Array.from({ length: 4 }, () => tensor(size));
    return tensors.slice(1).map((output, i) => {
      const attrs = { length: output.size, kind: 'neg', alpha: 0, beta: 0 };
      return { prim: 'unary', inputs: [tensors[i]], outputs: [output], attrs } as unknown as PrimCall;
    });
  };
  const split = (calls: PrimCall[]) => splitBatch({ calls, owners: calls.map(() => null) }, new Map(), [], 1);
  const one = chain(1);
  const { calls, views } = split(one);
  expect(calls.every((call, i) => call === one[i])).toBe(true);
  expect([calls.length, views.size]).toEqual([3, 0]);
  expect(split(chain(2)).calls).toHaveLength(6);
  // A layer by itself leaves nothing in the cache for another one.
  const alone = chain(2).slice(0, 1);
  expect(split(alone).calls).toEqual(alone);
});
