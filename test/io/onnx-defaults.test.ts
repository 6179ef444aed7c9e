// ONNX's schemas (test/fixtures/onnx-schemas.json, written by onnx-schemas.py beside it) against the handlers: an attribute that is
// left out has its default, and operators exist from the version on that brings them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import { product } from '../../src/common/numbers.ts';
import { OnnxProgram } from '../../src/io/onnx/import.ts';
import { type OnnxAttribute, type OnnxModel, type OnnxNode, parseModel } from '../../src/io/onnx/model.ts';
import { findHandler, latestOpset, supportedOperators } from '../../src/io/onnx/ops/index.ts';
import { decodeTensorProto } from '../../src/io/onnx/tensor.ts';
import { Model, type ModelInput } from '../../src/runtime/model.ts';
import { describeShared } from '../shared.ts';
import { jsBackend } from '../support/js-backend.ts';
import type { AttributeValue } from './onnx-builder.ts';
import * as onnx from './onnx-builder.ts';

type Default = readonly [kind: 'INT' | 'FLOAT' | 'STRING' | 'INTS', value: never];
interface Version {
  readonly since: number;
  readonly defaults: { readonly [attribute: string]: Default };
}

const schemas: { readonly [op: string]: readonly Version[] } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../fixtures/onnx-schemas.json', import.meta.url)), 'utf8'),
);

const fields = { INT: 'i', FLOAT: 'f', STRING: 's', INTS: 'ints' } as const;
const attributeOf = ([type, value]: Default): OnnxAttribute =>
  ({ type, [fields[type]]: type === 'FLOAT' ? Math.fround(value) : value }) as unknown as OnnxAttribute;

const versionAt = (op: string, opset: number): Version | undefined =>
  schemas[op]?.filter(({ since }) => since <= opset).at(-1);

/** Outputs as text with every bit, or the code of the refusal. */
async function outcome(model: OnnxModel, inputs: readonly ModelInput[]): Promise<string> {
  try {
    const made = new OnnxProgram(model);
    made.check();
    using loaded = new Model(made, jsBackend());
    const results = await loaded.run(Object.fromEntries(loaded.inputs.map(({ name }, i) => [name, inputs[i]])));
    return JSON.stringify(
      Object.values(results).map(({ dtype, shape, data }) => [
        ...[dtype, shape],
        Array.from(data as ArrayLike<number>, (value) => (Object.is(value, -0) ? '-0' : String(value))),
      ]),
    );
  } catch (error) {
    if (!(error instanceof ConvletError) || error.code === 'internal') throw error;
    return error.code;
  }
}

/** A model of one node with an attribute set, or left out. */
function withAttribute(model: OnnxModel, node: OnnxNode, name: string, attribute: OnnxAttribute | null): OnnxModel {
  const attributes = new Map(node.attributes);
  if (attribute === null) attributes.delete(name);
  else attributes.set(name, attribute);
  return { ...model, graph: { ...model.graph, nodes: [{ ...node, attributes }] } };
}

/** The inputs of one of ONNX's cases; null where one has a type that convlet does not store. */
function readInputs(folder: string): ModelInput[] | null {
  const inputs: ModelInput[] = [];
  try {
    for (let i = 0; existsSync(`${folder}/input_${i}.pb`); i++)
      inputs.push(decodeTensorProto(readFileSync(`${folder}/input_${i}.pb`)));
  } catch (error) {
    if (error instanceof ConvletError && error.code === 'unsupported') return null;
    throw error;
  }
  return inputs;
}

/** What differs between leaving an attribute of the model's one node out and writing its default. */
async function defaultDifferences(model: OnnxModel, inputs: readonly ModelInput[]): Promise<string[]> {
  const [node] = model.graph.nodes;
  const found: string[] = [];
  for (const [name, value] of Object.entries(versionAt(node.opType, model.opsetImports.get('')!)?.defaults ?? {})) {
    const absent = await outcome(withAttribute(model, node, name, null), inputs);
    const written = await outcome(withAttribute(model, node, name, attributeOf(value)), inputs);
    if (absent !== written)
      found.push(`${name}: ${absent.slice(0, 200)} left out, ${written.slice(0, 200)} written out`);
  }
  return found;
}

/** Operators that were experiments from opset 1 on, with the meaning that the schemas gave them later. */
const experimental: readonly string[] = ['MeanVarianceNormalization', 'ThresholdedRelu'];

