// Operators at the edges of what ONNX defines: values worked out by hand, by NumPy's rules or by onnxruntime.
import { describe, expect, it } from 'vitest';
import type * as onnx from './onnx-builder.ts';
import { floatTensor, valueInfo } from './onnx-builder.ts';
import { f, floats, program, run, specialize } from './onnx-run.ts';

const bool = (value: number) => ({ data: Uint8Array.of(value), shape: [] });
const graphOf = (nodes: onnx.NodeSpec[], output: string): { graph: onnx.GraphSpec } => ({
  graph: { nodes, outputs: [f(output, 2)] },
});

describe('a branch that hands out a value of the graph around it', () => {
  const neg = graphOf([{ op: 'Neg', inputs: ['x'], outputs: ['t'] }], 't');
  const choose = (then: { graph: onnx.GraphSpec }, otherwise = neg, before: onnx.NodeSpec[] = []): onnx.GraphSpec => ({
    nodes: [
      ...before,
      { op: 'If', inputs: ['c'], outputs: ['z'], attributes: { then_branch: then, else_branch: otherwise } },
      { op: 'Add', inputs: ['z', 'x'], outputs: ['y'] },
    ],
    inputs: [f('x', 2), valueInfo('c', 'bool', [])],
    outputs: [f('z', 2), f('y', 2)],
  });
  const inputs = (c: number) => ({ x: floats([1, -2]), c: bool(c) });

  it.each([
    ['an input', choose(graphOf([], 'x')), [1, -2]],
    ['a node of the graph', choose(graphOf([], 'e'), neg, [{ op: 'Abs', inputs: ['x'], outputs: ['e'] }]), [1, 2]],
    ['an initializer', { ...choose(graphOf([], 'w')), initializers: [floatTensor('w', [2], [7, 8])] }, [7, 8]],
    [
      'what the outer branch computes',
      choose(
        graphOf(
          [
            { op: 'Abs', inputs: ['x'], outputs: ['inner'] },
            {
              op: 'If',
              inputs: ['c'],
              outputs: ['chosen'],
              attributes: { then_branch: graphOf([], 'inner'), else_branch: neg },
            },
          ],
          'chosen',
        ),
      ),
      [1, 2],
    ],
    [
      'what another branch handed out',
      choose(graphOf([], 'first'), neg, [
        {
          op: 'If',
          inputs: ['c'],
          outputs: ['first'],
          attributes: { then_branch: graphOf([], 'x'), else_branch: neg },
        },
      ]),
      [1, -2],
    ],
  ])('%s', async (_, spec, taken) => {
    const made = program(spec);
    const then = await run(made, inputs(1));
    expect(then.z.data).toEqual(taken);
    expect(then.y.data).toEqual(taken.map((value, i) => value + [1, -2][i]));
    expect((await run(made, inputs(0))).z.data).toEqual([-1, 2]);
  });

  it('in a function, whose caller may leave an input out', async () => {
    const body = {
      name: 'Choose',
      inputs: ['x', 'c', 'other'],
      outputs: ['z'],
      nodes: choose(graphOf([], 'other')).nodes!.slice(0, 1),
    };
    const call = (...given: string[]) =>
      program(
        {
          nodes: [{ op: 'Choose', domain: 'test', inputs: given, outputs: ['y'] }],
          inputs: [f('x', 2), valueInfo('c', 'bool', [])],
          outputs: [f('y', 2)],
        },
        17,
        [body],
      );
    expect((await run(call('x', 'c', 'x'), inputs(1))).y.data).toEqual([1, -2]);
    expect((await run(call('x', 'c'), inputs(0))).y.data).toEqual([-1, 2]);
    await expect(run(call('x', 'c'), inputs(1))).rejects.toMatchObject({ name: 'ConvletError', code: 'malformed' });
  });
});

