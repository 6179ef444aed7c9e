import { describe, expect, it } from 'vitest';
import { Model } from '../../src/runtime/model.ts';
import { jsBackend } from '../support/js-backend.ts';
import type * as onnx from './onnx-builder.ts';
import { floatTensor, int64Tensor, valueInfo } from './onnx-builder.ts';
import { f, failure, floats, i64, ints, program, run, specialize } from './onnx-run.ts';

describe('If', () => {
  const choose = (condition: onnx.NodeSpec[], inputs = [f('x', 2)]): onnx.GraphSpec => ({
    nodes: [
      ...condition,
      {
        op: 'If',
        inputs: ['c'],
        outputs: ['y'],
        attributes: {
          then_branch: { graph: { nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['t'] }], outputs: [f('t', 2)] } },
          else_branch: { graph: { nodes: [{ op: 'Exp', inputs: ['x'], outputs: ['t'] }], outputs: [f('t', 2)] } },
        },
      },
    ],
    inputs,
    outputs: [f('y', 2)],
  });

  it('takes the branch of a constant condition into the graph', () => {
    const made = program(
      choose([
        { op: 'Size', inputs: ['x'], outputs: ['n'] },
        { op: 'Constant', inputs: [], outputs: ['two'], attributes: { value_int: 2 } },
        { op: 'Equal', inputs: ['n', 'two'], outputs: ['c'] },
      ]),
    );
    const { graph, tail } = specialize(made, { x: [2] });
    expect(graph.nodes.map((node) => node.op.name)).toEqual(['neg']);
    expect(tail).toBeNull();
  });

  it('is decided at run time where the condition is data', async () => {
    const made = program(choose([], [f('x', 2), valueInfo('c', 'bool', [])]));
    expect(specialize(made, { x: [2], c: [] }).tail?.outputs).toEqual(['y']);
    const condition = (value: number) => ({ data: Uint8Array.of(value), shape: [] });
    expect((await run(made, { x: floats([1, 2]), c: condition(1) })).y.data).toEqual([-1, -2]);
    expect((await run(made, { x: floats([0, 0]), c: condition(0) })).y.data).toEqual([1, 1]);
  });
});

describe('the tail', () => {
  /** The positive elements of relu(x), times two; the first output is static. */
  const positives = (): onnx.GraphSpec => ({
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'NonZero', inputs: ['r'], outputs: ['at'], name: 'where' },
      { op: 'Squeeze', inputs: ['at', 'axis'], outputs: ['index'] },
      { op: 'Gather', inputs: ['r', 'index'], outputs: ['found'] },
      { op: 'Mul', inputs: ['found', 'two'], outputs: ['y'] },
    ],
    initializers: [int64Tensor('axis', [1], [0]), floatTensor('two', [], [2])],
    inputs: [f('x', 'n')],
    outputs: [f('r', 'n'), f('y', 'k')],
  });

  it('computes what has no shape before run time', async () => {
    const made = program(positives());
    const { graph, tail } = specialize(made, { x: [4] });
    expect(graph.nodes.map((node) => node.op.name)).toEqual(['relu']);
    expect(tail?.inputs).toEqual(['r']);
    expect(tail?.outputs).toEqual(['y']);
    const result = await run(made, { x: floats([-1, 3, 0, 5]) });
    expect(result).toEqual({ r: { shape: [4], data: [0, 3, 0, 5] }, y: { shape: [2], data: [6, 10] } });
    expect((await run(made, { x: floats([-1, -2]) })).y).toEqual({ shape: [0], data: [] });
  });

  it('keeps no memory, not even after an error', async () => {
    const spec = positives();
    const made = program({
      ...spec,
      nodes: [...spec.nodes!, { op: 'Add', inputs: ['y', 'three'], outputs: ['z'], name: 'must be three' }],
      initializers: [...spec.initializers!, floatTensor('three', [3], [0, 0, 0])],
      outputs: [f('z', 3)],
    });
    const backend = jsBackend();
    const model = new Model(made, backend);
    await model.run({ x: floats([1, 1, 1]) });
    const before = backend.memory.liveBytes;
    for (let i = 0; i < 3; i++) {
      await model.run({ x: floats([1, 2, 3]) });
      await expect(model.run({ x: floats([1, 2, -3]) })).rejects.toMatchObject({
        code: 'shape',
        message: expect.stringContaining("node 'must be three' (Add)"),
      });
    }
    expect(backend.memory.liveBytes).toBe(before);
    model.dispose();
    expect(backend.memory.liveBytes).toBe(0);
  });

  it('tells apart values of one name that come from two calls of a function', async () => {
    const made = program(
      {
        nodes: [
          { op: 'Pick', inputs: ['x'], outputs: ['a'], domain: 'test' },
          { op: 'Neg', inputs: ['x'], outputs: ['m'] },
          { op: 'Pick', inputs: ['m'], outputs: ['b'], domain: 'test' },
        ],
        inputs: [f('x', 3)],
        outputs: [f('a', 'k'), f('b', 'k')],
      },
      17,
      [
        {
          name: 'Pick',
          inputs: ['v'],
          outputs: ['w'],
          nodes: [
            { op: 'Relu', inputs: ['v'], outputs: ['inner'] },
            { op: 'Cast', inputs: ['inner'], outputs: ['mask'], attributes: { to: 9 } },
            { op: 'Compress', inputs: ['inner', 'mask'], outputs: ['w'] },
          ],
        },
      ],
    );
    const result = await run(made, { x: floats([1, -2, 3]) });
    expect([result.a.data, result.b.data]).toEqual([[1, 3], [2]]);
  });
});

