// Operators whose meaning or inputs changed with a version: the last opset of the old form and the first of the new one.
import { describe, expect, it } from 'vitest';
import type * as onnx from './onnx-builder.ts';
import { floatTensor, int64Tensor } from './onnx-builder.ts';
import { f, floats, program, run } from './onnx-run.ts';

type Attributes = NonNullable<onnx.NodeSpec['attributes']>;
type Tensors = readonly ReturnType<typeof floatTensor>[];

interface Form {
  readonly opset: number;
  /** Inputs behind x, by the names of `tensors`. */
  readonly inputs?: readonly string[];
  readonly tensors?: Tensors;
  readonly attributes?: Attributes;
  /** The one output; a code where the form is refused. */
  readonly gives: readonly number[] | 'malformed' | 'unsupported' | 'shape';
}

interface Boundary {
  readonly op: string;
  readonly x: readonly number[];
  readonly shape: readonly number[];
  readonly forms: readonly Form[];
}

const list = (name: string, ...values: number[]) => int64Tensor(name, [values.length], values);
const scalar = (name: string, value: number) => floatTensor(name, [], [value]);
const vector = (name: string, ...values: number[]) => floatTensor(name, [values.length], values);

/** The same result of an attribute before `opset`, and of an input from it on. */
const moved = (opset: number, attributes: Attributes, inputs: readonly string[], tensors: Tensors, gives: number[]) => [
  { opset: opset - 1, attributes, gives },
  { opset, inputs, tensors, gives },
];

