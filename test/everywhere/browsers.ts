// The browsers that pages are tried in, without a window, driven by puppeteer-core: Chromium by its own protocol, Firefox by WebDriver BiDi.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from './chromium.ts';
import { here } from './project.ts';

export interface BrowserRow {
  readonly name: 'chromium' | 'firefox';
  readonly binary: string;
  readonly options: object;
}

export const browsers: readonly BrowserRow[] = [
  {
    name: 'chromium',
    binary: process.env.CONVLET_CHROMIUM ?? '/usr/bin/chromium',
    // Without its sandbox, which Chromium refuses to the user root. The camera is a picture that it draws.
    options: {
      args: ['--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    },
  },
  { name: 'firefox', binary: process.env.CONVLET_FIREFOX ?? '/usr/bin/firefox-esr', options: {} },
];

export const present = ({ binary }: BrowserRow): boolean => existsSync(binary);

export async function launchBrowser({ name, binary, options }: BrowserRow): Promise<Browser> {
  const puppeteer = createRequire(join(here, 'package.json'))('puppeteer-core') as {
    launch(options: object): Promise<Browser>;
  };
  return puppeteer.launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome',
    executablePath: binary,
    headless: true,
    ...options,
  });
}

/**
 * Opens a page in Firefox that nothing drives, and waits for `report`. Under WebDriver BiDi, Firefox 153 now and then stops a worker
 * for good that starts or ends workers of its own, at whatever it does next; without it never.
 */
export async function openAlone({ binary }: BrowserRow, url: string, report: Promise<unknown>): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), 'convlet-firefox-'));
  const child = spawn(binary, ['--headless', '--no-remote', '--profile', profile, url], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const early = ended.then(() => Promise.reject(new Error(`${url}: Firefox ended without a report`)));
    return await Promise.race([report, early]);
  } finally {
    child.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
