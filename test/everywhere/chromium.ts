// Chromium without a window, driven by puppeteer-core of this folder's packages (absent where they are not installed).
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { here } from './project.ts';

/** For the environment of tools: what they would tell their makers, and what they make for development. */
export const quiet = { NEXT_TELEMETRY_DISABLED: '1', WRANGLER_SEND_METRICS: 'false', NODE_ENV: 'production' } as const;

/** The parts of puppeteer that are used here. */
export interface Page {
  goto(url: string): Promise<unknown>;
  waitForSelector(selector: string): Promise<{ uploadFile(path: string): Promise<void> }>;
  waitForFunction(condition: string, options: { timeout: number }): Promise<unknown>;
  evaluate<T>(program: string): Promise<T>;
  on(event: 'pageerror' | 'console', listener: (what: { message?: string; text?(): string }) => void): void;
  close(): Promise<void>;
}
export interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

export const chromium: string = process.env.CONVLET_CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = (): boolean => existsSync(chromium);

export async function launch(): Promise<Browser> {
  const puppeteer = createRequire(join(here, 'package.json'))('puppeteer-core') as {
    launch(options: object): Promise<Browser>;
  };
  // Without its sandbox, which Chromium refuses to the user root.
  return puppeteer.launch({ executablePath: chromium, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
}

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves the files of a folder on a free port. */
export async function serveFolder(folder: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const path = join(folder, normalize(decodeURIComponent(new URL(request.url!, 'http://x').pathname)));
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' });
    response.end(readFileSync(path));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

/** Opens a page and waits for what it promises as `globalThis.report`. */
export async function reportOf(browser: Browser, url: string): Promise<unknown> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error.message)));
  page.on('console', (message) => errors.push(message.text!()));
  try {
    await page.goto(url);
    // Frameworks run a page's program some time after they have shown it.
    await page.waitForFunction('globalThis.report !== undefined', { timeout: 60_000 });
    return await page.evaluate('globalThis.report');
  } catch (cause) {
    throw new Error(`${url}: ${(cause as Error).message}\n${errors.join('\n')}`, { cause });
  } finally {
    await page.close();
  }
}
