import type { ConvletErrorCode } from '../../src/common/error.ts';
import { product } from '../../src/common/numbers.ts';
import type { ModelInput } from '../../src/runtime/model.ts';
import * as onnx from '../io/onnx-builder.ts';

/** Models that are well-formed files and make no sense, one mistake each, with what they are to be answered with. */

export interface BadModel {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  readonly inputs: { readonly [name: string]: ModelInput };
  readonly code: ConvletErrorCode;
  readonly message: RegExp;
}

const { floatTensor, int64Tensor, valueInfo } = onnx;
const f = (name: string, ...shape: onnx.Dim[]) => valueInfo(name, 'float32', shape);
const list = (name: string, ...values: number[]) => int64Tensor(name, [values.length], values);
const scalar = (name: string, value: number) => int64Tensor(name, [], [value]);

/** Values that are neither equal nor round. */
export const weights = (name: string, ...dims: number[]) => {
  const size = product(dims);
  return floatTensor(
    name,
    dims,
    Array.from({ length: size }, (_, i) => ((i * 7) % 11) / 11 - 0.43),
  );
};

export const image: { readonly [name: string]: ModelInput } = {
  x: { data: Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)), shape: [1, 4, 8, 8] },
};
export const vector: { readonly [name: string]: ModelInput } = { x: { data: Float32Array.of(1, 2, 3, 4), shape: [4] } };

type Row = readonly [
  name: string,
  op: string,
  inputs: readonly string[],
  attributes: { readonly [name: string]: onnx.AttributeValue },
  initializers: ReturnType<typeof weights>[],
  code: ConvletErrorCode,
  message: RegExp,
  opset?: number,
  outputs?: readonly string[],
];

/** One node 'n' that reads x. */
function single(
  rows: readonly Row[],
  shape: readonly number[],
  given: { readonly [name: string]: ModelInput },
): BadModel[] {
  return rows.map(([name, op, inputs, attributes, initializers, code, message, opset = 17, outputs = ['y']]) => ({
    name: `${op}: ${name}`,
    bytes: () =>
      onnx.model(
        {
          nodes: [{ op, name: 'n', inputs, outputs, attributes }],
          initializers,
          inputs: [f('x', ...shape)],
          outputs: outputs.map((output) => valueInfo(output, 'float32', [])),
        },
        opset,
      ),
    inputs: given,
    code,
    // ONNX's name of the operator while importing, ours afterwards.
    message: new RegExp(`^node 'n' \\(${op}\\): .*${message.source}`, 'i'),
  }));
}

const kernel = weights('w', 4, 4, 3, 3);
const xw = ['x', 'w'];

