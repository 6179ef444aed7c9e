// The package's own files in real browsers, without a bundler: pages, module workers, service workers, under Content Security
// Policies, isolated and not, with threads. The bits are those of Node.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InitOptions } from '../../src/runtime/init.ts';
import type { LoadOptions } from '../../src/runtime/load.ts';
import { buildPackage, models, root, run } from '../runtime/package.ts';
import { slowModel } from '../support/slow-model.ts';
import { browsers, launchBrowser, openAlone, present } from './browsers.ts';
import { type Browser, reportOf } from './chromium.ts';
import { installed } from './project.ts';
import { type ModuleServer, serveModules } from './serve-modules.ts';

/** What is asked for, and what comes: the bits of Node with the options of `references`, or an error. */
interface Expected<Options> {
  readonly options: Options;
  readonly as?: keyof typeof references;
  readonly threads?: number;
  readonly leader?: 'main' | 'worker';
  /** What the message of its ConvletError('environment') has. */
  readonly error?: RegExp;
}

interface Case {
  readonly name: string;
  /** Of serve-modules.ts. */
  readonly headers: string;
  readonly where: 'page' | 'worker' | 'service worker';
  readonly entry?: 'static';
  readonly inference: readonly Expected<LoadOptions>[];
  readonly training?: readonly Expected<InitOptions>[];
}

interface Outcome {
  readonly error?: string;
  readonly message?: string;
  readonly variant?: string;
  readonly threads?: number;
  readonly leader?: string;
  readonly runs?: readonly (readonly string[])[];
}
interface Report {
  readonly inference: Record<string, Record<string, Outcome>>;
  readonly training: Record<string, Outcome>;
  readonly isolated?: boolean;
}

const references = {
  simd: { variant: 'simd' },
  relaxed: { variant: 'relaxed' },
  js: { backend: 'js' },
} as const;
/** The last one has a tail that depends on the data. */
const networks = ['resnet_tiny', 'mobilenet_v2_tiny', 'ssd_nms_tiny'];

const headersText = /cross-origin isolated.*Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy/;
const workerUrl = '../convlet/worker.js';

const cases: readonly Case[] = [
  {
    name: 'a page',
    headers: 'plain',
    where: 'page',
    inference: [
      { options: { variant: 'simd' }, as: 'simd' },
      { options: { variant: 'relaxed' }, as: 'relaxed' },
      { options: { backend: 'js' }, as: 'js' },
      { options: { variant: 'simd', threads: 'auto' }, as: 'simd', threads: 1, leader: 'main' },
      { options: { threads: 2 }, error: headersText },
      { options: { leader: 'worker' }, error: headersText },
    ],
    training: [
      { options: { variant: 'simd' }, as: 'simd' },
      { options: { variant: 'relaxed' }, as: 'relaxed' },
      { options: { variant: 'simd', threads: 'auto' }, as: 'simd' },
      { options: { threads: 2 }, error: headersText },
    ],
  },
  {
    name: 'a module worker',
    headers: 'plain',
    where: 'worker',
    inference: [
      { options: { variant: 'simd' }, as: 'simd' },
      { options: { threads: 2 }, error: headersText },
    ],
    training: [{ options: { variant: 'simd' }, as: 'simd' }],
  },
  {
    name: 'a service worker',
    headers: 'plain',
    where: 'service worker',
    inference: [{ options: {}, error: /convlet\/static/ }],
  },
  {
    name: 'a service worker, the static entry',
    headers: 'plain',
    where: 'service worker',
    entry: 'static',
    inference: [
      { options: { variant: 'simd' }, as: 'simd' },
      { options: { variant: 'relaxed', threads: 'auto' }, as: 'relaxed', threads: 1 },
      { options: { threads: 2 }, error: /has no threads/ },
    ],
  },
  {
    name: 'an isolated page',
    headers: 'isolated',
    where: 'page',
    inference: [
      { options: { variant: 'simd', threads: 2 }, as: 'simd', threads: 2, leader: 'worker' },
      { options: { variant: 'relaxed', threads: 3 }, as: 'relaxed', threads: 3, leader: 'worker' },
      { options: { variant: 'simd', leader: 'worker' }, as: 'simd', threads: 1, leader: 'worker' },
      { options: { variant: 'simd' }, as: 'simd', threads: 1, leader: 'main' },
      { options: { threads: 2, leader: 'main' }, error: /leader 'worker'/ },
    ],
    training: [
      { options: { variant: 'simd' }, as: 'simd' },
      { options: { variant: 'simd', threads: 'auto' }, as: 'simd' },
      { options: { threads: 2 }, error: /Web Worker/ },
    ],
  },
  {
    name: 'a module worker of an isolated page',
    headers: 'isolated',
    where: 'worker',
    inference: [
      { options: { variant: 'simd', threads: 2 }, as: 'simd', threads: 2, leader: 'main' },
      { options: { variant: 'relaxed', threads: 2, leader: 'worker' }, as: 'relaxed', threads: 2, leader: 'worker' },
    ],
    training: [{ options: { variant: 'simd', threads: 2 }, as: 'simd' }],
  },
  {
    name: 'a page without worker-src blob:',
    headers: 'isolated-strict',
    where: 'page',
    inference: [
      { options: { threads: 2 }, error: /worker-src blob:.*workerUrl/ },
      { options: { threads: 2, variant: 'simd', workerUrl }, as: 'simd', threads: 2, leader: 'worker' },
      { options: { threads: 2, workerUrl: 'nothing.js' }, error: /'nothing\.js' did not start.*convlet\/worker\.js/ },
      { options: { threads: 2, workerUrl: 'other-version.js' }, error: /another version/ },
      { options: { threads: 2, workerUrl: 'data:text/javascript,' }, error: /data: URL/ },
    ],
    training: [{ options: { variant: 'simd' }, as: 'simd' }],
  },
  {
    name: 'a page with worker-src blob:',
    headers: 'isolated-blob',
    where: 'page',
    inference: [{ options: { threads: 2, variant: 'simd' }, as: 'simd', threads: 2, leader: 'worker' }],
  },
  {
    name: "a page without 'wasm-unsafe-eval'",
    headers: 'no-wasm',
    where: 'page',
    inference: [
      { options: {}, error: /'wasm-unsafe-eval'.*backend: 'js'/ },
      { options: { backend: 'js' }, as: 'js' },
    ],
    training: [{ options: {}, error: /'wasm-unsafe-eval'.*backend: 'js'/ }],
  },
];

