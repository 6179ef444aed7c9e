import { describe, expect, it } from 'vitest';
import { JsBackend } from '../../src/backend/js/backend.ts';
import { ConvletError, type ConvletErrorCode } from '../../src/common/error.ts';
import { OnnxProgram } from '../../src/io/onnx/import.ts';
import { parseModel } from '../../src/io/onnx/model.ts';
import { Model, type ModelInput } from '../../src/runtime/model.ts';
import * as onnx from './onnx-builder.ts';

const { floatTensor, int64Tensor, valueInfo } = onnx;
const f = (name: string, ...shape: (number | string)[]) => valueInfo(name, 'float32', shape);
const i64 = (name: string, ...shape: (number | string)[]) => valueInfo(name, 'int64', shape);

function program(spec: onnx.GraphSpec, opset?: number, functions?: onnx.FunctionSpec[]): OnnxProgram {
  return new OnnxProgram(parseModel(onnx.model(spec, opset, functions)));
}

function specialize(made: OnnxProgram, shapes: { [name: string]: number[] }) {
  return made.specialize(new Map(Object.entries(shapes)));
}

async function run(made: OnnxProgram, inputs: { [name: string]: ModelInput }, backend = new JsBackend()) {
  const outputs = await new Model(made, backend).run(inputs);
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data, shape }]) => [name, { shape, data: [...data] }]),
  );
}

const floats = (data: number[], shape = [data.length]) => ({ data: Float32Array.from(data), shape });
const ints = (data: number[], shape = [data.length]) => ({ data: Int32Array.from(data), shape });

function failure(act: () => unknown): { code: ConvletErrorCode; message: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof ConvletError) return error;
    throw error;
  }
  throw new Error('expected a ConvletError');
}

describe('folding', () => {
  const plumbing: onnx.GraphSpec = {
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Constant', inputs: [], outputs: ['zero'], attributes: { value: int64Tensor('', [], [0]) } },
      { op: 'Gather', inputs: ['shape', 'zero'], outputs: ['batch'], attributes: { axis: 0 } },
      { op: 'Unsqueeze', inputs: ['batch', 'axes'], outputs: ['first'] },
      { op: 'Concat', inputs: ['first', 'rest'], outputs: ['target'], attributes: { axis: 0 } },
      { op: 'Reshape', inputs: ['x', 'target'], outputs: ['y'] },
    ],
    initializers: [int64Tensor('axes', [1], [0]), int64Tensor('rest', [1], [-1])],
    inputs: [f('x', 'n', 3, 4)],
    outputs: [f('y', 'n', 12)],
  };

  it('leaves nothing of Shape → Gather → Concat → Reshape but the reshape', () => {
    const { graph, tail } = specialize(program(plumbing), { x: [2, 3, 4] });
    expect(graph.nodes.map((node) => node.op.name)).toEqual(['reshape']);
    expect(graph.outputs[0].value.shape).toEqual([2, 12]);
    expect(tail).toBeNull();
  });

  it('makes a new graph for other shapes', () => {
    const made = program(plumbing);
    expect(specialize(made, { x: [5, 3, 4] }).graph.outputs[0].value.shape).toEqual([5, 12]);
    expect(specialize(made, { x: [1, 3, 4] }).graph.outputs[0].value.shape).toEqual([1, 12]);
  });

  it('computes what depends on constants alone, and drops what no output needs', async () => {
    const made = program({
      nodes: [
        { op: 'Add', inputs: ['a', 'a'], outputs: ['twice'] },
        { op: 'Relu', inputs: ['x'], outputs: ['unused'] },
        { op: 'Mul', inputs: ['x', 'twice'], outputs: ['y'] },
      ],
      initializers: [floatTensor('a', [2], [1, 2])],
      inputs: [f('x', 2)],
      outputs: [f('y', 2)],
    });
    const { graph } = specialize(made, { x: [2] });
    expect(graph.nodes.map((node) => node.op.name)).toEqual(['mul']);
    expect((await run(made, { x: floats([10, 10]) })).y.data).toEqual([20, 40]);
  });

  it('does not compute constants ahead that a file of a few bytes blows up', () => {
    const made = program({
      nodes: [
        { op: 'ConstantOfShape', inputs: ['huge'], outputs: ['zeros'] },
        { op: 'Add', inputs: ['x', 'zeros'], outputs: ['y'] },
      ],
      initializers: [int64Tensor('huge', [2], [30000, 30000])],
      inputs: [f('x', 1)],
      outputs: [f('y', 30000, 30000)],
    });
    expect(specialize(made, { x: [1] }).graph.nodes.map((node) => node.op.name)).toEqual(['expand', 'add']);
  });

  it('puts nodes that come too early in the file behind what they read', async () => {
    const made = program({
      nodes: [
        { op: 'Neg', inputs: ['t'], outputs: ['y'] },
        { op: 'Exp', inputs: ['x'], outputs: ['t'] },
      ],
      inputs: [f('x', 1)],
      outputs: [f('y', 1)],
    });
    expect((await run(made, { x: floats([0]) })).y.data).toEqual([-1]);
  });
});

