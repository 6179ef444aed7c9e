import { describe, expect, it } from 'vitest';
import { product } from '../../src/common/numbers.ts';
import type * as onnx from './onnx-builder.ts';
import { floatTensor, int64Tensor } from './onnx-builder.ts';
import { f, floats, program, run } from './onnx-run.ts';

describe('versions of operators', () => {
  const one = async (
    opset: number,
    node: Omit<onnx.NodeSpec, 'outputs'>,
    shape: number[],
    initializers: ReturnType<typeof floatTensor>[] = [],
  ) => {
    const made = program(
      { nodes: [{ ...node, outputs: ['y'] }], initializers, inputs: [f('x', ...shape)], outputs: [f('y')] },
      opset,
    );
    const size = product(shape);
    return (
      await run(made, {
        x: floats(
          Array.from({ length: size }, (_, i) => i),
          shape,
        ),
      })
    ).y;
  };
  const list = (name: string, ...values: number[]) => int64Tensor(name, [values.length], values);

  it('Squeeze and Unsqueeze: axes as attribute, as input', async () => {
    expect((await one(11, { op: 'Squeeze', inputs: ['x'], attributes: { axes: [0] } }, [1, 2, 1])).shape).toEqual([
      2, 1,
    ]);
    expect((await one(13, { op: 'Squeeze', inputs: ['x', 'a'] }, [1, 2, 1], [list('a', -1)])).shape).toEqual([1, 2]);
    expect((await one(13, { op: 'Unsqueeze', inputs: ['x', 'a'] }, [2], [list('a', 0, -1)])).shape).toEqual([1, 2, 1]);
  });

  it('Softmax: over all axes from axis 1 on, over the last', async () => {
    expect((await one(11, { op: 'Softmax', inputs: ['x'] }, [1, 2, 2])).data.reduce((a, b) => a + b)).toBeCloseTo(1);
    expect((await one(13, { op: 'Softmax', inputs: ['x'] }, [1, 2, 2])).data.reduce((a, b) => a + b)).toBeCloseTo(2);
  });

  it('reductions: axes as attribute, as input, none', async () => {
    const sum = { op: 'ReduceSum', attributes: { keepdims: 0 } };
    expect((await one(12, { ...sum, inputs: ['x'], attributes: { axes: [1], keepdims: 0 } }, [2, 2])).data).toEqual([
      1, 5,
    ]);
    expect((await one(13, { ...sum, inputs: ['x', 'a'] }, [2, 2], [list('a', 0)])).data).toEqual([2, 4]);
    expect((await one(13, { ...sum, inputs: ['x'] }, [2, 2])).data).toEqual([6]);
    const noop = { keepdims: 0, noop_with_empty_axes: 1 };
    expect((await one(13, { op: 'ReduceSum', inputs: ['x'], attributes: noop }, [2, 2])).data).toEqual([0, 1, 2, 3]);
  });

  it('Clip, Pad and Slice: attributes, then inputs', async () => {
    const bounds = { min: { float: 1 }, max: { float: 2 } };
    expect((await one(6, { op: 'Clip', inputs: ['x'], attributes: bounds }, [4])).data).toEqual([1, 1, 2, 2]);
    expect((await one(13, { op: 'Clip', inputs: ['x', '', 'm'] }, [4], [floatTensor('m', [], [2])])).data).toEqual([
      0, 1, 2, 2,
    ]);
    const pads = { pads: [1, 0], value: { float: 9 } };
    expect((await one(10, { op: 'Pad', inputs: ['x'], attributes: pads }, [2])).data).toEqual([9, 0, 1]);
    expect(
      (await one(18, { op: 'Pad', inputs: ['x', 'p', '', 'a'] }, [1, 2], [list('p', 1, -1), list('a', -1)])).data,
    ).toEqual([0, 0]);
    expect((await one(9, { op: 'Slice', inputs: ['x'], attributes: { starts: [1], ends: [3] } }, [4])).data).toEqual([
      1, 2,
    ]);
    const backwards = [list('s', -1), list('e', -100), list('a', 0), list('t', -2)];
    expect((await one(13, { op: 'Slice', inputs: ['x', 's', 'e', 'a', 't'] }, [4], backwards)).data).toEqual([3, 1]);
  });

  it('broadcasting of opset 6', async () => {
    const attributes = { broadcast: 1, axis: 0 };
    const added = await one(
      6,
      { op: 'Add', inputs: ['x', 'b'], attributes },
      [2, 2],
      [floatTensor('b', [2], [10, 20])],
    );
    expect(added.data).toEqual([10, 11, 22, 23]);
  });

  it('Gemm: a bias per row is added, one per column goes into the product', async () => {
    const b = floatTensor('b', [2, 2], [1, 0, 0, 1]);
    const attributes = { beta: { float: 2 }, alpha: { float: 3 }, transA: 1 };
    const gemm = { op: 'Gemm', inputs: ['x', 'b', 'c'], attributes };
    expect((await one(13, gemm, [2, 2], [b, floatTensor('c', [2], [1, 2])])).data).toEqual([2, 10, 5, 13]);
    expect((await one(13, gemm, [2, 2], [b, floatTensor('c', [2, 1], [1, 2])])).data).toEqual([2, 8, 7, 13]);
  });
});