describe('versions of operators', () => {
  const operators = supportedOperators().filter((op) => schemas[op] !== undefined);

  test('all have a schema', () => expect(operators).toEqual(supportedOperators()));

  test.each(operators)('%s is there from one of its versions on, and not before', (op) => {
    const opsets = Array.from({ length: latestOpset }, (_, i) => i + 1);
    const supported = opsets.filter((opset) => findHandler('', op, opset) !== null);
    const starts = [...schemas[op].map(({ since }) => since), ...(experimental.includes(op) ? [1] : [])];
    expect(starts).toContain(supported[0]);
    // No gaps; it ends where the operator was taken out of the set, if it was.
    expect(supported).toEqual(opsets.slice(supported[0] - 1, supported.at(-1)));
    if (supported.at(-1) !== latestOpset) expect(starts).toContain(supported.at(-1)! + 1);
  });
});

/** One node on x (and y) for operators with defaults: what is not square, not symmetric, and not equal along axes. */
const x4 = { shape: [1, 4, 5, 6] };
const nodes: readonly [
  op: string,
  shapes: readonly (readonly number[])[],
  attributes?: { [name: string]: AttributeValue },
][] = [
  ['Elu', [x4.shape]],
  ['LeakyRelu', [x4.shape]],
  ['HardSigmoid', [x4.shape]],
  ['Selu', [x4.shape]],
  ['Celu', [x4.shape]],
  ['ThresholdedRelu', [x4.shape]],
  ['Softmax', [x4.shape]],
  ['LogSoftmax', [x4.shape]],
  ['Hardmax', [x4.shape]],
  ['Flatten', [x4.shape]],
  ['ArgMax', [x4.shape]],
  ['ArgMin', [x4.shape]],
  ['ReduceSum', [x4.shape]],
  ['ReduceMean', [x4.shape]],
  ['ReduceL2', [x4.shape]],
  ['LpNormalization', [x4.shape]],
  ['MeanVarianceNormalization', [x4.shape]],
  ['LRN', [x4.shape], { size: 3 }],
  ['InstanceNormalization', [x4.shape, [4], [4]]],
  ['LayerNormalization', [x4.shape, [6]]],
  ['BatchNormalization', [x4.shape, [4], [4], [4], [4]]],
  ['Gemm', [[4, 4], [4, 4], [4]]],
  ['Conv', [x4.shape, [4, 4, 1, 1]]],
  ['ConvTranspose', [x4.shape, [4, 4, 1, 1]]],
  ['MaxPool', [x4.shape], { kernel_shape: [2, 2] }],
  ['AveragePool', [x4.shape], { kernel_shape: [2, 2] }],
  ['LpPool', [x4.shape], { kernel_shape: [2, 2] }],
  ['GlobalLpPool', [x4.shape]],
  ['DepthToSpace', [x4.shape], { blocksize: 2 }],
  ['Concat', [x4.shape, x4.shape], { axis: 1 }],
  ['Gelu', [x4.shape]],
  ['Mod', [x4.shape, x4.shape], { fmod: 1 }],
];

describe('attributes left out', () => {
  test.each(nodes)('%s', async (op, shapes, attributes = {}) => {
    let checked = 0;
    for (let opset = 6; opset <= latestOpset; opset++) {
      const version = versionAt(op, opset);
      if (version === undefined || findHandler('', op, opset) === null) continue;
      const names = shapes.map((_, i) => `x${i}`);
      const bytes = onnx.model(
        {
          nodes: [{ op, inputs: names, outputs: ['y'], attributes }],
          inputs: shapes.map((shape, i) => onnx.valueInfo(names[i], 'float32', shape)),
          outputs: [onnx.valueInfo('y', op.startsWith('Arg') ? 'int64' : 'float32', [])],
        },
        opset,
      );
      const inputs = shapes.map((shape, k) => {
        const size = product(shape);
        return {
          data: Float32Array.from({ length: size }, (_, i) => 1.5 * Math.sin(i * 1.7 + k) + (k === 4 ? 2 : 0)),
          shape,
        };
      });
      const model = parseModel(bytes);
      expect(await outcome(model, inputs), `opset ${opset}`).toMatch(/^\[/);
      expect(await defaultDifferences(model, inputs), `opset ${opset}`).toEqual([]);
      checked++;
    }
    expect(checked).toBeGreaterThan(0);
  });

  describeShared("of ONNX's cases", (shared) => {
    test('are what the schemas say', { timeout: 120_000 }, async () => {
      const found: string[] = [];
      for (const name of readdirSync(`${shared}onnx`)) {
        const folder = `${shared}onnx/${name}`;
        if (!existsSync(`${folder}/model.onnx`)) continue;
        const model = parseModel(readFileSync(`${folder}/model.onnx`));
        if (model.graph.nodes.length !== 1 || model.graph.nodes[0].domain !== '') continue;
        const inputs = readInputs(`${folder}/test_data_set_0`);
        if (inputs === null) continue;
        found.push(...(await defaultDifferences(model, inputs)).map((text) => `${name}, ${text}`));
      }
      expect(found).toEqual([]);
    });
  });
});
