// Where models come from (Blob, Response, views), giving up while reading, progress, and files that are something else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import type { LoadProgress } from '../../src/common/source.ts';
import { writeNpy } from '../../src/io/npy.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import type { ModelSource } from '../../src/runtime/load.ts';
import { load } from '../../src/runtime/node.ts';
import { lenet } from '../support/lenet.ts';

const file = lenet();
const x = Float32Array.from({ length: 784 }, (_, i) => Math.sin(i));
let expected: readonly number[];
let server: Server;
let address = '';
let folder = '';

async function failure(act: () => Promise<unknown>): Promise<ConvletError> {
  const error = await act().then(
    () => null,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ConvletError);
  return error as ConvletError;
}

beforeAll(async () => {
  using model = await load(file, { backend: 'js' });
  expected = [...(await model.run({ x })).y.data];
  folder = mkdtempSync(join(tmpdir(), 'convlet-sources-'));
  server = createServer((request, response) => {
    if (request.url === '/plain') response.setHeader('content-length', file.byteLength).end(file);
    else if (request.url === '/gzip') {
      const packed = gzipSync(file);
      response.setHeader('content-encoding', 'gzip').setHeader('content-length', packed.byteLength).end(packed);
    } else if (request.url === '/chunked') {
      response.write(file.subarray(0, 1000));
      response.end(file.subarray(1000));
    } else if (request.url === '/endless') {
      response.setHeader('content-length', 1e9).write(file.subarray(0, 1000)); // and then nothing more
    } else if (request.url === '/broken') {
      response.setHeader('content-length', file.byteLength).write(file.subarray(0, 1000), () => response.destroy());
    } else response.writeHead(404).end('<!DOCTYPE html><html></html>');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const shared = () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(file.byteLength));
  bytes.set(file);
  return bytes.buffer;
};
const inside = () => {
  const around = new Uint8Array(file.byteLength + 7);
  around.set(file, 3);
  return new DataView(around.buffer, 3, file.byteLength);
};

const sources: { readonly name: string; readonly make: () => ModelSource | Promise<ModelSource> }[] = [
  { name: 'Uint8Array', make: () => file },
  { name: 'ArrayBuffer', make: () => file.slice().buffer },
  { name: 'SharedArrayBuffer', make: shared },
  { name: 'Buffer', make: () => Buffer.from(file) },
  { name: 'DataView in the middle of a buffer', make: inside },
  { name: 'Int8Array', make: () => new Int8Array(file.slice().buffer) },
  { name: 'Uint8Array of another realm', make: () => runInNewContext('Uint8Array.from(file)', { file: [...file] }) },
  { name: 'ArrayBuffer of another realm', make: () => runInNewContext('Uint8Array.from(a).buffer', { a: [...file] }) },
  { name: 'Blob', make: () => new Blob([file]) },
  { name: 'File', make: () => new File([file], 'lenet.onnx') },
  { name: 'Response', make: () => fetch(`${address}/plain`) },
  { name: 'Response, compressed', make: () => fetch(`${address}/gzip`) },
  { name: 'Response of bytes', make: () => new Response(file) },
  { name: 'URL', make: () => new URL(`${address}/chunked`) },
  { name: 'address', make: () => `${address}/gzip` },
  { name: 'address of a Blob', make: () => URL.createObjectURL(new Blob([file])) },
];

describe.each(sources)('$name', ({ make }) => {
  test('gives the model, and progress that ends with all of it', async () => {
    const seen: LoadProgress[] = [];
    const source = await make();
    using model = await load(source, { backend: 'js', onProgress: (progress) => seen.push(progress) });
    expect([...(await model.run({ x })).y.data]).toEqual(expected);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.at(-1)).toEqual({ loaded: file.byteLength, total: file.byteLength });
    for (let i = 1; i < seen.length; i++) expect(seen[i].loaded).toBeGreaterThanOrEqual(seen[i - 1].loaded);
  });

  test('is not read beyond maxMemoryBytes', async () => {
    const source = await make();
    const { code } = await failure(() => load(source, { backend: 'js', maxMemoryBytes: 1000 }));
    expect(code).toBe('memory');
  });
});

test('files of a path: progress too, small and large', async () => {
  const small = join(folder, 'small.onnx');
  writeFileSync(small, file);
  const seen: LoadProgress[] = [];
  using _ = await load(small, { backend: 'js', onProgress: (progress) => seen.push(progress) });
  expect(seen).toEqual([{ loaded: file.byteLength, total: file.byteLength }]);
});

describe('signal', () => {
  test('ends a transfer that is under way, with the reason as the cause', async () => {
    const control = new AbortController();
    const reason = new Error('the user left');
    const error = await failure(() =>
      load(`${address}/endless`, {
        backend: 'js',
        signal: control.signal,
        onProgress: () => control.abort(reason),
      }),
    );
    expect(error).toMatchObject({ code: 'aborted', cause: reason });
  });

  test('ends one that waits for bytes', async () => {
    const error = await failure(() =>
      load(`${address}/endless`, { backend: 'js', signal: AbortSignal.timeout(50), maxMemoryBytes: 4e9 }),
    );
    expect(error.code).toBe('aborted');
    expect((error.cause as Error).name).toBe('TimeoutError');
  });

  test.each(sources)('that is aborted already: nothing is read of $name', async ({ make }) => {
    const source = await make();
    const error = await failure(() => load(source, { backend: 'js', signal: AbortSignal.abort() }));
    expect(error.code).toBe('aborted');
  });

  test('after the load does nothing', async () => {
    const control = new AbortController();
    using model = await load(file, { signal: control.signal });
    control.abort();
    expect((await model.run({ x })).y.data.length).toBe(10);
  });

  test('while the kernels are made', async () => {
    const control = new AbortController();
    const loading = load(file, { threads: 2, signal: control.signal });
    await Promise.resolve();
    control.abort();
    expect((await failure(() => loading)).code).toBe('aborted');
  });
});

describe('what is wrong with a source', () => {
  test.each([
    { name: 'a status', make: () => fetch(`${address}/nowhere`), code: 'environment', message: /answered 404/ },
    { name: 'an address', make: () => `${address}/nowhere`, code: 'environment', message: /answered 404/ },
    { name: 'a transfer that breaks off', make: () => `${address}/broken`, code: 'environment', message: /broke off/ },
    {
      name: 'a body that was read',
      make: async () => {
        const response = await fetch(`${address}/plain`);
        await response.arrayBuffer();
        return response;
      },
      code: 'argument',
      message: /body of 'http.*' has been read already/,
    },
    { name: 'a number', make: () => 7, code: 'argument', message: /expects a path, a URL, a Response, a Blob/ },
    { name: 'null', make: () => null, code: 'argument', message: /got null/ },
    { name: 'numbers', make: () => [...file], code: 'argument', message: /got Array/ },
  ])('$name', async ({ make, code, message }) => {
    const source = (await make()) as ModelSource;
    const error = await failure(() => load(source, { backend: 'js' }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test('what onProgress throws is said to be its own', async () => {
    const onProgress = () => {
      throw new Error('no such element');
    };
    const error = await failure(() => load(file, { backend: 'js', onProgress }));
    expect(error).toMatchObject({ code: 'argument', message: 'load: onProgress threw: no such element' });
  });
});

const text = (value: string) => new TextEncoder().encode(value);
const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : part)));
const weights = writeSafetensors([['w', { dtype: 'float32', shape: [1], data: new Float32Array(1) }]]);

/** Files that people give in place of a model. */
const foreign = [
  {
    name: 'a pointer of Git LFS',
    file: text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n'),
    message: /a Git LFS pointer.*git lfs pull/,
  },
  { name: 'a page', file: text('\n\n<!DOCTYPE html>\n<html><body>Sign in</body></html>'), message: /an HTML page/ },
  { name: 'a page with a mark', file: bytes([0xef, 0xbb, 0xbf], '<HTML lang="en">'), message: /an HTML page/ },
  { name: 'XML', file: text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), message: /an XML doc/ },
  { name: 'JSON', file: text('{"error":"Repository not found"}'), message: /a JSON document/ },
  { name: 'JSON with spaces', file: text('{\n  "name": "app"\n}'), message: /a JSON document/ },
  { name: 'nothing', file: new Uint8Array(0), message: /an empty file/ },
  { name: 'TensorFlow Lite', file: bytes([28, 0, 0, 0], 'TFL3', [0, 0, 0, 0]), message: /a TensorFlow Lite model/ },
  { name: 'PyTorch', file: bytes('PK', [3, 4, 0, 0, 8, 8]), message: /a ZIP archive.*torch\.onnx\.export/ },
  { name: 'an old PyTorch', file: bytes([0x80, 2, 0x8a, 10, 0x6c]), message: /a Python pickle/ },
  { name: 'Keras', file: bytes([0x89], 'HDF\r\n', [0x1a, 10]), message: /an HDF5 file/ },
  { name: 'safetensors', file: weights, message: /a safetensors file.*loadStateDict/ },
  { name: 'gzip', file: new Uint8Array(gzipSync(file)), message: /gzip data.*decompress/ },
  { name: 'npy', file: writeNpy({ dtype: 'float32', shape: [2], data: new Float32Array(2) }), message: /a \.npy file/ },
];

describe.each(foreign)('$name in place of a model', ({ file: given, message }) => {
  test('is called that', async () => {
    const error = await failure(() => load(given, { backend: 'js' }));
    expect(error.code).toBe('malformed');
    expect(error.message).toMatch(message);
  });

  test('from a large file, too, of which only pieces are read', async () => {
    const path = join(folder, 'large.onnx');
    const large = new Uint8Array(3 << 20).fill(32);
    large.set(given);
    writeFileSync(path, given.byteLength === 0 ? given : large);
    expect((await failure(() => load(path, { backend: 'js' }))).message).toMatch(message);
  });
});

test('weights that are something else are called that', () => {
  expect(() => readSafetensors(text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'))).toThrow(
    /safetensors: expected a safetensors file, got a Git LFS pointer/,
  );
  expect(() => readSafetensors(bytes('PK', [3, 4, 0, 0, 0, 0, 0, 0, 0]))).toThrow(/got a ZIP archive/);
});

test('a damaged model is no other file', async () => {
  const damaged = file.slice(0, file.byteLength - 10);
  expect((await failure(() => load(damaged, { backend: 'js' }))).message).not.toMatch(/expected an ONNX model/);
});
