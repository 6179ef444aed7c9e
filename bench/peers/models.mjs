// The models to run: full-size networks (expanded from skeletons) and single ops (written here), each as
// { name, path, input: { name, shape }, expected: { output, every, absMax, values }, macs }.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ProtoWriter } from '../../build/io/onnx/protobuf-writer.js';
import { load } from '../../build/runtime/node.js';
import { opTable } from './op-table.mjs';

const cache = fileURLToPath(new URL('.cache/', import.meta.url));
export const defaultBenchModels = fileURLToPath(new URL('../../../shared/bench-models/', import.meta.url));

export const defaultModels = [
  'mobilenet_v2',
  'mobilenet_v3_small',
  'shufflenet_v2_x1_0',
  'efficientnet_b0',
  'squeezenet1_1',
  'resnet20_cifar',
  'resnet18',
  'resnet50',
  'densenet121',
  'unet_128',
  'unet_bilinear_128',
  'vgg16',
];

/** Uniform in [−1, 1): mulberry32, seed 7, as in expand.mjs and `convlet bench`. */
export function seededInput(shape, seed = 7) {
  let s = seed >>> 0;
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2147483648 - 1;
  });
}

/** Full-size networks of `directory`, by name; written once, then read from the cache. */
export async function expandModels(directory, names) {
  if (!existsSync(join(directory, 'expand.mjs'))) {
    throw new Error(`no expand.mjs in ${directory}; say --bench-models DIR`);
  }
  const { expand } = await import(pathToFileURL(join(directory, 'expand.mjs')).href);
  const known = readdirSync(directory).flatMap((file) => file.match(/^(.*)\.skeleton\.onnx$/)?.[1] ?? []);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`no model ${unknown.join(', ')} in ${directory}; there are ${known.join(', ')}`);
  mkdirSync(cache, { recursive: true });
  return names.map((name) => {
    const path = join(cache, `${name}.onnx`);
    if (!existsSync(path)) writeFileSync(path, expand(readFileSync(join(directory, `${name}.skeleton.onnx`))));
    const { input, macs, ...expected } = JSON.parse(readFileSync(join(directory, `${name}.expected.json`), 'utf8'));
    return { name, path, input: { name: 'input', shape: input }, expected, macs };
  });
}

/** Single ops as models of one node; the expected results are those of convlet's plain JS backend. */
export async function opModels(names) {
  const directory = join(cache, 'ops');
  mkdirSync(directory, { recursive: true });
  const rows = opTable.filter(({ name }) => names.length === 0 || names.includes(name));
  const models = [];
  for (const row of rows) {
    const bytes = opModel(row);
    const key = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
    const base = join(directory, `${row.name.replaceAll(/[^\w.-]+/g, '_')}-${key}`);
    if (!existsSync(`${base}.onnx`)) writeFileSync(`${base}.onnx`, bytes);
    if (!existsSync(`${base}.expected.json`))
      writeFileSync(`${base}.expected.json`, JSON.stringify(await reference(row, bytes)));
    const expected = JSON.parse(readFileSync(`${base}.expected.json`, 'utf8'));
    const { name, macs = 0, input } = row;
    models.push({ name, path: `${base}.onnx`, input: { name: 'input', shape: input }, expected, macs });
  }
  return models;
}

async function reference({ input }, bytes) {
  const model = await load(bytes, { backend: 'js' });
  const outputs = await model.run({ input: { data: seededInput(input), shape: input } });
  model.dispose();
  const { data, shape } = outputs.output;
  const every = Math.max(1, Math.floor(data.length / 1000));
  const absMax = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { output: shape, every, absMax, values: Array.from(data).filter((_, i) => i % every === 0) };
}

/** Field numbers below are those of onnx.proto. */
function opModel({ op, attrs = {}, input, weights = {} }) {
  const node = new ProtoWriter().string(1, 'input');
  for (const name of Object.keys(weights)) node.string(1, name.startsWith('-') ? '' : name);
  node.string(2, 'output').string(4, op);
  for (const [name, value] of Object.entries(attrs)) node.message(5, attribute(name, value));
  const graph = new ProtoWriter().message(1, node).string(2, 'op');
  Object.entries(weights).forEach(([name, { shape, data, bound = 1, centre = 0 }], i) => {
    if (name.startsWith('-')) return;
    const values = data ? Float32Array.from(data) : seededInput(shape, i + 1).map((v) => centre + v * bound);
    const tensor = new ProtoWriter().packedInts(1, shape).int(2, 1).string(8, name);
    graph.message(5, tensor.bytes(9, new Uint8Array(values.buffer)));
  });
  graph.message(11, valueInfo('input', input)).message(12, valueInfo('output', null));
  const opset = new ProtoWriter().string(1, '').int(2, 13);
  return new ProtoWriter().int(1, 8).message(7, graph).message(8, opset).finish();
}

function attribute(name, value) {
  const writer = new ProtoWriter().string(1, name);
  if (typeof value === 'string') return writer.string(4, value).int(20, 3);
  if (Array.isArray(value)) {
    for (const v of value) writer.int(8, v);
    return writer.int(20, 7);
  }
  return Number.isInteger(value) ? writer.int(3, value).int(20, 2) : writer.float(2, value).int(20, 1);
}

function valueInfo(name, shape) {
  const type = new ProtoWriter().int(1, 1);
  if (shape !== null) {
    const dims = new ProtoWriter();
    for (const d of shape) dims.message(1, new ProtoWriter().int(1, d));
    type.message(2, dims);
  }
  return new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, type));
}
