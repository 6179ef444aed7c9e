// The background of an extension, without a bundler: a service worker, where import() is forbidden, on the entry `static`.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { load } from '../../src/runtime/node.ts';
import { buildPackage, filesOf, models, root } from '../runtime/package.ts';
import { browsers, present } from './browsers.ts';
// @ts-expect-error plain JavaScript
import { infer } from './pages/probe.mjs';
import { here, installed } from './project.ts';

/** More of puppeteer than other tests use. */
interface Target {
  type(): string;
  worker(): Promise<{ evaluate<T>(program: string): Promise<T> } | null>;
}
interface Puppeteer {
  launch(options: object): Promise<{
    waitForTarget(wanted: (target: Target) => boolean, options: object): Promise<Target>;
    close(): Promise<void>;
  }>;
}

const [chromium] = browsers;
const missing = [
  ...(present(chromium) ? [] : [chromium.binary]),
  ...(installed('puppeteer-core') ? [] : ['puppeteer-core (npm ci --prefix test/everywhere)']),
];
const ci = process.env.CI === 'true';

const manifest = {
  manifest_version: 3,
  name: 'convlet',
  version: '1.0',
  background: { service_worker: 'background.mjs', type: 'module' },
  content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'" },
};

const background = `import * as convlet from './convlet/runtime/static.js';
import { infer } from './probe.mjs';

globalThis.report = infer(convlet, new URL('resnet_tiny.onnx', import.meta.url), { variant: 'simd' }).catch(String);
`;

const skipped = missing.length > 0 && !ci;
test.skipIf(skipped)(`the background of an extension${skipped ? `: needs ${missing.join(' and ')}` : ''}`, async () => {
  if (missing.length > 0) throw new Error(`CI needs ${missing.join(' and ')}`);
  await buildPackage();
  const folder = mkdtempSync(join(tmpdir(), 'convlet-extension-'));
  try {
    const scripts = filesOf(join(root, 'build')).filter((path) => /^(runtime|chunks)\/.*\.js$/.test(path));
    for (const path of scripts) cpSync(join(root, 'build', path), join(folder, 'convlet', path));
    mkdirSync(folder, { recursive: true });
    cpSync(join(here, 'pages/probe.mjs'), join(folder, 'probe.mjs'));
    cpSync(join(models, 'resnet_tiny.onnx'), join(folder, 'resnet_tiny.onnx'));
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'background.mjs'), background);
    const puppeteer = createRequire(join(here, 'package.json'))('puppeteer-core') as Puppeteer;
    const browser = await puppeteer.launch({
      executablePath: chromium.binary,
      headless: true,
      pipe: true,
      enableExtensions: [folder],
      ...chromium.options,
    });
    try {
      const target = await browser.waitForTarget((found) => found.type() === 'service_worker', { timeout: 20_000 });
      const worker = await target.worker();
      const expected = await infer({ load }, join(models, 'resnet_tiny.onnx'), { variant: 'simd' });
      expect(await worker!.evaluate('globalThis.report')).toEqual(expected);
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
