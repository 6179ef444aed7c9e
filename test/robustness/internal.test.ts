// What should not happen, made to happen: callers get a ConvletError all the same, and the model goes on.
import { expect, test } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import { OnnxProgram } from '../../src/io/onnx/import.ts';
import { parseModel } from '../../src/io/onnx/model.ts';
import { Model } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';
import * as onnx from '../io/onnx-builder.ts';
import { jsBackend } from '../support/js-backend.ts';
import { vector } from './bad-models.ts';

const bytes = onnx.model({
  nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
  inputs: [onnx.valueInfo('x', 'float32', [4])],
  outputs: [onnx.valueInfo('y', 'float32', [4])],
});

test.each([
  [new TypeError('no such thing'), 'internal', /^run: no such thing .*report/],
  [new RangeError('Array buffer allocation failed'), 'memory', /^run: .*no memory left/],
  [new RangeError('Maximum call stack size exceeded'), 'internal', /call stack/],
  ['a string', 'internal', /a string/],
])('%s of a backend', async (thrown, code, message) => {
  const backend = jsBackend();
  const model = new Model(new OnnxProgram(parseModel(bytes)), backend);
  const { session } = backend;
  backend.session = () => {
    throw thrown;
  };
  const failure = expect.objectContaining({ name: 'ConvletError', code, cause: thrown });
  await expect(model.run(vector)).rejects.toEqual(failure);
  const error = await model.run(vector).catch((e: ConvletError) => e);
  expect((error as ConvletError).message).toMatch(message);
  expect(() => model.runSync(vector, { y: new Float32Array(4) })).toThrow(ConvletError);
  backend.session = session;
  expect([...(await model.run(vector)).y.data]).toEqual([1, 2, 3, 4]);
});

test('of a source', async () => {
  const source = new Proxy(new Uint8Array(bytes), {});
  await expect(load(source, { backend: 'js' })).rejects.toBeInstanceOf(ConvletError);
});
