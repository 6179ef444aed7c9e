// convlet/train in workerd, with finalizers and without: before the compatibility date 2025-05-05 it has none.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildWorker } from '../../examples/workerd/build.ts';
import * as lib from '../../src/runtime/node-train.ts';
// @ts-expect-error plain JavaScript
import { train } from '../everywhere/pages/probe.mjs';
import { buildPackage } from './package.ts';
import { serve } from './workerd/server.ts';

let folder: string;
let config: string;

beforeAll(async () => {
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-workerd-train-'));
  config = await buildWorker(folder, fileURLToPath(new URL('workerd/train.ts', import.meta.url)));
});

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test.each([
  { date: '2025-06-01', finalizers: 'function' },
  { date: '2025-01-01', finalizers: 'undefined' },
])('compatibility date $date: Node’s bits, and memory that does not grow', async ({ date, finalizers }) => {
  const text = readFileSync(config, 'utf8').replace(/compatibilityDate = "[\d-]+"/, `compatibilityDate = "${date}"`);
  expect(text).toContain(date);
  const dated = join(folder, `${date}.capnp`);
  writeFileSync(dated, text);
  const server = await serve(dated);
  try {
    const response = await fetch(server.url, { signal: AbortSignal.timeout(30_000) });
    const report = (await response.json()) as { finalizers: string; trained: unknown; held: number[] };
    expect(report.finalizers).toBe(finalizers);
    expect(report.trained).toEqual(await train(lib, { variant: 'simd' }));
    expect(report.held[1]).toBe(report.held[0]);
    expect(server.errors()).toBe('');
  } finally {
    await server.stop();
  }
});
