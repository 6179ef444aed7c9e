import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { constantValue, type Graph, newValue, type Value } from '../../src/graph/graph.ts';
import { optimize } from '../../src/graph/passes/index.ts';
import type { OpName, Ops, WithAttrs } from '../../src/ops/attrs.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { constant } from '../../src/tensor/tensor.ts';
import { comparePasses, opsOf } from './compare.ts';

let seed = 1;
const next = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const values = (shape: number[], low = -1, high = 1): Value => {
  const data = Float32Array.from({ length: elementCount(shape) }, () => low + (high - low) * next());
  return constantValue('w', constant(data, shape));
};
const scalar = (value: number): Value => constantValue('s', constant(Float32Array.of(value), []));

/** The ops that are left of a graph after all passes, which gives what it gave before. */
function simplified(shape: number[], build: (b: GraphBuilder, x: Value) => Value | Value[]): string[] {
  const make = (): Graph => {
    seed = 42;
    const b = new GraphBuilder();
    const x = newValue('x', 'float32', shape);
    const result = build(b, x);
    const outputs = (Array.isArray(result) ? result : [result]).map((value, i) => ({ name: `y${i}`, value }));
    return b.finish([x], outputs);
  };
  return opsOf(comparePasses(make));
}

const convAttrs = { stride: [1, 1], padBegin: [1, 1], padEnd: [1, 1], dilation: [1, 1], groups: 1, activation: null };
const conv = (b: GraphBuilder, x: Value, out: number, attrs: object = {}): Value =>
  b.add('conv', [x, values([out, x.shape[1], 3, 3]), values([out])], { ...convAttrs, ...attrs }, 'conv')[0];
const batchNorm = (b: GraphBuilder, x: Value): Value => {
  const c = [x.shape[1]];
  const parameters = [values(c), values(c), values(c), values(c, 0.5, 2)];
  return b.add('batchNorm', [x, ...parameters], { epsilon: 1e-5, activation: null }, 'bn')[0];
};
const one = <N extends OpName>(b: GraphBuilder, op: N, inputs: Value[], ...[attrs]: WithAttrs<N>): Value =>
  b.add(op, inputs, attrs ?? ({} as Ops[N]), op)[0];