describe('Einsum without an arrow', () => {
  const einsum = async (equation: string, ...operands: { data: Float32Array; shape: number[] }[]) => {
    const names = operands.map((_, i) => `x${i}`);
    const made = program({
      nodes: [{ op: 'Einsum', inputs: names, outputs: ['y'], attributes: { equation } }],
      inputs: operands.map(({ shape }, i) => f(names[i], ...shape)),
      outputs: [f('y')],
    });
    return (await run(made, Object.fromEntries(operands.map((operand, i) => [names[i], operand])))).y;
  };
  const square = floats([1, 2, 3, 4], [2, 2]);
  const cube = floats([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);

  // numpy.einsum
  it.each([
    ['ii', [square], [], [5]],
    ['iij', [cube], [2], [8, 10]],
    ['iji', [cube], [2], [7, 11]],
    ['...ii', [cube], [2], [5, 13]],
    ['ij,jj', [square, square], [2], [9, 19]],
    ['ii,ii', [square, square], [], [17]],
    ['ba', [floats([1, 2, 3, 4, 5, 6], [2, 3])], [3, 2], [1, 4, 2, 5, 3, 6]],
    ['Ba', [floats([1, 2, 3, 4, 5, 6], [2, 3])], [2, 3], [1, 2, 3, 4, 5, 6]],
  ])('%s', async (equation, operands, shape, data) => {
    expect(await einsum(equation, ...operands)).toEqual({ shape, data });
  });
});

describe('inputs with an initializer', () => {
  const spec: onnx.GraphSpec = {
    nodes: [{ op: 'Mul', inputs: ['w', 'x'], outputs: ['y'] }],
    initializers: [floatTensor('w', [2], [10, 100])],
    inputs: [f('w', 'n'), f('x', 2)],
    outputs: [f('y', 2)],
  };

  it('may be given, and are listed behind the others', async () => {
    const made = program(spec);
    expect(made.inputs).toEqual([
      { name: 'x', dtype: 'float32', shape: [2] },
      { name: 'w', dtype: 'float32', shape: [null], optional: true },
    ]);
    const x = floats([1, 2]);
    expect((await run(made, { x })).y.data).toEqual([10, 200]);
    expect((await run(made, { x, w: floats([3, 4]) })).y.data).toEqual([3, 8]);
    expect((await run(made, { x, w: floats([5]) })).y.data).toEqual([5, 10]);
    await expect(run(made, { w: floats([3, 4]) })).rejects.toMatchObject({ code: 'missing-input' });
    await expect(run(made, { x, w: floats([3, 4, 5]) })).rejects.toMatchObject({ code: 'shape' });
  });

  it('are constants of the graph where nobody gives them', () => {
    const { graph } = specialize(program(spec), { x: [2] });
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
  });
});

describe('BatchNormalization', () => {
  const norm = (shape: number[], channels: number): onnx.GraphSpec => ({
    nodes: [{ op: 'BatchNormalization', inputs: ['x', 's', 'b', 'm', 'v'], outputs: ['y'] }],
    initializers: [
      floatTensor('s', [channels], new Array(channels).fill(2)),
      floatTensor('b', [channels], new Array(channels).fill(1)),
      floatTensor('m', [channels], new Array(channels).fill(3)),
      floatTensor('v', [channels], new Array(channels).fill(4 - 1e-5)),
    ],
    inputs: [f('x', ...shape)],
    outputs: [f('y')],
  });

  it.each([
    [[3], 1],
    [[1, 3], 3],
    [[1, 1, 1, 1, 3, 1], 1],
  ])('of shape %j', async (shape, channels) => {
    const { y } = await run(program(norm(shape, channels)), { x: floats([3, 5, 1], shape) });
    expect(y.shape).toEqual(shape);
    y.data.forEach((value, i) => expect(value).toBeCloseTo([1, 3, -1][i], 5));
  });
});

describe('Resize', () => {
  const resize = (given: Partial<onnx.NodeSpec>, x: ReturnType<typeof valueInfo>) => ({
    nodes: [{ op: 'Resize', inputs: ['x', '', 'scales'], outputs: ['y'], ...given }],
    initializers: [floatTensor('scales', [4], [1, 1, 2, 2])],
    inputs: [x],
    outputs: [valueInfo('y', 'float32', [])],
  });

  it.each([
    ['uint8', Uint8Array.of(0, 10, 200, 255)],
    ['int8', Int8Array.of(0, -10, 100, -128)],
    ['int32', Int32Array.of(0, 10, 200, 255)],
  ] as const)('linear, of %s', async (dtype, data) => {
    const spec = {
      ...resize({ attributes: { mode: 'linear' } }, valueInfo('x', dtype, [1, 1, 2, 2])),
      outputs: [valueInfo('y', dtype, [])],
    };
    const { y } = await run(program(spec), { x: { data, shape: [1, 1, 2, 2] } });
    // As onnxruntime: four cells times their weights, cut off towards zero.
    const [a, b, c, d] = data;
    const places = [0, 0.25, 0.75, 1];
    const expected = places.flatMap((v) =>
      places.map((u) => Math.trunc((1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * c + u * d))),
    );
    expect(y.data.map((value) => value + 0)).toEqual(expected.map((value) => value + 0));
  });

  it('linear, of equal integers whose weights are no exact fractions', async () => {
    const spec = {
      ...resize({ attributes: { mode: 'linear' } }, valueInfo('x', 'uint8', [1, 1, 3, 3])),
      initializers: [floatTensor('scales', [4], [1, 1, 7 / 3, 5 / 3])],
      outputs: [valueInfo('y', 'uint8', [])],
    };
    const { y } = await run(program(spec), { x: { data: new Uint8Array(9).fill(201), shape: [1, 1, 3, 3] } });
    expect(y.data).toEqual(new Array(35).fill(201));
  });

  it('of nothing gives nothing', async () => {
    const spec = resize({ attributes: { mode: 'linear' } }, f('x', 'n', 3, 'h', 4));
    const made = program(spec);
    expect((await run(made, { x: floats([], [0, 3, 2, 4]) })).y).toEqual({ shape: [0, 3, 4, 8], data: [] });
    expect((await run(made, { x: floats([], [2, 3, 0, 4]) })).y).toEqual({ shape: [2, 3, 0, 8], data: [] });
  });

  it('tf_crop_and_resize: the size comes from the scales alone', async () => {
    const spec = {
      nodes: [
        {
          op: 'Resize',
          inputs: ['x', 'roi', 'scales'],
          outputs: ['y'],
          attributes: { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' },
        },
      ],
      initializers: [floatTensor('scales', [2], [1, 0.8]), floatTensor('roi', [4], [0, 0.25, 1, 0.75])],
      inputs: [f('x', 1, 5)],
      outputs: [f('y')],
    };
    const { y } = await run(program(spec), { x: floats([0, 10, 20, 30, 40], [1, 5]) });
    expect(y.shape).toEqual([1, 4]);
    // Places 0.25·4 … 0.75·4 in steps of 2 / 3.
    y.data.forEach((value, i) => expect(value).toBeCloseTo(10 + (20 / 3) * i, 4));
  });
});

it('Conv of a picture without height whose padding is as tall as the kernel', async () => {
  const made = program({
    nodes: [{ op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes: { pads: [2, 0, 2, 0] } }],
    initializers: [floatTensor('w', [1, 1, 3, 1], [1, 1, 1]), floatTensor('b', [1], [5])],
    inputs: [f('x', 1, 1, 'h', 2)],
    outputs: [f('y')],
  });
  expect((await run(made, { x: floats([], [1, 1, 0, 2]) })).y).toEqual({ shape: [1, 1, 2, 2], data: [5, 5, 5, 5] });
});

it('Pow by ±0.5 of infinities and zeros is that of C', async () => {
  const made = program({
    nodes: [
      { op: 'Pow', inputs: ['x', 'half'], outputs: ['y'] },
      { op: 'Pow', inputs: ['x', 'minus'], outputs: ['z'] },
    ],
    initializers: [floatTensor('half', [], [0.5]), floatTensor('minus', [], [-0.5])],
    inputs: [f('x', 6)],
    outputs: [f('y', 6), f('z', 6)],
  });
  const { y, z } = await run(made, { x: floats([-Infinity, Infinity, -0, 0, 4, -4]) });
  expect(y.data).toEqual([Infinity, Infinity, 0, 0, 2, Number.NaN]);
  expect(z.data).toEqual([0, 0, Infinity, Infinity, 0.5, Number.NaN]);
});

it('Sign of NaN is NaN', async () => {
  const made = program({
    nodes: [{ op: 'Sign', inputs: ['x'], outputs: ['y'] }],
    inputs: [f('x', 3)],
    outputs: [f('y', 3)],
  });
  expect((await run(made, { x: floats([Number.NaN, -3, 0]) })).y.data).toEqual([Number.NaN, -1, 0]);
});