describe('Loop and Scan', () => {
  /** carried = carried + x (from outside), scanned = carried · i. */
  const body: onnx.GraphSpec = {
    nodes: [
      { op: 'Add', inputs: ['sum', 'x'], outputs: ['next'] },
      { op: 'Cast', inputs: ['i'], outputs: ['weight'], attributes: { to: 1 } },
      { op: 'Mul', inputs: ['next', 'weight'], outputs: ['row'] },
      { op: 'Identity', inputs: ['going'], outputs: ['on'] },
    ],
    inputs: [i64('i'), valueInfo('going', 'bool', []), f('sum', 2)],
    outputs: [valueInfo('on', 'bool', []), f('next', 2), f('row', 2)],
  };
  const looped = (trips: 'initializer' | 'input'): onnx.GraphSpec => ({
    nodes: [{ op: 'Loop', inputs: ['trips', '', 'x'], outputs: ['y', 'rows'], attributes: { body: { graph: body } } }],
    initializers: trips === 'initializer' ? [int64Tensor('trips', [], [3])] : [],
    inputs: trips === 'initializer' ? [f('x', 2)] : [f('x', 2), i64('trips')],
    outputs: [f('y', 2), f('rows', 'n', 2)],
  });
  const expected = { y: { shape: [2], data: [4, 8] }, rows: { shape: [3, 2], data: [0, 0, 3, 6, 8, 16] } };

  it('of a known trip count are unrolled', async () => {
    const made = program(looped('initializer'));
    expect(specialize(made, { x: [2] }).tail).toBeNull();
    expect(await run(made, { x: floats([1, 2]) })).toEqual(expected);
  });

  it('of a trip count from the data run in the tail', async () => {
    const made = program(looped('input'));
    const backend = jsBackend();
    const model = new Model(made, backend);
    const trips = (n: number) => ({ data: Int32Array.of(n), shape: [] });
    expect(await run(made, { x: floats([1, 2]), trips: trips(3) })).toEqual(expected);
    await model.run({ x: floats([1, 2]), trips: trips(3) }); // The second iteration compiles the body, which is kept.
    const before = backend.memory.liveBytes;
    const { y, rows } = await model.run({ x: floats([1, 2]), trips: trips(100) });
    expect([[...y.data], rows.shape]).toEqual([
      [101, 202],
      [100, 2],
    ]);
    expect(backend.memory.liveBytes).toBe(before);
    expect((await run(made, { x: floats([1, 2]), trips: trips(0) })).rows).toEqual({ shape: [0, 2], data: [] });
  });

  it('scan cuts and stacks along the axes and directions asked for', async () => {
    const made = program({
      nodes: [
        {
          op: 'Scan',
          inputs: ['start', 'x'],
          outputs: ['sum', 'sums'],
          attributes: {
            num_scan_inputs: 1,
            scan_input_axes: [1],
            scan_input_directions: [1],
            scan_output_axes: [1],
            body: {
              graph: {
                nodes: [
                  { op: 'Add', inputs: ['s', 'column'], outputs: ['t'] },
                  { op: 'Identity', inputs: ['t'], outputs: ['u'] },
                ],
                inputs: [f('s', 2), f('column', 2)],
                outputs: [f('t', 2), f('u', 2)],
              },
            },
          },
        },
      ],
      initializers: [floatTensor('start', [2], [0, 0])],
      inputs: [f('x', 2, 3)],
      outputs: [f('sum', 2), f('sums', 2, 3)],
    });
    const result = await run(made, { x: floats([1, 2, 3, 10, 20, 30], [2, 3]) });
    expect(result.sum.data).toEqual([6, 60]);
    expect(result.sums).toEqual({ shape: [2, 3], data: [3, 5, 6, 30, 50, 60] });
  });
});