const images: Row[] = [
  [
    'stride 0',
    'Conv',
    xw,
    { strides: [0, 1] },
    [kernel],
    'argument',
    /stride expects 2 whole numbers ≥ 1, got \[0,1\]/,
  ],
  ['a negative stride', 'Conv', xw, { strides: [-1, 1] }, [kernel], 'argument', /stride expects .* got \[-1,1\]/],
  ['a huge stride', 'Conv', xw, { strides: [1e15, 1] }, [kernel], 'argument', /stride expects .* ≤ 536870912, got/],
  [
    'a huge dilation of one tap',
    'Conv',
    xw,
    { dilations: [2 ** 40, 1] },
    [weights('w', 4, 4, 1, 1)],
    'argument',
    /dilation expects/,
  ],
  ['groups that do not divide', 'Conv', xw, { group: 3 }, [kernel], 'shape', /weight expects 12 input channels/],
  ['no groups', 'Conv', xw, { group: 0 }, [kernel], 'argument', /groups expects .* got \[0\]/],
  ['another kernel_shape', 'Conv', xw, { kernel_shape: [5, 5] }, [kernel], 'shape', /kernel_shape \[5,5\]/],
  [
    'too much padding',
    'Conv',
    xw,
    { pads: [20000, 20000, 20000, 20000] },
    [kernel],
    'memory',
    /output \[1,4,40006,40006\] expects at most \d+ bytes/,
  ],
  [
    'padding that cannot be counted',
    'Conv',
    xw,
    { pads: [2 ** 52, 0, 2 ** 52, 0] },
    [kernel],
    'argument',
    /padBegin expects/,
  ],
  [
    'a bias of another length',
    'Conv',
    ['x', 'w', 'b'],
    {},
    [kernel, weights('b', 5)],
    'shape',
    /bias expects shape \[4\], got \[5\]/,
  ],
  ['a weight of another rank', 'Conv', xw, {}, [weights('w', 4, 4, 3)], 'shape', /spatial axes/],
  [
    'an integer weight',
    'Conv',
    xw,
    {},
    [int64Tensor('w', [1, 4, 1, 1], [1, 2, 3, 4])],
    'dtype',
    /weight expects float32 like x, got int64/,
  ],
  ['no weight', 'Conv', ['x'], {}, [], 'malformed', /input 1 is required/],
  ['an empty weight', 'Conv', xw, {}, [weights('w', 0, 4, 3, 3)], 'shape', /no empty axis/],
  ['a huge stride', 'ConvTranspose', xw, { strides: [1e5, 1e5] }, [kernel], 'memory', /expects at most/],
  [
    'output_padding',
    'ConvTranspose',
    xw,
    { output_padding: [9, 0] },
    [kernel],
    'argument',
    /outputPadding of axis H expects less/,
  ],
  ['no kernel', 'MaxPool', ['x'], {}, [], 'malformed', /attribute kernel_shape is missing/],
  ['an empty kernel', 'AveragePool', ['x'], { kernel_shape: [0, 1] }, [], 'argument', /kernel expects/],
  [
    'more cells than can be counted',
    'AveragePool',
    ['x'],
    { kernel_shape: [1e6, 1e6], pads: [999999, 999999, 999999, 999999] },
    [],
    'argument',
    /kernel expects at most/,
  ],
  [
    'parameters of another length',
    'BatchNormalization',
    ['x', 's', 's', 's', 's'],
    {},
    [weights('s', 3)],
    'shape',
    /weight expects shape \[4\], got \[3\]/,
  ],
  [
    'groups that do not divide',
    'GroupNormalization',
    ['x', 's', 's'],
    { num_groups: 3 },
    [weights('s', 3)],
    'argument',
    /num_groups expects a divisor of 4/,
    18,
  ],
  ['an axis out of range', 'Softmax', ['x'], { axis: 7 }, [], 'argument', /axis expects a whole number in -4…3, got 7/],
  ['one axis twice', 'Transpose', ['x'], { perm: [0, 0, 1, 2] }, [], 'malformed', /name one axis twice/],
  ['a block that does not divide', 'DepthToSpace', ['x'], { blocksize: 3 }, [], 'shape', /./],
  ['block 0', 'DepthToSpace', ['x'], { blocksize: 0 }, [], 'argument', /blockSize/],
  [
    'an index out of range',
    'Gather',
    ['x', 'i'],
    { axis: 1 },
    [list('i', 4)],
    'index-range',
    /index 4 on axis 1 lies outside -4…3/,
  ],
  [
    'huge sizes',
    'Resize',
    ['x', '', '', 's'],
    {},
    [list('s', 1, 4, 2 ** 31 - 1, 2)],
    'unsupported',
    /axis 2 expects at most 1048576 cells/,
  ],
  ['a scale of NaN', 'Resize', ['x', '', 's'], {}, [floatTensor('s', [4], [1, 1, Number.NaN, 2])], 'shape', /scales/],
  [
    'a scale of almost nothing',
    'Resize',
    ['x', '', 's'],
    { mode: 'cubic', antialias: 1 },
    [floatTensor('s', [4], [1, 1, 1e-30, 1])],
    'argument',
    /expects/,
    18,
  ],
  ['inner sizes', 'MatMul', xw, {}, [weights('w', 3, 3)], 'shape', /rows as a has columns/],
  [
    'a term of another rank',
    'Einsum',
    ['x', 'x'],
    { equation: 'ij,jk->ik' },
    [],
    'shape',
    /does not fit an input of rank 4/,
  ],
  [
    'a batch out of range',
    'RoiAlign',
    ['x', 'r', 'b'],
    {},
    [weights('r', 1, 4), list('b', 5)],
    'index-range',
    /batchIndices\[0\]/,
  ],
].map((row) => row as unknown as Row);

