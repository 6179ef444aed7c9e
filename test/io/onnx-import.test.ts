import { describe, expect, it } from 'vitest';
import type { ConvletErrorCode } from '../../src/common/error.ts';
import type * as onnx from './onnx-builder.ts';
import { floatTensor, int64Tensor, valueInfo } from './onnx-builder.ts';
import { f, failure, floats, program, run, specialize } from './onnx-run.ts';

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
      initializers: [int64Tensor('huge', [2], [20000, 20000])],
      inputs: [f('x', 1)],
      outputs: [f('y', 20000, 20000)],
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
