import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWorker } from '../../examples/workerd/build.ts';
import { encodePng } from '../../src/io/images/index.ts';
import { buildPackage } from './package.ts';
import { type Server, serve } from './workerd/server.ts';

const example = fileURLToPath(new URL('../../examples/workerd/', import.meta.url));
const samples: Record<string, string> = JSON.parse(readFileSync(`${example}samples/labels.json`, 'utf8'));

let folder: string;
let server: Server;

beforeAll(async () => {
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-workerd-'));
  server = await serve(await buildWorker(folder, fileURLToPath(new URL('workerd/probe.ts', import.meta.url))));
});

afterAll(async () => {
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function post(body: Uint8Array<ArrayBuffer>) {
  const response = await fetch(server.url, { method: 'POST', body, signal: AbortSignal.timeout(20_000) });
  return { status: response.status, answer: await response.json() };
}

const sample = (name: string) => new Uint8Array(readFileSync(`${example}samples/${name}`));

/** 48×40 pixels of grey. */
const wrongSize = () => {
  const image = { data: new Uint8Array(48 * 40 * 3).fill(90), width: 48, height: 40, channels: 3 as const };
  return new Uint8Array(encodePng(image));
};

describe('a Worker in workerd', () => {
  test('compiling WebAssembly from bytes is forbidden there, and there is no Buffer', async () => {
    const response = await fetch(`${server.url}/probe`, { signal: AbortSignal.timeout(20_000) });
    const results = (await response.json()) as Record<string, string>;
    for (const name of ['compile', 'module', 'instantiate']) {
      expect(results[name], name).toMatch(/CompileError: .*Wasm code generation disallowed by embedder/);
    }
    expect(results.Buffer).toBe('undefined');
  });

  test('pictures are encoded and decoded without Buffer', async () => {
    const response = await fetch(`${server.url}/images`, { signal: AbortSignal.timeout(20_000) });
    expect(await response.json()).toEqual([200, 200]);
  });

  test.each(Object.entries(samples))('%s is a %s', async (name, label) => {
    const { status, answer } = await post(sample(name));
    expect(answer).toMatchObject({ label, backend: 'wasm', variant: 'relaxed' });
    expect(status).toBe(200);
    expect(answer.top.map((entry: { label: string }) => entry.label).sort()).toEqual(
      ['circle', 'cross', 'square', 'star', 'triangle'].sort(),
    );
    const sum = answer.top.reduce((total: number, entry: { confidence: number }) => total + entry.confidence, 0);
    expect(sum).toBeCloseTo(1, 5);
    expect(answer.confidence).toBe(Math.max(...answer.top.map((entry: { confidence: number }) => entry.confidence)));
  });

  const [name, label] = Object.entries(samples)[0];
  const bad: [string, string, () => Uint8Array<ArrayBuffer>][] = [
    ['bytes that are no picture', 'unsupported', () => new Uint8Array(200).fill(65)],
    ['an empty body', 'malformed', () => new Uint8Array(0)],
    ['half a picture', 'malformed', () => sample(name).slice(0, 400)],
    ['a picture of another size', 'shape', wrongSize],
  ];
  test.each(bad)('%s: status 400 with code %s, and the next picture is right', async (_, code, body) => {
    const { status, answer } = await post(body());
    expect(answer).toEqual({ error: { code, message: expect.stringMatching(/\S/) } });
    expect(status).toBe(400);
    expect(await post(sample(name))).toMatchObject({ status: 200, answer: { label } });
  });

  test('what is not a POST gets a hint', async () => {
    const response = await fetch(server.url, { signal: AbortSignal.timeout(20_000) });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('the Worker threw nothing that it did not catch, and its parts are small', () => {
    expect(server.errors()).toBe('');
    expect(statSync(join(folder, 'shapes.onnx')).size).toBeLessThan(150_000);
  });
});