describe('unsupported operators', () => {
  const branch = (op: string): onnx.GraphSpec => ({
    nodes: [{ op, inputs: ['x'], outputs: ['r'], name: `inside ${op}` }],
    outputs: [f('r', 1)],
  });
  const made = program(
    {
      nodes: [
        { op: 'Foo', inputs: ['x'], outputs: ['a'], name: 'first' },
        { op: 'Bar', inputs: ['a'], outputs: ['b'], domain: 'com.example' },
        {
          op: 'If',
          inputs: ['c'],
          outputs: ['d'],
          attributes: { then_branch: { graph: branch('Relu') }, else_branch: { graph: branch('Baz') } },
        },
        { op: 'Upsample', inputs: ['x', 's'], outputs: ['e'], name: 'late' },
        { op: 'Call', inputs: ['x'], outputs: ['g'], domain: 'test' },
        { op: 'Sum', inputs: ['b', 'd', 'e', 'g'], outputs: ['y'] },
      ],
      inputs: [f('x', 1), valueInfo('c', 'bool', []), f('s', 1)],
      outputs: [f('y', 1)],
    },
    17,
    [
      {
        name: 'Call',
        inputs: ['p'],
        outputs: ['q'],
        nodes: [{ op: 'Qux', inputs: ['p'], outputs: ['q'], name: 'in the function' }],
      },
    ],
  );

  it('are listed completely, with those in branches and functions', () => {
    expect(made.unsupported().map(({ node, opType, domain, opset }) => [node, opType, domain, opset])).toEqual([
      ['first', 'Foo', '', 17],
      ['b', 'Bar', 'com.example', 0],
      ['inside Baz', 'Baz', '', 17],
      ['late', 'Upsample', '', 17],
      ['in the function', 'Qux', '', 17],
    ]);
  });

  it('stop specialisation before anything runs', () => {
    const { code, message } = failure(() => specialize(made, { x: [1], c: [], s: [1] }));
    expect(code).toBe('unsupported');
    expect(message).toContain('5 nodes cannot be run:');
    expect(message).toContain("node 'first' (Foo, domain ai.onnx, opset 17)");
    expect(message).toContain("node 'late' (Upsample, domain ai.onnx, opset 17): only before opset 10");
  });

  it('of an operator set from the future are refused', () => {
    const future = program(
      { nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], inputs: [f('x', 1)], outputs: [f('y', 1)] },
      999,
    );
    expect(failure(() => future.check()).message).toContain('opset 999');
  });
});

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
    const backend = new JsBackend();
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
    const backend = new JsBackend();
    const model = new Model(made, backend);
    const trips = (n: number) => ({ data: Int32Array.of(n), shape: [] });
    expect(await run(made, { x: floats([1, 2]), trips: trips(3) })).toEqual(expected);
    await model.run({ x: floats([1, 2]), trips: trips(1) });
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

