// The browsers that pages are tried in, without a window, driven by puppeteer-core: Chromium by its own protocol, Firefox by WebDriver BiDi.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
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
