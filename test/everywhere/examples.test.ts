// The examples of Workers and of Next, built and run as their README files say, with the packed package.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage, installPackage, root, run } from '../runtime/package.ts';
import { type Browser, launch, quiet } from './chromium.ts';
import { lackingOf, newer } from './needs.ts';
import { freshProject, here } from './project.ts';
import { startNext, startWorker } from './servers.ts';

let folder: string;
let base: string;

beforeAll(async () => {
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-examples-'));
  base = (await installPackage(folder)).project;
});

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const samples = join(root, 'examples/workerd/samples');
const labels = JSON.parse(readFileSync(join(samples, 'labels.json'), 'utf8')) as Record<string, string>;

/** What a server says of each picture: its status and the label. */
async function ask(url: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(labels)) {
    const body = new Uint8Array(readFileSync(join(samples, name)));
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(30_000) });
    const { top, error } = (await response.json()) as { top?: { label: string }[]; error?: object };
    found[name] = response.status === 200 ? top?.[0].label : { status: response.status, error };
  }
  return found;
}

function project(name: string, packages: readonly string[]): string {
  const at = join(folder, name);
  freshProject(at, base, { packages, sharp: false });
  return at;
}

/** A test, or what it lacks: in CI a failure, elsewhere a reason to skip. */
function example(name: string, missing: readonly string[], body: () => Promise<void>): void {
  if (missing.length > 0 && process.env.CI !== 'true') {
    test.skip(`${name}: needs ${missing.join(' and ')}`, () => {});
    return;
  }
  test(name, async () => {
    if (missing.length > 0) throw new Error(`CI needs ${missing.join(' and ')}`);
    await body();
  });
}

describe('examples', () => {
  example('examples/workerd by plain wrangler', lackingOf({ packages: ['wrangler'], node24: true }), async () => {
    const at = project('workerd', []);
    for (const name of ['worker.ts', 'shapes.onnx', 'wrangler.json'])
      cpSync(join(root, 'examples/workerd', name), join(at, name));
    const wrangler = dirname(createRequire(join(here, 'package.json')).resolve('wrangler/package.json'));
    const args = [join(wrangler, 'bin/wrangler.js'), 'deploy', '--dry-run', '--outdir', join(at, 'dist')];
    const { code, stderr } = await run(newer!, args, { cwd: at, timeout: 320_000, env: { ...process.env, ...quiet } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const server = await startWorker(join(at, 'dist'));
    try {
      expect(await ask(server.url)).toEqual(labels);
    } finally {
      await server.stop();
    }
  });

  const packages = ['next', 'react', 'react-dom'];
  example('examples/next-edge', lackingOf({ packages: [...packages, 'puppeteer-core'], chromium: true }), async () => {
    const at = project('next', packages);
    cpSync(join(root, 'examples/next-edge/app'), join(at, 'app'), { recursive: true });
    mkdirSync(join(at, 'public'));
    cpSync(join(root, 'examples/workerd/shapes.onnx'), join(at, 'public/shapes.onnx'));
    const args = [join(here, 'tools/next.mjs'), at, '-', '{"flags":[]}'];
    const { code, stderr } = await run(process.execPath, args, {
      cwd: at,
      timeout: 320_000,
      env: { ...process.env, ...quiet },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const server = await startNext(at, process.execPath);
    let browser: Browser | undefined;
    try {
      expect(await ask(`${server.url}/api/node`)).toEqual(labels);
      expect(await ask(`${server.url}/api/edge`)).toEqual(labels);
      browser = await launch();
      const page = await browser.newPage();
      await page.goto(server.url);
      const input = await page.waitForSelector('input[type=file]');
      await input.uploadFile(join(samples, 'star1.png'));
      await page.waitForFunction('document.querySelectorAll("li").length === 3', { timeout: 60_000 });
      expect(await page.evaluate('[...document.querySelectorAll("li")].map((li) => li.textContent)')).toEqual([
        expect.stringMatching(/^on the server, Node: star \([\d.]+ %\)$/),
        expect.stringMatching(/^on the server, edge: star \([\d.]+ %\)$/),
        expect.stringMatching(/^in this page: star \([\d.]+ %\)$/),
      ]);
    } finally {
      await browser?.close();
      await server.stop();
    }
  });
});
