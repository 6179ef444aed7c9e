// examples/browser, built by Vite as its README says, in browsers: a file that is chosen, and the camera.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage, installPackage, root, run } from '../runtime/package.ts';
import { browsers, launchBrowser, present } from './browsers.ts';
import type { Browser } from './chromium.ts';
import { here, installed } from './project.ts';
import { type ModuleServer, serveModules } from './serve-modules.ts';

/** More of puppeteer's pages than other tests use. */
interface Page {
  goto(url: string): Promise<unknown>;
  $(selector: string): Promise<{ uploadFile(path: string): Promise<void>; click(): Promise<void> } | null>;
  waitForFunction(program: string, options: object): Promise<unknown>;
  evaluate<T>(program: string): Promise<T>;
  close(): Promise<void>;
}

const ci = process.env.CI === 'true';
const samples = join(root, 'examples/workerd/samples');
const labels = Object.entries(JSON.parse(readFileSync(join(samples, 'labels.json'), 'utf8')) as Record<string, string>);
const ready = ['vite', 'puppeteer-core'].every(installed);

let folder: string;
let server: ModuleServer;

beforeAll(async () => {
  if (!ready && !ci) return;
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-example-'));
  const { project } = await installPackage(folder);
  for (const name of ['browser', 'workerd'])
    cpSync(join(root, 'examples', name), join(project, name), { recursive: true });
  const vite = join(here, 'node_modules/vite/bin/vite.js');
  const { code, stderr } = await run(process.execPath, [vite, 'build', 'browser', '--base', './'], {
    cwd: project,
    timeout: 100_000,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/error/i) });
  server = await serveModules({ application: join(project, 'browser/dist') });
});

afterAll(async () => {
  await server?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

describe.each(browsers)('$name', (row) => {
  const missing = [...(present(row) ? [] : [row.binary]), ...(ready ? [] : ['npm ci --prefix test/everywhere'])];
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

  const open = async (headers: string): Promise<Page> => {
    const page = (await browser.newPage()) as unknown as Page;
    await page.goto(`${server.url}/${headers}/application/index.html`);
    await page.waitForFunction(`!/loading/.test(document.getElementById('status').textContent)`, { timeout: 20_000 });
    return page;
  };
  const text = (page: Page, id: string) => page.evaluate<string>(`document.getElementById('${id}').innerText`);

  // Threads of a worker: not in a Firefox that is driven, see openAlone of browsers.ts.
  test.each(row.name === 'firefox' ? ['plain'] : ['plain', 'isolated'])('a chosen file, %s', async (headers) => {
    const page = await open(headers);
    try {
      expect(await text(page, 'status')).toMatch(/^ready: \w+ kernels, \d+ threads?$/);
      for (const [name, label] of labels.slice(0, 4)) {
        await page.evaluate(`document.getElementById('answer').replaceChildren()`);
        await (await page.$('#file'))!.uploadFile(join(samples, name));
        await page.waitForFunction(`document.querySelectorAll('#answer tr').length === 5`, { timeout: 20_000 });
        expect((await text(page, 'answer')).split(/\s/)[0], name).toBe(label);
      }
      const threads = Number((await text(page, 'status')).match(/(\d+) thread/)![1]);
      const cores = await page.evaluate<number>('navigator.hardwareConcurrency');
      expect(threads).toBe(headers === 'isolated' ? Math.min(cores, 8) : 1);
      await (await page.$('#file'))!.uploadFile(join(samples, 'labels.json'));
      await page.waitForFunction(`/expected PNG or JPEG/.test(document.getElementById('status').textContent)`, {
        timeout: 20_000,
      });
    } finally {
      await page.close();
    }
  });

  // Chromium has a camera that draws its pictures by itself.
  if (row.name !== 'chromium') return;
  test('the camera', async () => {
    const page = await open('isolated');
    try {
      await (await page.$('#camera'))!.click();
      const seen = new Set<string>();
      for (let i = 0; i < 2; i++) {
        await page.evaluate(`document.getElementById('answer').replaceChildren()`);
        await page.waitForFunction(`document.querySelectorAll('#answer tr').length === 5`, { timeout: 20_000 });
        seen.add(await text(page, 'answer'));
      }
      expect([...seen].join()).toMatch(/circle[\s\d.]+ %/);
    } finally {
      await page.close();
    }
  });
});