const vectors: Row[] = [
  ['a terabyte', 'ConstantOfShape', ['s'], {}, [list('s', 2 ** 20, 2 ** 20)], 'memory', /got 4398046511104/],
  ['a negative size', 'ConstantOfShape', ['s'], {}, [list('s', -1)], 'shape', /≥ 0, got \[-1\]/],
  ['a terabyte', 'Expand', ['x', 's'], {}, [list('s', 2 ** 20, 2 ** 18, 4)], 'memory', /expects at most/],
  ['a terabyte', 'Tile', ['x', 'r'], {}, [list('r', 2 ** 30)], 'memory', /expects at most/],
  [
    'to the end',
    'Range',
    ['a', 'b', 'c'],
    {},
    [scalar('a', 0), scalar('b', 2 ** 31 - 1), scalar('c', 1)],
    'argument',
    /range of 2147483647/,
  ],
  [
    'a terabyte',
    'OneHot',
    ['i', 'd', 'v'],
    {},
    [list('i', 1), scalar('d', 2 ** 31 - 1), floatTensor('v', [2], [0, 1])],
    'memory',
    /expects at most/,
  ],
  ['a terabyte', 'Pad', ['x', 'p'], { mode: 'edge' }, [list('p', 2 ** 30, 0)], 'memory', /expects at most/],
  ['k > n', 'TopK', ['x', 'k'], {}, [list('k', 5)], 'argument', /k expects a whole number in 0…4/, 17, ['y', 'z']],
  [
    'sizes that do not add up',
    'Split',
    ['x', 's'],
    {},
    [list('s', 1, 2)],
    'shape',
    /does not add up to 4/,
    17,
    ['y', 'z'],
  ],
  ['a billion outputs', 'Split', ['x'], { num_outputs: 1e9 }, [], 'malformed', /num_outputs expects 2/, 18, ['y', 'z']],
  ['two times −1', 'Reshape', ['x', 's'], {}, [list('s', -1, -1)], 'shape', /\[-1,-1\] does not hold/],
  [
    'a hundred thousand axes',
    'Reshape',
    ['x', 's'],
    {},
    [list('s', ...new Array<number>(1e5).fill(1), 4)],
    'shape',
    /at most 64 axes/,
  ],
].map((row) => row as unknown as Row);

