import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { product } from '../../src/common/numbers.ts';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxTensor } from '../../src/io/onnx/model.ts';
import { parseModel } from '../../src/io/onnx/model.ts';
import { ProtoReader } from '../../src/io/onnx/protobuf.ts';
import { ProtoWriter } from '../../src/io/onnx/protobuf-writer.ts';
import { decodeTensor } from '../../src/io/onnx/tensor.ts';
import { describeShared } from '../shared.ts';
import { expectError, misaligned, onlyConvletErrors } from './errors.ts';
import { floatTensor, graph, int64Tensor, message, model, valueInfo } from './onnx-builder.ts';

function readerOf(bytes: Uint8Array): ProtoReader {
  return new ProtoReader({ bytes, start: 0, end: bytes.length }, 'Test');
}

const small = model({
  nodes: [
    {
      op: 'Conv',
      name: 'conv1',
      inputs: ['x', 'w', ''],
      outputs: ['c'],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: 1, auto_pad: 'NOTSET' },
    },
    { op: 'LeakyRelu', inputs: ['c'], outputs: ['r'], attributes: { alpha: { float: 0.25 } } },
    { op: 'Constant', inputs: [], outputs: ['k'], attributes: { value: int64Tensor('', [2], [-1, 4]) } },
    { op: 'Reshape', inputs: ['r', 'k'], outputs: ['y'], domain: 'ai.onnx' },
  ],
  initializers: [
    floatTensor(
      'w',
      [2, 1, 3, 3],
      Array.from({ length: 18 }, (_, i) => i / 4),
    ),
  ],
  inputs: [valueInfo('x', 'float32', ['N', 1, null, 8])],
  outputs: [valueInfo('y', 'float32', [-1, 4])],
});

/** Decodes all that a model holds, as loading does. */
function visitTensors(parsed: OnnxModel, visit: (tensor: OnnxTensor) => void): void {
  const visitAttribute = (attribute: OnnxAttribute): void => {
    if (attribute.type === 'TENSOR') visit(attribute.t);
    if (attribute.type === 'TENSORS') attribute.tensors.forEach(visit);
    if (attribute.type === 'SPARSE_TENSOR') visit(attribute.sparseTensor);
    if (attribute.type === 'GRAPH') visitGraph(attribute.g);
    if (attribute.type === 'GRAPHS') attribute.graphs.forEach(visitGraph);
  };
  const visitGraph = (part: OnnxGraph): void => {
    for (const tensor of part.initializers.values()) visit(tensor);
    for (const item of part.nodes) for (const attribute of item.attributes.values()) visitAttribute(attribute);
  };
  visitGraph(parsed.graph);
}

function parseAll(bytes: Uint8Array): OnnxModel {
  const parsed = parseModel(bytes);
  visitTensors(parsed, (tensor) => decodeTensor(tensor));
  return parsed;
}

