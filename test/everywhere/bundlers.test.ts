// The packed package in fresh folders, bundled by the tools of rows.ts for the runtimes that they name. The bundles are run, and
// their numbers are those of the unbundled package on Node, bit for bit.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage, filesOf, installPackage, run } from '../runtime/package.ts';
import { type Browser, hasChromium, launch } from './chromium.ts';
import { freshProject, here, installed, writeAssets } from './project.ts';
import { type Row, rows, type Target } from './rows.ts';
import { runOnNode, runs } from './runs.ts';

const ci = process.env.CI === 'true';
const newer = Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : process.env.CONVLET_NODE24;
const hasNewer = newer !== undefined && existsSync(newer);

interface Report {
  readonly images: { readonly sharp: string; readonly found: object };
  readonly inference: Record<string, unknown>;
  readonly training: Record<string, unknown>;
  readonly node?: object;
}

let folder: string;
let base: string;
let assets: string;
let browser: Promise<Browser> | undefined;
/** Unbundled on Node, without sharp and with it. */
const references = new Map<boolean, Report>();

beforeAll(async () => {
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-everywhere-'));
  base = (await installPackage(folder)).project;
  assets = join(folder, 'assets');
  writeAssets(assets);
  for (const sharp of [false, true]) {
    if (sharp && !installed('sharp')) continue;
    const project = join(folder, `node${sharp ? '-sharp' : ''}`);
    freshProject(project, base, { sharp });
    references.set(
      sharp,
      // A newer Node has the relaxed kernels besides.
      (await runOnNode(join(project, 'node.mjs'), assets, hasNewer ? newer : undefined)) as Report,
    );
  }
}, 200_000);

afterAll(async () => {
  await (await browser)?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const entries: Record<Target, string> = {
  node: 'node.mjs',
  browser: 'browser.mjs',
  workerd: 'worker.mjs',
  next: '.',
};

/** Why a row cannot run here. */
function lacking({ tool, target, node24 }: Row, sharp: boolean): string[] {
  const missing: string[] = [];
  for (const name of [tool, ...(target === 'browser' ? ['puppeteer-core'] : []), ...(sharp ? ['sharp'] : [])])
    if (!installed(name)) missing.push(`${name} (npm ci --prefix test/everywhere)`);
  if ((target === 'browser' || target === 'next') && !hasChromium()) missing.push('chromium (CONVLET_CHROMIUM)');
  if ((node24 || ci) && !hasNewer) missing.push('CONVLET_NODE24, the path of its binary');
  return missing;
}

async function build(row: Row, project: string): Promise<string> {
  const output = join(project, 'dist');
  const args = [join(here, 'tools', `${row.tool}.mjs`), join(project, entries[row.target]), output];
  const { code, stdout, stderr } = await run(
    row.node24 ? newer! : process.execPath,
    [...args, JSON.stringify(row.options)],
    {
      cwd: project,
      timeout: 150_000,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
    },
  );
  if (code !== 0 || stderr !== '') throw new Error(`${row.tool}: status ${code}: ${stderr}\n${stdout}`);
  return output;
}

/** What the bundle for a target is to be, whatever made it. */
function checkFiles(row: Row, output: string): void {
  const files = filesOf(output);
  const scripts = files.filter((path) => /\.[mc]?js$/.test(path));
  const texts = scripts.map((path) => readFileSync(join(output, path), 'utf8'));
  const bytes = files.reduce((sum, path) => sum + statSync(join(output, path)).size, 0);
  console.log(`${row.tool}, ${row.target}, ${row.name}: ${files.length} files, ${bytes} bytes`);
  expect(scripts).not.toEqual([]);
  if (row.target !== 'node') {
    expect(bytes).toBeLessThan(1e6);
    // Neither sharp nor the code that looks for it.
    expect(files.filter((path) => /sharp|libvips|\.node$/.test(path))).toEqual([]);
    expect(texts.filter((text) => /libvips|prahs|limitInputPixels/.test(text))).toEqual([]);
  }
}

/** All but the variants that the runtime lacks, which are as Node's. */
function checkReport(row: Row, sharp: boolean, report: Report): void {
  const reference = references.get(row.target === 'node' && sharp)!;
  expect(report.images).toEqual(reference.images);
  const fitting = (of: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(of).filter(([variant]) => variant in report.training));
  expect(Object.keys(report.training)).toEqual(expect.arrayContaining(['simd', 'js']));
  expect(report.training).toEqual(fitting(reference.training));
  expect(report.inference).toMatchObject(fitting(reference.inference));
  expect(report.inference.default).toBe('relaxed' in report.training ? 'relaxed' : 'simd');
  if (row.target === 'node') expect(report.node).toEqual(reference.node);
  // On Node it is this Node's affair.
  else expect('relaxed' in report.training).toBe(true);
}

describe.concurrent('a bundle', () => {
  for (const row of rows) {
    for (const sharp of [false, true]) {
      const name = `${row.tool}, ${row.target}, ${row.name}, ${sharp ? 'with' : 'without'} sharp`;
      const missing = lacking(row, sharp);
      if (missing.length > 0 && !ci) {
        test.skip(`${name}: needs ${missing.join(' and ')}`, () => {});
        continue;
      }
      test(name, async () => {
        if (missing.length > 0) throw new Error(`CI needs ${missing.join(' and ')}`);
        const slug = name.replace(/\W+/g, '-');
        // Some tools call files by the name of the folder.
        const project = join(folder, slug, 'application');
        freshProject(project, base, { sharp, description: row.description });
        let output = await build(row, project);
        checkFiles(row, output);
        if (!sharp) {
          // Away from the packages: whatever the bundle needs, it has.
          const alone = join(folder, 'alone', slug);
          mkdirSync(join(folder, 'alone'), { recursive: true });
          // Node has to know that it is a module.
          writeFileSync(join(folder, 'alone', 'package.json'), '{ "type": "module" }');
          renameSync(output, alone);
          output = alone;
        }
        browser ??= launch();
        const report = await runs[row.target]!({ row, folder: output, assets, browser: () => (browser ??= launch()) });
        checkReport(row, sharp, report as Report);
      });
    }
  }
});