const axis0 = [list('axes', 0)];
const boundaries: readonly Boundary[] = [
  {
    op: 'Softmax', // of the matrix [1, 4], and of the last axis
    x: [0, 0, 0, 0],
    shape: [1, 2, 2],
    forms: [
      { opset: 12, gives: [0.25, 0.25, 0.25, 0.25] },
      { opset: 13, gives: [0.5, 0.5, 0.5, 0.5] },
    ],
  },
  {
    op: 'Clip',
    x: [-5, 0, 5],
    shape: [3],
    forms: moved(
      11,
      { min: { float: -1 }, max: { float: 2 } },
      ['a', 'b'],
      [scalar('a', -1), scalar('b', 2)],
      [-1, 0, 2],
    ),
  },
  {
    op: 'PRelu', // a slope per channel, and one that broadcasts to the last axis
    x: [-1, -1, -1, -1],
    shape: [1, 2, 2],
    forms: [
      { opset: 6, inputs: ['s'], tensors: [vector('s', 2, 3)], gives: [-2, -2, -3, -3] },
      { opset: 7, inputs: ['s'], tensors: [vector('s', 2, 3)], gives: [-2, -3, -2, -3] },
    ],
  },
  {
    op: 'Add',
    x: [1, 2, 3, 4],
    shape: [1, 2, 2],
    forms: [
      {
        opset: 6,
        inputs: ['b'],
        tensors: [vector('b', 10, 20)],
        attributes: { broadcast: 1, axis: 1 },
        gives: [11, 12, 23, 24],
      },
      { opset: 7, inputs: ['b'], tensors: [vector('b', 10, 20)], gives: [11, 22, 13, 24] },
    ],
  },
  { op: 'TopK', x: [3, 1, 2], shape: [3], forms: moved(10, { k: 2 }, ['k'], [list('k', 2)], [3, 2]) },
  { op: 'Squeeze', x: [1, 2], shape: [1, 2], forms: moved(13, { axes: [0] }, ['axes'], axis0, [1, 2]) },
  { op: 'Unsqueeze', x: [1, 2], shape: [2], forms: moved(13, { axes: [0] }, ['axes'], axis0, [1, 2]) },
  { op: 'ReduceSum', x: [1, 2, 3, 4], shape: [2, 2], forms: moved(13, { axes: [0] }, ['axes'], axis0, [4, 6]) },
  { op: 'ReduceMean', x: [1, 2, 3, 4], shape: [2, 2], forms: moved(18, { axes: [0] }, ['axes'], axis0, [2, 3]) },
  { op: 'ReduceMax', x: [1, 2, 3, 4], shape: [2, 2], forms: moved(18, { axes: [0] }, ['axes'], axis0, [3, 4]) },
  { op: 'Split', x: [1, 2, 3], shape: [3], forms: moved(13, { split: [3] }, ['s'], [list('s', 3)], [1, 2, 3]) },
  { op: 'Reshape', x: [1, 2], shape: [2], forms: moved(5, { shape: [2, 1] }, ['s'], [list('s', 2, 1)], [1, 2]) },
  {
    op: 'Slice',
    x: [1, 2, 3, 4],
    shape: [4],
    forms: moved(10, { starts: [1], ends: [-1] }, ['b', 'e'], [list('b', 1), list('e', -1)], [2, 3]),
  },
  {
    op: 'Pad',
    x: [5],
    shape: [1],
    forms: moved(11, { pads: [1, 0], value: { float: 7 } }, ['p', 'v'], [list('p', 1, 0), scalar('v', 7)], [7, 5]),
  },
  {
    op: 'Pad',
    x: [5],
    shape: [1, 1],
    forms: [
      { opset: 17, inputs: ['p'], tensors: [list('p', 0, 0, 0, 1)], gives: [5, 0] },
      { opset: 18, inputs: ['p', '', 'a'], tensors: [list('p', 0, 1), list('a', 1)], gives: [5, 0] },
    ],
  },
  {
    op: 'Upsample',
    x: [1, 2],
    shape: [1, 2],
    forms: [
      { opset: 7, attributes: { scales: { floats: [1, 2] } }, gives: [1, 1, 2, 2] },
      { opset: 8, attributes: { scales: { floats: [1, 2] } }, gives: [1, 1, 2, 2] },
      { opset: 9, inputs: ['s'], tensors: [vector('s', 1, 2)], gives: [1, 1, 2, 2] },
      { opset: 10, inputs: ['s'], tensors: [vector('s', 1, 2)], gives: 'unsupported' },
    ],
  },
  {
    op: 'Resize', // linear: cells lie at o / 2, and at (o + 0.5) / 2 − 0.5
    x: [0, 4],
    shape: [1, 2],
    forms: [
      { opset: 9, inputs: ['s'], tensors: [vector('s', 1, 2)], attributes: { mode: 'linear' }, gives: 'unsupported' },
      { opset: 10, inputs: ['s'], tensors: [vector('s', 1, 2)], attributes: { mode: 'linear' }, gives: [0, 2, 4, 4] },
      {
        opset: 11,
        inputs: ['', 's'],
        tensors: [vector('s', 1, 2)],
        attributes: { mode: 'linear' },
        gives: [0, 1, 3, 4],
      },
    ],
  },
  {
    op: 'GroupNormalization', // groups {−1, 1}, {−2, 2}; a scale per group, and one per channel
    x: [-1, 1, -2, 2],
    shape: [1, 4, 1],
    forms: [
      {
        opset: 17,
        inputs: ['s', 'b'],
        tensors: [vector('s', 1, 3), vector('b', 0, 1)],
        attributes: { num_groups: 2 },
        gives: 'unsupported',
      },
      {
        opset: 20,
        inputs: ['s', 'b'],
        tensors: [vector('s', 1, 3), vector('b', 0, 1)],
        attributes: { num_groups: 2 },
        gives: [-1, 1, -2, 4],
      },
      {
        opset: 21,
        inputs: ['s', 'b'],
        tensors: [vector('s', 1, 2, 3, 4), vector('b', 0, 0, 0, 1)],
        attributes: { num_groups: 2 },
        gives: [-1, 2, -3, 5],
      },
      {
        opset: 21,
        inputs: ['s', 'b'],
        tensors: [vector('s', 1, 3), vector('b', 0, 1)],
        attributes: { num_groups: 2 },
        gives: 'shape',
      },
    ],
  },
  {
    op: 'Concat', // axis 1 where it is left out, then it is required
    x: [1, 2],
    shape: [1, 2],
    forms: [
      { opset: 3, inputs: ['c'], tensors: [floatTensor('c', [1, 1], [3])], gives: [1, 2, 3] },
      { opset: 4, inputs: ['c'], tensors: [floatTensor('c', [1, 1], [3])], gives: 'malformed' },
    ],
  },
  {
    op: 'BatchNormalization', // a `training_mode` before opset 14 is no attribute of the operator
    x: [1, 3],
    shape: [2, 1],
    forms: [13, 14].map((opset) => ({
      opset,
      inputs: ['one', 'zero', 'zero', 'one'],
      tensors: [vector('one', 1), vector('zero', 0)],
      attributes: { training_mode: 1, epsilon: { float: 0 } },
      gives: opset === 13 ? [1, 3] : [-1, 1],
    })),
  },
  {
    op: 'Cast', // types by name, which nobody wrote for long, and by number
    x: [1.5],
    shape: [1],
    forms: [
      { opset: 5, attributes: { to: 'FLOAT' }, gives: 'unsupported' },
      { opset: 6, attributes: { to: 1 }, gives: [1.5] },
    ],
  },
  {
    op: 'RoiAlign', // the region −0.5 … 1.5 of the pixels, which is all of them, and 0 … 2
    x: [0, 2, 4, 6],
    shape: [1, 1, 2, 2],
    forms: [15, 16].map((opset) => ({
      opset,
      inputs: ['r', 'b'],
      tensors: [floatTensor('r', [1, 4], [0, 0, 2, 2]), list('b', 0)],
      attributes: { output_height: 1, output_width: 1, sampling_ratio: 1 },
      // One sample in the middle of the region: (1, 1), and half a pixel before it.
      gives: opset === 15 ? [6] : [3],
    })),
  },
];

const cases = boundaries.flatMap(({ op, x, shape, forms }) => forms.map((form) => ({ op, x, shape, ...form })));

describe('operators of two versions', () => {
  it.each(cases)('$op, opset $opset', async ({ op, x, shape, opset, inputs = [], tensors = [], attributes, gives }) => {
    const outputs = op === 'TopK' ? ['y', 'i'] : ['y'];
    const made = program(
      {
        nodes: [{ op, inputs: ['x', ...inputs], outputs, attributes }],
        initializers: tensors,
        inputs: [f('x', ...shape)],
        outputs: [f('y')],
      },
      opset,
    );
    const result = run(made, { x: floats([...x], [...shape]) });
    if (typeof gives === 'string') {
      await expect(result).rejects.toMatchObject({ name: 'ConvletError', code: gives });
      return;
    }
    const { data } = (await result).y;
    expect(data.length).toBe(gives.length);
    data.forEach((value, i) => expect(value, `element ${i}`).toBeCloseTo(gives[i], 4));
  });
});