describe('wire format', () => {
  test('int64 varints: writer and reader agree, numbers beyond 2^53-1 saturate and stay exact in the words', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const reader = readerOf(new ProtoWriter().int(3, value).finish());
        expect(reader.next()).toBe(true);
        const got = reader.int64();
        expect((BigInt(reader.high) << 32n) | BigInt(reader.low)).toBe(value);
        const limit = BigInt(Number.MAX_SAFE_INTEGER);
        expect(BigInt(got)).toBe(value > limit ? limit : value < -limit ? -limit : value);
        expect(reader.next()).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('every kind of field comes back, packed or not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.maxSafeInteger()),
        fc.array(fc.float()),
        fc.string({ unit: 'binary' }),
        fc.uint8Array({ maxLength: 1000 }),
        fc.double(),
        (ints, floats, text, bytes, double) => {
          const writer = new ProtoWriter().packedInts(1, ints).packedFloats(2, floats);
          for (const int of ints) writer.int(1, int);
          for (const float of floats) writer.float(2, float);
          writer.string(3, text).bytes(4, bytes).double(5, double);
          writer.message(6, new ProtoWriter().string(1, text).bytes(2, bytes)).int(99, 7);
          expect(writer.length).toBe(writer.finish().length);

          const got = { ints: [] as number[], floats: [] as number[], text: '', bytes: [0], double: 0, inner: '' };
          readerOf(misaligned(writer.finish())).read(
            {
              1: (reader) => reader.int64s(got.ints),
              2: (reader) => reader.floats(got.floats),
              3: (reader) => (got.text = reader.string()),
              4: (reader) => (got.bytes = [...reader.view()]),
              5: (reader) => (got.double = reader.double()),
              6: (reader) => reader.child('Inner').read({ 1: (inner) => (got.inner = inner.string()) }, null),
            },
            null,
          );
          expect(got).toEqual({
            ints: [...ints, ...ints],
            floats: [...floats, ...floats],
            text,
            bytes: [...bytes],
            double,
            inner: text,
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  test('byte fields are views of the file', () => {
    const file = new ProtoWriter().bytes(1, new Uint8Array(300)).finish();
    const reader = readerOf(file);
    reader.next();
    expect(reader.view().buffer).toBe(file.buffer);
  });

  const bad: [name: string, bytes: number[], message: RegExp][] = [
    ['truncated tag', [0x80], /truncated varint at byte 0/],
    ['truncated varint', [0x08, 0xff, 0xff], /field 1: truncated varint at byte 1/],
    ['varint of 11 bytes', [0x08, ...Array(10).fill(0x80), 0], /varint of more than 10 bytes at byte 1/],
    ['varint of 65 bits', [0x08, ...Array(9).fill(0xff), 2], /varint of more than 64 bits at byte 1/],
    ['field 0', [0x00, 0x00], /field number 0 at byte 0/],
    ['tag of 33 bits', [0x88, 0x80, 0x80, 0x80, 0x10, 0], /tag of more than 32 bits at byte 0/],
    ['length past the end', [0x0a, 0x05, 1, 2], /truncated: 5 bytes expected, 2 left at byte 2/],
    ['length of 2^62', [0x0a, ...Array(8).fill(0x80), 0x40], /truncated: \d+ bytes expected, 0 left at byte 10/],
    ['negative length', [0x0a, ...Array(9).fill(0xff), 1], /negative length at byte 1/],
    ['short fixed32', [0x0d, 1, 2, 3], /truncated: 4 bytes expected, 3 left/],
    ['short fixed64', [0x09, 1, 2, 3], /truncated: 8 bytes expected, 3 left/],
    ['group', [0x0b, 0x0c], /unsupported wire type group start/],
    ['wire type 7', [0x0f], /unsupported wire type 7/],
  ];
  test.each(bad)('%s is malformed', (_name, bytes, text) => {
    expectError(() => readerOf(Uint8Array.from(bytes)).read({}, null), 'malformed', text);
  });

  test('a wrong wire type is malformed', () => {
    const text = /ModelProto field 1: wire type length-delimited, expected varint at byte 1/;
    expectError(() => parseModel(new ProtoWriter().string(1, '').finish()), 'malformed', text);
  });

  test('a packed value may not reach past its field', () => {
    const file = new ProtoWriter().bytes(1, Uint8Array.of(0x80)).int(2, 1).finish();
    expectError(() => readerOf(file).read({ 1: (r) => r.int64s([]) }, null), 'malformed', /truncated varint at byte 2/);
  });
});

describe('model', () => {
  test.each([
    ['aligned', small],
    ['misaligned', misaligned(small)],
    ['a Node Buffer', Buffer.from(small)],
  ])('all parts come back: %s', (_name, bytes) => {
    const { graph: parsed, ...rest } = parseModel(bytes);
    expect(rest).toMatchObject({ irVersion: 8, producerName: 'convlet-test', functions: [] });
    expect([...rest.opsetImports]).toEqual([['', 17]]);
    expect(parsed.inputs).toEqual([
      { name: 'x', kind: 'tensor', elementType: 1, dtype: 'float32', shape: ['N', 1, null, 8] },
    ]);
    expect(parsed.outputs[0].shape).toEqual([null, 4]);
    expect(parsed.nodes.map(({ opType, domain }) => [opType, domain])).toEqual([
      ['Conv', ''],
      ['LeakyRelu', ''],
      ['Constant', ''],
      ['Reshape', ''],
    ]);
    expect(parsed.nodes[0]).toMatchObject({ name: 'conv1', inputs: ['x', 'w', ''], outputs: ['c'] });
    expect([...parsed.nodes[0].attributes]).toEqual([
      ['kernel_shape', { type: 'INTS', ints: [3, 3] }],
      ['pads', { type: 'INTS', ints: [1, 1, 1, 1] }],
      ['group', { type: 'INT', i: 1 }],
      ['auto_pad', { type: 'STRING', s: 'NOTSET' }],
    ]);
    expect(parsed.nodes[1].attributes.get('alpha')).toEqual({ type: 'FLOAT', f: 0.25 });
    const value = parsed.nodes[2].attributes.get('value') as Extract<OnnxAttribute, { type: 'TENSOR' }>;
    expect(value.t.label).toBe(`attribute 'value' of node 'k' (Constant)`);
    expect(decodeTensor(value.t)).toEqual({ dtype: 'int64', shape: [2], data: Int32Array.of(-1, 4) });
    const weight = decodeTensor(parsed.initializers.get('w') as OnnxTensor);
    expect(weight).toEqual({
      dtype: 'float32',
      shape: [2, 1, 3, 3],
      data: Float32Array.from({ length: 18 }, (_, i) => i / 4),
    });
  });

  test('subgraphs, functions, references, metadata, opsets of other domains', () => {
    const branch = graph({ nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }] });
    const thenBranch = message((w) => w.string(1, 'then_branch').message(6, branch).int(20, 5));
    const reference = message((w) => w.string(1, 'alpha').string(21, 'slope').int(20, 1));
    const body = message((w) => w.string(1, 'a').string(2, 'b').string(4, 'Elu').message(5, reference));
    const steps = message((w) => w.string(1, 'alpha').float(2, 0.5)); // no type: implied
    const definition = message((w) =>
      w.string(1, 'F').string(4, 'a').string(5, 'b').string(6, 'slope').message(7, body),
    );
    definition
      .string(10, 'my')
      .message(
        9,
        message((w) => w.string(1, 'ai.onnx').int(2, 18)),
      )
      .message(11, steps);
    const ifNode = message((w) => w.string(4, 'If').message(5, thenBranch));
    const file = message((w) => {
      w.int(1, 9).message(
        7,
        message((g) => g.message(1, ifNode)),
      );
      w.message(
        8,
        message((o) => o.int(2, 18)),
      ).message(
        8,
        message((o) => o.string(1, 'my').int(2, 1)),
      );
      w.message(
        14,
        message((e) => e.string(1, 'key').string(2, 'välue')),
      ).message(25, definition);
    }).finish();
    const parsed = parseModel(file);
    expect(Object.fromEntries(parsed.opsetImports)).toEqual({ '': 18, my: 1 });
    expect(Object.fromEntries(parsed.metadata)).toEqual({ key: 'välue' });
    const attribute = parsed.graph.nodes[0].attributes.get('then_branch');
    expect(attribute?.type === 'GRAPH' && attribute.g.nodes[0].opType).toBe('Relu');
    const [fn] = parsed.functions;
    expect(fn).toMatchObject({ name: 'F', domain: 'my', inputs: ['a'], outputs: ['b'], attributes: ['slope'] });
    expect(fn.nodes[0].attributes.get('alpha')).toEqual({ type: 'REF', refAttrName: 'slope' });
    expect(fn.attributeDefaults.get('alpha')).toEqual({ type: 'FLOAT', f: 0.5 });
    expect(Object.fromEntries(fn.opsetImports)).toEqual({ '': 18 });
  });

  const w = floatTensor('w', [1], [1]);
  const x = valueInfo('x', 'float32', [1]);
  const bad: [name: string, bytes: Uint8Array, message: RegExp][] = [
    ['an empty file', new Uint8Array(0), /got an empty file/],
    [
      'text',
      new TextEncoder().encode('<!DOCTYPE html><html></html>'),
      /^onnx: expected an ONNX model, got an HTML page/,
    ],
    ['no op_type', model({ nodes: [{ op: '', name: 'n', inputs: [], outputs: [] }] }), /node 'n' has no op_type/],
    ['initializers of one name', model({ initializers: [w, w] }), /second initializer 'w' at byte/],
    ['a nameless initializer', model({ initializers: [floatTensor('', [1], [1])] }), /initializer without a name/],
    ['inputs of one name', model({ inputs: [x, x] }), /two inputs named 'x'/],
    [
      'a negative dimension',
      model({ initializers: [floatTensor('w', [2, -3], [])] }),
      /'w' has a negative dimension -3 in \[2,-3\]/,
    ],
    [
      'too many elements',
      model({ initializers: [floatTensor('w', [2 ** 31, 2 ** 31], [])] }),
      /'w' of shape .* more elements/,
    ],
    ['too many elements times zero', model({ initializers: [floatTensor('w', [0, 2 ** 52, 4], [])] }), /more elements/],
    ['opset 0', model({}, 0), /opset version 0 of domain ''/],
    ['no opset', message((m) => m.int(1, 8).message(7, graph({}))).finish(), /IR version 8 needs an opset_import/],
    ['two graphs', message((m) => m.message(7, graph({})).message(7, graph({}))).finish(), /second graph/],
    [
      'a name that is not UTF-8',
      message((m) => m.bytes(2, Uint8Array.of(0xc3, 0x28))).finish(),
      /not valid UTF-8 at byte 2/,
    ],
  ];
  test.each(bad)('%s is malformed', (_name, bytes, text) => {
    expectError(() => parseModel(bytes), 'malformed', text);
  });

  test.each([
    ['without value', (a: ProtoWriter) => a.string(1, 'a').int(20, 4), /attribute 'a' of type 4 has no value/],
    ['of unknown type', (a: ProtoWriter) => a.string(1, 'a').int(20, 77), /attribute 'a' has type 77/],
    ['of no type', (a: ProtoWriter) => a.string(1, 'a'), /attribute 'a' has type 0/],
    ['without name', (a: ProtoWriter) => a.int(3, 1).int(20, 2), /attribute without a name/],
  ])('an attribute %s is malformed', (_name, write, text) => {
    const item = message((n) => n.string(4, 'Op').message(5, message(write)));
    const file = message((m) =>
      m.message(
        7,
        message((g) => g.message(1, item)),
      ),
    ).finish();
    expectError(() => parseModel(file), 'malformed', text);
  });

  test('anything but bytes is an argument error', () => {
    expectError(() => parseModel('model.onnx' as never), 'argument', /Uint8Array, got string/);
  });

  test('subgraphs nested without end are malformed, not a stack overflow', () => {
    let inner = graph({});
    for (let depth = 0; depth < 5000; depth++) {
      const body = inner;
      const attribute = message((a) => a.string(1, 'body').message(6, body).int(20, 5));
      const item = message((n) => n.string(4, 'Loop').message(5, attribute));
      inner = message((g) => g.message(1, item));
    }
    const file = message((m) => m.message(7, inner)).finish();
    expectError(() => parseModel(file), 'malformed', /nested more than 100 deep/);
  });

  test('truncated at every byte: a ConvletError or a smaller model', () => {
    let failed = 0;
    for (let end = 0; end < small.length; end++) {
      if (!onlyConvletErrors(() => parseAll(small.slice(0, end)))) failed++;
    }
    // Only a cut between the top-level fields leaves a message that can be read.
    expect(failed).toBeGreaterThan(small.length - 5);
  });

  test('any byte replaced by any of eight values: a ConvletError or a model', () => {
    let failed = 0;
    for (let at = 0; at < small.length; at++) {
      for (const value of [0, 1, 0x0a, 0x7f, 0x80, 0xff, small[at] ^ 1, small[at] ^ 0x80]) {
        const bytes = small.slice();
        bytes[at] = value;
        if (!onlyConvletErrors(() => parseAll(bytes))) failed++;
      }
    }
    expect(failed).toBeGreaterThan(small.length);
  });

  test('random bytes changed, removed and put in: a ConvletError or a model', () => {
    const edit = fc.record({
      at: fc.nat(small.length - 1),
      remove: fc.nat(3),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 8 }), (edits) => {
        const bytes = [...small];
        for (const { at, remove, insert } of edits) bytes.splice(at, remove, ...insert);
        onlyConvletErrors(() => parseAll(Uint8Array.from(bytes)));
      }),
      { numRuns: 2000 },
    );
  });

  test('random bytes: a ConvletError or a model', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void onlyConvletErrors(() => parseAll(bytes))),
      { numRuns: 1000 },
    );
  });
});