describe('functions', () => {
  const scale: onnx.FunctionSpec = {
    name: 'Scale',
    inputs: ['v', 'shift'],
    outputs: ['w'],
    attributes: ['axis'],
    defaults: { keep: 1 },
    nodes: [
      {
        op: 'ReduceMax',
        inputs: ['v'],
        outputs: ['m'],
        attributes: { axes: [1], keepdims: { ref: 'keep' } },
      },
      { op: 'Softmax', inputs: ['v'], outputs: ['s'], attributes: { axis: { ref: 'axis' } } },
      { op: 'Clip', inputs: ['s', 'shift'], outputs: ['c'] },
      { op: 'Mul', inputs: ['c', 'm'], outputs: ['w'] },
    ],
  };
  const call = (inputs: string[], attributes: onnx.NodeSpec['attributes']): onnx.GraphSpec => ({
    nodes: [{ op: 'Scale', inputs, outputs: ['y'], domain: 'test', name: 'call', attributes }],
    inputs: [f('x', 2, 2)],
    outputs: [f('y', 2, 2)],
  });

  it('are inlined, with attributes, defaults and absent inputs', async () => {
    const { y } = await run(program(call(['x'], { axis: 0 }), 17, [scale]), { x: floats([0, 2, 0, 4], [2, 2]) });
    const second = 1 / (1 + Math.exp(-2));
    [1, 2 * (1 - second), 2, 4 * second].forEach((value, i) => expect(y.data[i]).toBeCloseTo(value, 5));
  });

  it('name the attribute that the call lacks', () => {
    const made = program(call(['x'], {}), 17, [scale]);
    const { code, message } = failure(() => specialize(made, { x: [2, 2] }));
    expect([code, message]).toEqual(['malformed', "node 'call' (test.Scale): attribute axis is missing"]);
  });

  it('that call themselves, or grow without bounds, are refused', () => {
    const nest = (name: string, inner: string): onnx.FunctionSpec => ({
      name,
      inputs: ['v'],
      outputs: ['w'],
      nodes: [
        { op: inner, inputs: ['v'], outputs: ['t'], domain: 'test' },
        { op: inner, inputs: ['t'], outputs: ['w'], domain: 'test' },
      ],
    });
    const start = (op: string): onnx.GraphSpec => ({
      nodes: [{ op, inputs: ['x'], outputs: ['y'], domain: 'test' }],
      inputs: [f('x', 1)],
      outputs: [f('y', 1)],
    });
    const circular = program(start('A'), 17, [nest('A', 'B'), nest('B', 'A')]);
    expect(failure(() => circular.check()).message).toContain('the function calls itself');
    const leaf: onnx.FunctionSpec = {
      name: 'F0',
      inputs: ['v'],
      outputs: ['w'],
      nodes: [
        { op: 'Shape', inputs: ['v'], outputs: ['n'] },
        { op: 'Identity', inputs: ['v'], outputs: ['w'] },
      ],
    };
    const tower = Array.from({ length: 40 }, (_, i) => nest(`F${i + 1}`, `F${i}`));
    const bomb = program(start('F40'), 17, [leaf, ...tower]);
    expect(failure(() => specialize(bomb, { x: [1] })).message).toContain('more than 100000 nodes');
  });
});

it('gives an index from the data that lies outside as an error that names the node', async () => {
  const made = program({
    nodes: [{ op: 'Gather', inputs: ['x', 'i'], outputs: ['y'], name: 'look up' }],
    inputs: [f('x', 3), i64('i', 1)],
    outputs: [f('y', 1)],
  });
  const model = new Model(made, jsBackend());
  await expect(model.run({ x: floats([1, 2, 3]), i: ints([3]) })).rejects.toMatchObject({ code: 'index-range' });
  expect([...(await model.run({ x: floats([1, 2, 3]), i: ints([-1]) })).y.data]).toEqual([3]);
});