describe('Einsum', () => {
  /** Sums over all label values, straight from the definition. */
  function reference(equation: string, operands: { data: Float32Array; shape: number[] }[]): number[] {
    const [left, right] = equation.split('->');
    const terms = left.split(',');
    const sizes = new Map<string, number>();
    terms.forEach((term, k) => [...term].forEach((label, i) => sizes.set(label, operands[k].shape[i])));
    const labels = [...right, ...[...sizes.keys()].filter((label) => !right.includes(label))];
    const at = new Map<string, number>();
    const offset = (term: string, shape: number[]) =>
      [...term].reduce((sum, label, i) => sum * shape[i] + at.get(label)!, 0);
    const outShape = [...right].map((label) => sizes.get(label)!);
    const out = new Array<number>(product(outShape)).fill(0);
    const visit = (depth: number) => {
      if (depth < labels.length) {
        for (let i = 0; i < sizes.get(labels[depth])!; i++) {
          at.set(labels[depth], i);
          visit(depth + 1);
        }
        return;
      }
      const product = terms.reduce((p, term, k) => p * operands[k].data[offset(term, operands[k].shape)], 1);
      out[offset(right, outShape)] += product;
    };
    visit(0);
    return out;
  }

  it.each([
    [
      'ij,jk->ik',
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      'bij,bjk->bki',
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
    ],
    ['ij->ji', [[2, 3]]],
    ['ij->j', [[2, 3]]],
    ['ii->i', [[3, 3]]],
    ['ii->', [[3, 3]]],
    [
      'ij,ij->',
      [
        [2, 3],
        [2, 3],
      ],
    ],
    ['i,j->ij', [[2], [3]]],
    [
      'bhwij,bhwkj->bhwik',
      [
        [1, 2, 2, 3, 2],
        [1, 2, 2, 2, 2],
      ],
    ],
    [
      'ij,jk,kl->li',
      [
        [2, 3],
        [3, 2],
        [2, 2],
      ],
    ],
    ['ij,kj,j->ik', [[2, 3], [2, 3], [3]]],
  ])('%s', async (equation, shapes) => {
    const names = shapes.map((_, i) => `x${i}`);
    const made = program({
      nodes: [{ op: 'Einsum', inputs: names, outputs: ['y'], attributes: { equation } }],
      inputs: shapes.map((shape, i) => f(names[i], ...shape)),
      outputs: [f('y')],
    });
    const operands = shapes.map((shape, k) => {
      const data = Float32Array.from({ length: product(shape) }, (_, i) => ((i * 7 + k * 3) % 11) - 5);
      return { data, shape };
    });
    const { y } = await run(made, Object.fromEntries(operands.map((operand, i) => [names[i], operand])));
    expect(y.data).toEqual(reference(equation, operands).map((value) => value + 0));
  });

  it('broadcasts what an ellipsis stands for', async () => {
    const made = program({
      nodes: [{ op: 'Einsum', inputs: ['a', 'b'], outputs: ['y'], attributes: { equation: '...ij,...jk->...ik' } }],
      inputs: [f('a', 2, 1, 1, 2), f('b', 3, 2, 1)],
      outputs: [f('y')],
    });
    const { y } = await run(made, { a: floats([1, 2, 3, 4], [2, 1, 1, 2]), b: floats([1, 1, 2, 0, 0, 3], [3, 2, 1]) });
    expect(y).toEqual({ shape: [2, 3, 1, 1], data: [3, 2, 6, 7, 6, 12] });
  });
});