describeShared('models of ../shared', (shared) => {
  const files = ['models', 'onnx-light', 'bench-models'].flatMap((directory) =>
    readdirSync(`${shared}${directory}`)
      .filter((file) => file.endsWith('.onnx'))
      .map((file) => `${directory}/${file}`),
  );

  test('there are as many as the README says', () => {
    expect(files.filter((file) => file.startsWith('models/'))).toHaveLength(27);
    expect(files.filter((file) => file.startsWith('onnx-light/'))).toHaveLength(9);
  });

  test.each(files)('%s', (file) => {
    const bytes = readFileSync(shared + file);
    const parsed = parseModel(bytes);
    expect(parsed.graph.nodes.length).toBeGreaterThan(0);
    expect(parsed.graph.inputs.length).toBeGreaterThan(0);
    expect(parsed.graph.outputs.length).toBeGreaterThan(0);
    expect(parsed.opsetImports.get('')).toBeGreaterThan(6);
    // Every value that a node reads is a graph input, an initializer or what a node before it wrote.
    const known = new Set([...parsed.graph.inputs.map(({ name }) => name), ...parsed.graph.initializers.keys(), '']);
    const unknown: string[] = [];
    for (const { inputs, outputs } of parsed.graph.nodes) {
      for (const input of inputs) if (!known.has(input)) unknown.push(input);
      for (const output of outputs) known.add(output);
    }
    expect(parsed.graph.outputs.filter(({ name }) => !known.has(name))).toEqual([]);
    if (file.startsWith('bench-models/')) return; // skeletons: expand.mjs adds the weights
    expect(unknown).toEqual([]);
    let decoded = 0;
    visitTensors(parsed, (tensor) => {
      const { shape, data } = decodeTensor(tensor);
      expect(data.length).toBe(product(shape));
      decoded += data.length;
    });
    expect(decoded).toBeGreaterThan(0);
  });
});