const graphs: BadModel[] = [
  {
    name: 'two nodes of one output',
    bytes: () =>
      onnx.model({
        nodes: [
          { op: 'Relu', inputs: ['x'], outputs: ['y'] },
          { op: 'Abs', inputs: ['x'], outputs: ['y'] },
        ],
        inputs: [f('x', 4)],
        outputs: [f('y', 4)],
      }),
    code: 'malformed',
    message: /node 'y' \(Abs\) defines 'y', which is already defined/,
    inputs: vector,
  },
  {
    name: 'a cycle',
    bytes: () =>
      onnx.model({
        nodes: [
          { op: 'Add', inputs: ['x', 'b'], outputs: ['a'] },
          { op: 'Relu', inputs: ['a'], outputs: ['b'] },
        ],
        inputs: [f('x', 4)],
        outputs: [f('a', 4)],
      }),
    code: 'malformed',
    message: /depends on its own output/,
    inputs: vector,
  },
  {
    name: 'an initializer that its bytes do not fill',
    bytes: () =>
      onnx.model({
        nodes: [{ op: 'Relu', inputs: ['w'], outputs: ['y'] }],
        initializers: [onnx.rawTensor('w', 1, [2 ** 20, 2 ** 20], new Uint8Array(4))],
        outputs: [f('y')],
      }),
    code: 'malformed',
    message: /initializer 'w' of shape \[1048576,1048576\] .*expects 4398046511104 bytes/,
    inputs: {},
  },
  {
    name: 'functions that call functions a thousand deep',
    bytes: () => calls(1000, 1),
    code: 'unsupported',
    message: /functions call functions more than 100 deep/,
    inputs: vector,
  },
  {
    name: 'functions that call two functions each',
    bytes: () => calls(60, 2),
    code: 'unsupported',
    message: /more than 100000 nodes/,
    inputs: vector,
  },
  {
    name: 'branches in branches',
    bytes: () => branches(400),
    code: 'malformed',
    message: /nested more than 100 deep/,
    inputs: {},
  },
];

/** Function i calls function i + 1 `times` times. */
function calls(count: number, times: number): Uint8Array {
  const functions = Array.from({ length: count }, (_, i) => ({
    name: `f${i}`,
    inputs: ['t0'],
    outputs: [`t${times}`],
    nodes: Array.from({ length: times }, (__, k) => ({
      ...(i === count - 1 ? { op: 'Relu' } : { op: `f${i + 1}`, domain: 'test' }),
      inputs: [`t${k}`],
      outputs: [`t${k + 1}`],
    })),
  }));
  const nodes = [{ op: 'f0', domain: 'test', inputs: ['x'], outputs: ['y'] }];
  return onnx.model({ nodes, inputs: [f('x', 4)], outputs: [f('y', 4)] }, 17, functions);
}

function branches(depth: number): Uint8Array {
  let inner: onnx.GraphSpec = { nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], outputs: [f('y')] };
  for (let i = 0; i < depth; i++) {
    const attributes = { then_branch: { graph: inner }, else_branch: { graph: inner } };
    // Only one branch is deep, or the file would double with each level.
    const flat = { nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], outputs: [f('y')] };
    const both = { ...attributes, else_branch: { graph: flat } };
    inner = { nodes: [{ op: 'If', inputs: ['c'], outputs: ['y'], attributes: both }], outputs: [f('y')] };
  }
  return onnx.model({ ...inner, inputs: [f('x', 4), valueInfo('c', 'bool', [])], outputs: [f('y', 4)] });
}

export const badModels: readonly BadModel[] = [
  ...single(images, [1, 4, 8, 8], image),
  ...single(vectors, [4], vector),
  ...graphs,
];

/** A Loop that its condition never ends, of a·2 each time; `m` is its trip count. `scan`: all states are an output. */
export function endlessLoop(scan: boolean): Uint8Array {
  const nodes: onnx.NodeSpec[] = [
    { op: 'Identity', inputs: ['going'], outputs: ['on'] },
    { op: 'Add', inputs: ['a', 'a'], outputs: ['a2'] },
  ];
  if (scan) nodes.push({ op: 'Identity', inputs: ['a2'], outputs: ['s'] });
  const body = {
    nodes,
    inputs: [valueInfo('i', 'int64', []), valueInfo('going', 'bool', []), f('a')],
    outputs: [valueInfo('on', 'bool', []), f('a2'), ...(scan ? [f('s')] : [])],
  };
  const outputs = scan ? ['y', 'all'] : ['y'];
  return onnx.model({
    nodes: [{ op: 'Loop', name: 'loop', inputs: ['m', '', 'x'], outputs, attributes: { body: { graph: body } } }],
    inputs: [f('x', 4), valueInfo('m', 'int64', [])],
    outputs: outputs.map((name) => f(name)),
  });
}
