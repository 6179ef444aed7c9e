// Files of 1 MB and more are read by pieces: structure by `load`, weights when a plan packs them.
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { product } from '../../src/common/numbers.ts';
import { load } from '../../src/runtime/node.ts';
import { openLazyFile } from '../../src/runtime/node-lazy-file.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f } from '../io/onnx-run.ts';
import { Random } from '../kernels/harness.ts';
import { failureOf } from '../robustness/failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'convlet-lazy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const random = new Random(9);
const values = (dims: readonly number[]): number[] => [...random.floats(product(dims), -0.1, 0.1)];
const weight = (name: string, ...dims: number[]) => onnx.floatTensor(name, dims, values(dims));
/** In float_data, as some writers have them. */
const typed = (name: string, ...dims: number[]) =>
  onnx.message((w) => w.packedInts(1, dims).int(2, 1).packedFloats(4, values(dims)).string(8, name));
/** A wide name moves what follows to another byte modulo 4. */
const conv = (x: string, w: string, y: string, attributes = {}) => ({
  op: 'Conv',
  inputs: [x, w, 'bias'],
  outputs: [y],
  name: y,
  attributes: { pads: [1, 1, 1, 1], ...attributes },
});

/** One layer of each kind whose weights a kernel packs, folds, views or copies: 3.5 MB. */
const bytes = onnx.model({
  initializers: [
    weight('winograd', 256, 256, 3, 3),
    weight('strided.', 256, 256, 3, 3),
    weight('grouped..', 256, 64, 3, 3),
    weight('depthwise', 256, 1, 5, 5),
    weight('transposed..', 256, 16, 3, 3),
    weight('bias', 256),
    weight('scale', 256),
    weight('added', 1, 256, 8, 8),
    typed('linear', 192, 64),
    onnx.int64Tensor(
      'rows',
      [40_000],
      Array.from({ length: 40_000 }, (_, i) => i % 16),
    ),
  ],
  nodes: [
    { op: 'Abs', inputs: ['scale'], outputs: ['positive'] },
    { op: 'Constant', inputs: [], outputs: ['shape'], attributes: { value: onnx.int64Tensor('', [2], [-1, 192]) } },
    conv('x', 'winograd', 'a'),
    {
      op: 'BatchNormalization',
      inputs: ['a', 'scale', 'bias', 'bias', 'positive'],
      outputs: ['b'],
    },
    conv('b', 'grouped..', 'c', { group: 4 }),
    conv('c', 'depthwise', 'd', { group: 256, pads: [2, 2, 2, 2] }),
    { op: 'Add', inputs: ['d', 'added'], outputs: ['e'] },
    conv('e', 'strided.', 'g', { strides: [2, 2] }),
    { op: 'ConvTranspose', inputs: ['g', 'transposed..'], outputs: ['h'] },
    { op: 'Reshape', inputs: ['h', 'shape'], outputs: ['i'] },
    { op: 'MatMul', inputs: ['i', 'linear'], outputs: ['j'] },
    { op: 'Gather', inputs: ['j', 'rows'], outputs: ['k'], attributes: { axis: 1 } },
    { op: 'ReduceSum', inputs: ['k'], outputs: ['y'], attributes: { keepdims: 0 } },
  ],
  inputs: [f('x', 'n', 256, 8, 8)],
  outputs: [f('j', 'rows', 64), f('y')],
});
const image = (n: number) => ({
  x: { data: new Float32Array(n * 16384).map((_, i) => Math.sin(i)), shape: [n, 256, 8, 8] },
});

let files = 0;
function written(content: Uint8Array = bytes): string {
  const path = join(folder, `${files++}.onnx`);
  writeFileSync(path, content);
  return path;
}

/** How many files of `folder` are open; null where the system does not tell. */
function open(): number | null {
  try {
    return readdirSync('/proc/self/fd', { withFileTypes: true }).filter((entry) => {
      try {
        return statSync(`/proc/self/fd/${entry.name}`).size === bytes.length;
      } catch {
        return false;
      }
    }).length;
  } catch {
    return null;
  }
}