describe('wrong models and inputs', () => {
  const chain = (nodes: onnx.NodeSpec[]): onnx.GraphSpec => ({
    nodes,
    inputs: [f('x', 2, 3)],
    outputs: [f('y', 2, 3)],
  });
  const relu = (inputs: string[], outputs: string[], name: string): onnx.NodeSpec => ({
    op: 'Relu',
    inputs,
    outputs,
    name,
  });

  it.each([
    [
      'cycle',
      [relu(['b'], ['a'], 'one'), relu(['a'], ['b'], 'two'), relu(['x'], ['y'], 'three')],
      /node 'one' \(Relu\).*cycle/,
    ],
    ['undefined name', [relu(['nowhere'], ['y'], 'one')], /node 'one' \(Relu\) reads 'nowhere', which nothing defines/],
    [
      'second definition',
      [relu(['x'], ['y'], 'one'), relu(['x'], ['y'], 'two')],
      /node 'two' \(Relu\) defines 'y', which is already/,
    ],
    ['redefined input', [relu(['x'], ['x'], 'one'), relu(['x'], ['y'], 'two')], /node 'one' \(Relu\) defines 'x'/],
    ['missing output', [relu(['x'], ['z'], 'one')], /nothing defines the output 'y'/],
  ])('%s', (_, nodes, message) => {
    const error = failure(() => program(chain(nodes as onnx.NodeSpec[])));
    expect(error.code).toBe('malformed');
    expect(error.message).toMatch(message as RegExp);
  });

  it.each<[string, onnx.NodeSpec, ConvletErrorCode, RegExp]>([
    [
      'operand types',
      { op: 'Add', inputs: ['x', 'i'], outputs: ['y'] },
      'dtype',
      /node 'y' \(Add\).*float32, got int64/,
    ],
    [
      'operand shapes',
      { op: 'Add', inputs: ['x', 'w'], outputs: ['y'] },
      'shape',
      /node 'y' \(Add\).*\[2,3\] and \[4\]/,
    ],
    [
      'an attribute of another type',
      { op: 'Concat', inputs: ['x', 'x'], outputs: ['y'], attributes: { axis: 'no' } },
      'malformed',
      /node 'y' \(Concat\): attribute axis expects type INT, got STRING/,
    ],
    [
      'a missing attribute',
      { op: 'Concat', inputs: ['x', 'x'], outputs: ['y'] },
      'malformed',
      /attribute axis is missing/,
    ],
    ['a missing input', { op: 'Add', inputs: ['x'], outputs: ['y'] }, 'malformed', /input 1 is required/],
    ['an axis', { op: 'Softmax', inputs: ['x'], outputs: ['y'], attributes: { axis: 5 } }, 'argument', /-2…1, got 5/],
    ['a step', { op: 'Slice', inputs: ['x', 'i', 'i', 'i', 'zero'], outputs: ['y'] }, 'argument', /step of axis 0/],
    [
      'a reshape',
      { op: 'Reshape', inputs: ['x', 'i'], outputs: ['y'] },
      'shape',
      /\[0\] does not hold the elements of \[2,3\]/,
    ],
    [
      'an element type',
      { op: 'Shape', inputs: ['x'], outputs: ['y'] },
      'malformed',
      /output 'y' is declared float32, its node gives int64/,
    ],
  ])('says what does not fit: %s', (_, node, code, message) => {
    const made = program({
      nodes: [node],
      initializers: [int64Tensor('i', [1], [0]), int64Tensor('zero', [1], [0]), floatTensor('w', [4], [1, 2, 3, 4])],
      inputs: [f('x', 2, 3)],
      outputs: [f('y', 2, 3)],
    });
    const error = failure(() => specialize(made, { x: [2, 3] }));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it('checks names and shapes of inputs', () => {
    const made = program(chain([relu(['x'], ['y'], 'one')]));
    expect(failure(() => specialize(made, {})).code).toBe('missing-input');
    expect(failure(() => specialize(made, { x: [2, 3], z: [1] })).message).toBe(
      "the model has no input 'z' (it has 'x')",
    );
    expect(failure(() => specialize(made, { x: [2, 4] })).message).toBe("input 'x' expects shape [2,3], got [2,4]");
    expect(failure(() => specialize(made, { x: [-2, 3] })).code).toBe('shape');
    expect(specialize(made, { x: [2, 3] }).graph.nodes).toHaveLength(1);
  });
});

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
    const size = shape.reduce((a, b) => a * b, 1);
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
    const out = new Array<number>(outShape.reduce((a, b) => a * b, 1)).fill(0);
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
      const data = Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        (_, i) => ((i * 7 + k * 3) % 11) - 5,
      );
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

it('gives an index from the data that lies outside as an error that names the node', async () => {
  const made = program({
    nodes: [{ op: 'Gather', inputs: ['x', 'i'], outputs: ['y'], name: 'look up' }],
    inputs: [f('x', 3), i64('i', 1)],
    outputs: [f('y', 1)],
  });
  const model = new Model(made, new JsBackend());
  await expect(model.run({ x: floats([1, 2, 3]), i: ints([3]) })).rejects.toMatchObject({ code: 'index-range' });
  expect([...(await model.run({ x: floats([1, 2, 3]), i: ints([-1]) })).y.data]).toEqual([3]);
});
