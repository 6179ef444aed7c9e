import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/common/dtype.ts';
import { float16ToNumber } from '../../src/common/half.ts';
import { type OnnxTensor, parseModel } from '../../src/io/onnx/model.ts';
import type { ProtoWriter } from '../../src/io/onnx/protobuf-writer.ts';
import { decodeTensor, decodeTensorProto, tensorByteLength } from '../../src/io/onnx/tensor.ts';
import { describeShared } from '../shared.ts';
import { expectError, onlyConvletErrors } from './errors.ts';
import { floatTensor, int64Tensor, message, model, rawTensor } from './onnx-builder.ts';

function proto(dataType: number, dims: readonly number[], write: (writer: ProtoWriter) => void): Uint8Array {
  return message((w) => write(w.packedInts(1, dims).int(2, dataType).string(8, 't'))).finish();
}

function bytesOf(array: { buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(array.buffer);
}

/** The same three values in every storage that TensorProto has for the type. */
describe('external data', () => {
  const file = bytesOf(Float32Array.of(9, 1, 2, 9));
  const tensorOf = (entries: Record<string, string>): OnnxTensor => {
    const tensor = message((w) => {
      w.packedInts(1, [2]).int(2, 1).string(8, 'w').int(14, 1);
      for (const [key, value] of Object.entries(entries))
        w.message(
          13,
          message((e) => e.string(1, key).string(2, value)),
        );
    });
    return parseModel(model({ initializers: [tensor] })).graph.initializers.get('w') as OnnxTensor;
  };
  const decode = (entries: Record<string, string>) => decodeTensor(tensorOf(entries), () => file);

  test('offset and length select, the location is passed on', () => {
    const asked: string[] = [];
    const got = decodeTensor(tensorOf({ location: 'data/w.bin', offset: '4', length: '8' }), (location) => {
      asked.push(location);
      return file;
    });
    expect(got).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
    expect(asked).toEqual(['data/w.bin']);
    expect(decode({ location: 'w', offset: '4' }).data).toEqual(Float32Array.of(1, 2));
    expect(decode({ location: 'w..bin' }).data).toEqual(Float32Array.of(9, 1));
  });

  test.each([
    [{ location: '../w' }, /location '..\/w' leaves the model's directory/],
    [{ location: 'a/../../w' }, /leaves/],
    [{ location: 'a\\..\\w' }, /leaves/],
    [{ location: '/etc/passwd' }, /leaves/],
    [{ location: '\\\\host\\w' }, /leaves/],
    [{ location: 'C:w' }, /leaves/],
    [{ location: 'file:w' }, /leaves/],
    [{ location: 'w\0' }, /leaves/],
    [{}, /no location/],
    [{ location: 'w', offset: '-4' }, /offset expects a natural number, got '-4'/],
    [{ location: 'w', length: '1e9' }, /length expects a natural number/],
    [{ location: 'w', length: '12' }, /'w' of shape \[2\] and type FLOAT expects 8 bytes of external data, got 12/],
    [{ location: 'w', offset: '12' }, /expects bytes 12 to 20 of 'w', which has 16/],
  ] as [Record<string, string>, RegExp][])('%j is malformed', (entries, text) => {
    expectError(() => decode(entries), 'malformed', text);
  });

  test('without a reader the error says which file is missing', () => {
    expectError(
      () => decodeTensor(tensorOf({ location: 'w.bin' })),
      'environment',
      /initializer 'w' is in the file 'w.bin'/,
    );
  });
});

describe('sparse initializers', () => {
  const sparse = (dims: number[], values: ProtoWriter, indices: ProtoWriter): OnnxTensor => {
    const tensor = message((w) => w.message(1, values).message(2, indices).packedInts(3, dims));
    return parseModel(model({ sparseInitializers: [tensor] })).graph.initializers.get('s') as OnnxTensor;
  };
  const values = floatTensor('s', [2], [5, 7]);

  test('linear indices and coordinates', () => {
    const data = Float32Array.of(0, 5, 0, 0, 0, 7);
    expect(decodeTensor(sparse([2, 3], values, int64Tensor('', [2], [1, 5])))).toEqual({
      dtype: 'float32',
      shape: [2, 3],
      data,
    });
    expect(decodeTensor(sparse([2, 3], values, int64Tensor('', [2, 2], [0, 1, 1, 2]))).data).toEqual(data);
    expect(tensorByteLength(sparse([2, 3], values, int64Tensor('', [2], [1, 5])))).toBe(24);
  });

  test.each([
    ['past the end', [2, 3], int64Tensor('', [2], [1, 6]), /index 6 is outside 6 elements/],
    ['negative', [2, 3], int64Tensor('', [2], [-1, 6]), /index -1 is outside/],
    ['out of order', [2, 3], int64Tensor('', [2], [5, 1]), /index 1 .* out of order/],
    ['repeated', [2, 3], int64Tensor('', [2], [1, 1]), /out of order/],
    ['outside an axis', [2, 3], int64Tensor('', [2, 2], [0, 3, 1, 2]), /index 3 is outside axis 1/],
    ['too few', [2, 3], int64Tensor('', [1], [1]), /values of shape \[2\] do not fit indices of shape \[1\]/],
    ['of a wrong rank', [2, 3], int64Tensor('', [2, 1], [1, 2]), /do not fit indices/],
    ['of a wrong type', [6], rawTensor('', 6, [2], new Uint8Array(8)), /indices are not of type INT64/],
  ])('indices %s are malformed', (_name, dims, indices, text) => {
    expectError(() => decodeTensor(sparse(dims, values, indices)), 'malformed', text);
  });

  test('a huge shape is refused before anything is allocated', () => {
    const tensor = sparse([2 ** 20, 2 ** 20], values, int64Tensor('', [2], [1, 5]));
    expectError(() => decodeTensor(tensor), 'unsupported', /takes 4398046511104 bytes, at most 268435456/);
  });
});

describeShared('the test values of ../shared/onnx', (shared) => {
  const cases = readdirSync(`${shared}onnx`).filter((name) => existsSync(`${shared}onnx/${name}/test_data_set_0`));

  test('every seventh case: model and values decode, in the type and shape that the model states', () => {
    let decoded = 0;
    const skipped: string[] = [];
    for (const name of cases.filter((_, index) => index % 7 === 0)) {
      const { graph } = parseModel(readFileSync(`${shared}onnx/${name}/model.onnx`));
      const data = `${shared}onnx/${name}/test_data_set_0`;
      for (const file of readdirSync(data)) {
        const [, side, index] = /^(input|output)_(\d+)\.pb$/.exec(file) as RegExpExecArray;
        const info = (side === 'input' ? graph.inputs : graph.outputs)[Number(index)];
        if (info.kind !== 'tensor' || info.dtype === null) {
          skipped.push(file); // sequences, optionals and element types that convlet does not store
          continue;
        }
        const got = onlyTensor(readFileSync(`${data}/${file}`), `${name}/${file}`);
        if (got === null) {
          skipped.push(file);
          continue;
        }
        expect(got.dtype, `${name}/${file}`).toBe(info.dtype);
        const fits =
          info.shape === null ||
          (info.shape.length === got.shape.length &&
            info.shape.every((dim, axis) => typeof dim !== 'number' || dim === got.shape[axis]));
        expect(fits, `${name}/${file}: [${got.shape}] in [${info.shape}]`).toBe(true);
        decoded++;
      }
    }
    expect(decoded).toBeGreaterThan(400);
    expect(skipped.length).toBeLessThan(decoded / 4);
  });

  /** Null for 64-bit integers beyond 32 bits, which some cases test on purpose. */
  function onlyTensor(bytes: Uint8Array, name: string): { dtype: DType; shape: readonly number[] } | null {
    let got: ReturnType<typeof decodeTensorProto> | null = null;
    onlyConvletErrors(() => {
      try {
        got = decodeTensorProto(bytes);
      } catch (error) {
        expect(String(error), name).toMatch(/does not fit 32 bits/);
        throw error;
      }
    });
    return got;
  }
});

test('half floats of a file agree with the scalar conversion', () => {
  fc.assert(
    fc.property(fc.uint16Array({ minLength: 1, maxLength: 50 }), (halves) => {
      const file = proto(10, [halves.length], (w) =>
        w.bytes(9, new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength)),
      );
      expect([...decodeTensorProto(file).data]).toEqual([...halves].map(float16ToNumber));
    }),
    { numRuns: 200 },
  );
});