describe('passes keep the result and leave', () => {
  test('conv → batch norm → relu: one convolution', () => {
    const ops = simplified([2, 3, 7, 6], (b, x) => one(b, 'relu', [batchNorm(b, conv(b, x, 5))]));
    expect(ops).toEqual(['conv+relu']);
  });

  test('conv → scale → shift per channel: one convolution', () => {
    const ops = simplified([1, 3, 5, 5], (b, x) =>
      one(b, 'add', [one(b, 'mul', [conv(b, x, 4), values([1, 4, 1, 1])]), values([4, 1, 1])]),
    );
    expect(ops).toEqual(['conv']);
  });

  test('transposed convolution with groups → batch norm', () => {
    const ops = simplified([1, 4, 5, 5], (b, x) => {
      const attrs = { ...convAttrs, groups: 2, outputPadding: [0, 0] };
      return batchNorm(b, b.add('convTranspose', [x, values([4, 3, 3, 3]), null], attrs, 'up')[0]);
    });
    expect(ops).toEqual(['convTranspose']);
  });

  test('a residual block', () => {
    const ops = simplified([1, 4, 6, 6], (b, x) => {
      const y = batchNorm(b, conv(b, one(b, 'relu', [conv(b, x, 4)]), 4));
      return one(b, 'relu', [one(b, 'add', [y, x])]);
    });
    expect(ops).toEqual(['conv+relu', 'conv+add+relu']);
  });

  test('a block with a projection: the later convolution adds the earlier', () => {
    const ops = simplified([1, 4, 6, 6], (b, x) => one(b, 'relu', [one(b, 'add', [conv(b, x, 6), conv(b, x, 6)])]));
    expect(ops).toEqual(['conv', 'conv+add+relu']);
  });

  test('what is used twice is not fused away', () => {
    const ops = simplified([1, 2, 4, 4], (b, x) => {
      const y = conv(b, x, 3);
      return [one(b, 'relu', [y]), y];
    });
    expect(ops).toEqual(['conv', 'relu']);
  });

  test('zero padding becomes the padding of the convolution', () => {
    const ops = simplified([1, 2, 5, 5], (b, x) => {
      const pad = { begin: [0, 0, 0, 1], end: [0, 0, 1, 1], mode: 'constant', value: 0 } as const;
      return conv(b, one(b, 'pad', [x], pad), 3, { stride: [2, 2], padBegin: [0, 0], padEnd: [0, 0] });
    });
    expect(ops).toEqual(['conv']);
  });

  test('also padding that another op needs', () => {
    const b = new GraphBuilder();
    const x = newValue('x', 'float32', [1, 2, 5, 5]);
    const pad = { begin: [0, 0, 1, 2], end: [0, 0, 0, 1], mode: 'constant', value: 0 } as const;
    const padded = one(b, 'pad', [x], pad);
    const outputs = [conv(b, padded, 3), one(b, 'neg', [padded])].map((value, i) => ({ name: `y${i}`, value }));
    const node = optimize(b.finish([x], outputs)).nodes.find(({ op }) => op.name === 'conv')!;
    expect(node.inputs[0]).toBe(x);
    expect(node.attrs).toMatchObject({ padBegin: [2, 3], padEnd: [1, 2] });
  });

  test('other padding does not', () => {
    const ops = simplified([1, 2, 5, 5], (b, x) => {
      const pad = { begin: [0, 0, 1, 1], end: [0, 0, 1, 1], mode: 'constant', value: 0.5 } as const;
      return conv(b, one(b, 'pad', [x], pad), 3);
    });
    expect(ops).toEqual(['pad', 'conv']);
  });

  test('x · sigmoid(x), x · clip(x + 3, 0, 6) / 6, x · tanh(softplus(x))', () => {
    expect(simplified([3, 5], (b, x) => one(b, 'mul', [x, one(b, 'sigmoid', [x])]))).toEqual(['silu']);
    expect(
      simplified([3, 5], (b, x) => {
        const gate = one(b, 'clip', [one(b, 'add', [x, scalar(3)])], { alpha: 0, beta: 6 });
        return one(b, 'div', [one(b, 'mul', [x, gate]), scalar(6)]);
      }),
    ).toEqual(['hardSwish']);
    expect(
      simplified([3, 5], (b, x) => {
        const gate = one(b, 'clip', [one(b, 'add', [x, scalar(3)])], { alpha: 0, beta: 6 });
        return one(b, 'mul', [x, one(b, 'div', [gate, scalar(6)])]);
      }),
    ).toEqual(['hardSwish']);
    expect(simplified([3, 5], (b, x) => one(b, 'mul', [x, one(b, 'tanh', [one(b, 'softplus', [x])])]))).toEqual([
      'mish',
    ]);
  });

  test('gelu written with erf', () => {
    const ops = simplified([3, 5], (b, x) => {
      const erf = one(b, 'erf', [one(b, 'div', [x, scalar(Math.SQRT2)])]);
      return one(b, 'mul', [one(b, 'mul', [x, one(b, 'add', [erf, scalar(1)])]), scalar(0.5)]);
    });
    expect(ops).toEqual(['gelu']);
  });

  test('a scale and shift by scalars is one pass', () => {
    const ops = simplified([1, 2, 3, 3], (b, x) => one(b, 'add', [one(b, 'mul', [x, scalar(3)]), scalar(-1)]));
    expect(ops).toEqual(['linear']);
  });

  test('layer normalisation written out', () => {
    const written = (b: GraphBuilder, x: Value, weight: Value | null, bias: Value | null): Value => {
      const mean = (value: Value): Value => one(b, 'reduceMean', [value], { axes: [2], keepDims: true });
      const centred = one(b, 'sub', [x, mean(x)]);
      const variance = mean(one(b, 'pow', [centred, scalar(2)]));
      let y = one(b, 'div', [centred, one(b, 'sqrt', [one(b, 'add', [variance, scalar(1e-5)])])]);
      if (weight !== null) y = one(b, 'mul', [y, weight]);
      return bias === null ? y : one(b, 'add', [y, bias]);
    };
    expect(simplified([2, 3, 8], (b, x) => written(b, x, values([8]), values([8])))).toEqual(['layerNorm']);
    expect(simplified([2, 3, 8], (b, x) => written(b, x, null, null))).toEqual(['layerNorm']);
  });

  test('nodes that no output needs disappear', () => {
    const ops = simplified([1, 2, 3, 3], (b, x) => {
      one(b, 'relu', [conv(b, x, 3)]);
      return one(b, 'sigmoid', [x]);
    });
    expect(ops).toEqual(['sigmoid']);
  });
});