const newer = Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : process.env.CONVLET_NODE24;
const hasNewer = newer !== undefined && existsSync(newer);
const ci = process.env.CI === 'true';

let folder: string;
let server: ModuleServer;
let node: Report;

beforeAll(async () => {
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-browsers-'));
  writeFileSync(join(folder, 'slow.onnx'), slowModel());
  server = await serveModules({ slow: folder });
  const entries = ['build/runtime/node.js', 'build/runtime/node-train.js'].map((path) => join(root, path));
  const files = Object.fromEntries(networks.map((name) => [name, join(models, `${name}.onnx`)]));
  const request = JSON.stringify({ networks: files, options: references, training: references });
  const program = join(root, 'test/everywhere/pages/node.mjs');
  const binary = hasNewer ? newer : process.execPath;
  const { code, stdout, stderr } = await run(binary, [program, ...entries, request]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  node = JSON.parse(stdout);
});

afterAll(async () => {
  await server?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const named = (rows: readonly Expected<object>[] = []): Record<string, object> =>
  Object.fromEntries(rows.map(({ options }) => [JSON.stringify(options), options]));

function checkOutcome(outcome: Outcome, expected: Expected<object>, reference: Outcome | undefined): void {
  if (expected.error !== undefined) {
    expect(outcome).toEqual({ error: 'environment', message: expect.stringMatching(expected.error) });
    return;
  }
  expect(outcome.message).toBeUndefined();
  if (expected.threads !== undefined) expect(outcome.threads).toBe(expected.threads);
  if (expected.leader !== undefined) expect(outcome.leader).toBe(expected.leader);
  // A Node that has no relaxed kernels cannot say what their bits are.
  if (expected.as === 'relaxed' && !hasNewer) return;
  const { threads: _, leader: __, ...rest } = outcome;
  const { threads: ___, leader: ____, ...wanted } = reference!;
  expect(rest).toEqual(wanted);
}

describe.each(browsers)('$name', (row) => {
  const missing = [
    ...(present(row) ? [] : [`${row.binary}, or CONVLET_${row.name.toUpperCase()}`]),
    ...(installed('puppeteer-core') ? [] : ['puppeteer-core (npm ci --prefix test/everywhere)']),
    ...(ci && !hasNewer ? ['CONVLET_NODE24'] : []),
  ];
  if (missing.length > 0 && !ci) {
    test.skip(`needs ${missing.join(' and ')}`, () => {});
    return;
  }

  let browser: Browser;
  beforeAll(async () => {
    if (missing.length > 0) throw new Error(`CI needs ${missing.join(' and ')}`);
    browser = await launchBrowser(row);
  });
  afterAll(() => browser?.close());

  test.each(cases)('$name', async ({ headers, where, entry, inference, training = [] }) => {
    const request = { where, entry, networks, options: named(inference), training: named(training) };
    const query = encodeURIComponent(JSON.stringify(request));
    const address = `${server.url}/${headers}/pages/page.html?${query}`;
    const nested = where === 'worker' && headers === 'isolated';
    const report = (await (nested && row.name === 'firefox'
      ? openAlone(row, `${address}&send`, server.sent())
      : reportOf(browser, address))) as Report;
    expect(report.isolated).toBe(headers.startsWith('isolated'));
    for (const expected of inference) {
      for (const network of networks) {
        const outcome = report.inference[JSON.stringify(expected.options)][network];
        checkOutcome(outcome, expected, node.inference[expected.as ?? 'simd'][network]);
      }
    }
    for (const expected of training)
      checkOutcome(report.training[JSON.stringify(expected.options)], expected, node.training[expected.as ?? 'simd']);
  });

  // With workers a timer fires while the network runs; without, the page is busy until it is through.
  test('an isolated page goes on while its workers run', async () => {
    const alive = [{}, { leader: 'worker' }, { threads: 2 }];
    const query = encodeURIComponent(JSON.stringify({ where: 'alive', model: '../slow/slow.onnx', options: alive }));
    const report = await reportOf(browser, `${server.url}/isolated/pages/page.html?${query}`);
    expect(report).toEqual([false, true, true]);
  });
});