describe.each([{ backend: 'js' }, { threads: 1 }, { threads: 2 }, { precision: 'exact' }] as const)('%o', (options) => {
  test('results are those of the bytes, for every shape, and of a file that is gone', async () => {
    using whole = await load(bytes, options);
    const path = written();
    using model = await load(path, options);
    rmSync(path);
    for (const n of [1, 2, 1]) {
      const expected = await whole.run(image(n));
      expect(expected.y.data.every(Number.isFinite)).toBe(true);
      expect(await model.run(image(n))).toEqual(expected);
    }
    expect(model.memory()).toEqual(whole.memory());
  });
});

test('the file is open as long as the model, and no longer than a load that fails', async () => {
  const before = open();
  const model = await load(written());
  if (before !== null) expect(open()).toBe(before + 1);
  model.dispose();
  model.dispose();
  expect(open()).toBe(before);
  expect((await failureOf(() => load(written(bytes.slice(0, -1000))))).code).toBe('malformed');
  const unknown = onnx.model({
    initializers: [weight('w', 600, 600)],
    nodes: [{ op: 'Nonsense', inputs: ['w'], outputs: ['y'] }],
    outputs: [f('y')],
  });
  expect((await failureOf(() => load(written(unknown)))).code).toBe('unsupported');
  const limited = await failureOf(() => load(written(), { maxMemoryBytes: 1e6 }));
  expect(limited.code).toBe('memory');
  expect(open()).toBe(before);
});

test('a file that is cut or written before its weights are read is an error, not wrong weights', async () => {
  for (const change of [
    (path: string) => truncateSync(path, bytes.length - 5),
    (path: string) => {
      writeFileSync(
        path,
        bytes.map((byte) => byte ^ 1),
      );
      utimesSync(path, 1e9, 1e9);
    },
  ]) {
    const path = written();
    using model = await load(path);
    change(path);
    const error = await failureOf(() => model.run(image(1)));
    expect(error.code).toBe('environment');
    expect(error.message).toContain(`cannot read '${path}': it has changed since it was opened`);
  }
});

test('wherever a file is cut, it is what the bytes would be', async () => {
  for (const end of [1 << 20, 1_500_000, 2_400_001, bytes.length - 300, bytes.length - 1]) {
    const part = bytes.slice(0, end);
    const expected = await failureOf(() => load(part));
    const error = await failureOf(() => load(written(part)));
    expect([error.code, error.message]).toEqual([expected.code, expected.message]);
  }
});

test('pieces are read once, in any order, and are those of the file', () => {
  const content = new Uint8Array(3 << 20).map((_, i) => (i * 2654435761) >>> 13);
  const file = openLazyFile(written(content))!;
  const next = new Random(3);
  const at = (n: number) => Math.floor(next.floats(1, 0, n)[0]);
  for (let i = 0; i < 400; i++) {
    const start = at(content.length - 1);
    const end = Math.min(content.length, start + at(i % 2 ? 50 : 50_000));
    if (i % 3 > 0) {
      // It says up to where all is there: no less than was asked for, and no more than is.
      const to = file.need(start, end);
      expect(to).toBeGreaterThanOrEqual(end);
      expect(Buffer.compare(file.bytes.subarray(start, to), content.subarray(start, to))).toBe(0);
    } else {
      const target = new Uint8Array(end - start);
      file.copy(start, target);
      expect(Buffer.compare(target, content.subarray(start, end))).toBe(0);
    }
  }
  file.need(0, content.length);
  file.close();
  expect(Buffer.compare(file.bytes, content)).toBe(0);
  file.need(100, 200);
  const other = openLazyFile(written(content))!;
  other.close();
  expect(() => other.need(0, 1)).toThrow('it was closed');
  expect(openLazyFile(written(content.slice(0, 1000)))).toBeNull();
});
