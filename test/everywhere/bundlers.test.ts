// The packed package in fresh folders, bundled by the tools of rows.ts for the runtimes that they name. The bundles are run, and
// their numbers are those of the unbundled package on Node, bit for bit.
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage, installPackage, run } from '../runtime/package.ts';
import { checkFiles, checkReport, type Report } from './checks.ts';
import { type Browser, launch, quiet } from './chromium.ts';
import { ci, lackingOf, major, newer } from './needs.ts';
import { freshProject, here, installed, writeAssets, writeProgram } from './project.ts';
import { type Row, rows, type Target } from './rows.ts';
import { type Runtime, runOnNode, runs } from './runs.ts';

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
    writeProgram(project);
    references.set(
      sharp,
      // A newer Node has the relaxed kernels besides.
      (await runOnNode(join(project, 'node.mjs'), assets, newer ?? process.execPath)) as Report,
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
  next: '',
};

const pages: ReadonlySet<Target> = new Set(['browser', 'next']);

/** Why a row cannot run here. */
function lacking({ tool, target }: Row, sharp: boolean): string[] {
  const packages = [tool, ...(pages.has(target) ? ['puppeteer-core'] : []), ...(sharp ? ['sharp'] : [])];
  // The numbers of the relaxed build, which rows are compared with, are from a newer Node.
  return lackingOf({ packages, chromium: pages.has(target), node24: true });
}

const nodeOf = ({ node24 }: Row): string => (node24 ? newer! : process.execPath);

async function build(row: Row, project: string): Promise<string> {
  const output = join(project, 'dist');
  const args = [join(here, 'tools', `${row.tool}.mjs`), join(project, entries[row.target]), output];
  const { code, stdout, stderr } = await run(nodeOf(row), [...args, JSON.stringify(row.options)], {
    cwd: project,
    timeout: 320_000,
    env: { ...process.env, ...quiet },
  });
  if (code !== 0 || stderr !== '') throw new Error(`${row.tool}: status ${code}: ${stderr}\n${stdout}`);
  // Next builds in place.
  return row.target === 'next' ? project : output;
}

/** Whether the relaxed build was tried: Node 20 cannot run it, and the edge entry has it only where it is given. */
const hasRelaxed = (runtime: Runtime, row: Row): boolean =>
  runtime === 'node' || runtime === 'edge' ? major >= 24 || (row.target === 'next' && row.node24 === true) : true;

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
        freshProject(project, base, { sharp, packages: row.packages, description: row.description });
        writeProgram(project);
        if (row.target === 'next') cpSync(join(here, 'next'), project, { recursive: true });
        let output = await build(row, project);
        checkFiles(row, output);
        if (!sharp && row.target !== 'next') {
          // Away from the packages: whatever the bundle needs, it has.
          const alone = join(folder, 'alone', slug);
          mkdirSync(join(folder, 'alone'), { recursive: true });
          // Node has to know that it is a module.
          writeFileSync(join(folder, 'alone', 'package.json'), '{ "type": "module" }');
          renameSync(output, alone);
          output = alone;
        }
        browser ??= launch();
        const found = await runs[row.target]({
          row,
          folder: output,
          assets,
          browser: () => (browser ??= launch()),
          node: nodeOf(row),
        });
        for (const { runtime, report } of found) {
          const expected = references.get(sharp && runtime === 'node')!;
          checkReport(runtime, report as Report, expected, hasRelaxed(runtime, row));
          if (row.target === 'node') expect((report as Report).node).toEqual(expected.node);
        }
      });
    }
  }
});
