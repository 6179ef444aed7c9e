// What the tests of the built package need.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePackage } from '../../scripts/bundle.ts';

export const root: string = fileURLToPath(new URL('../../', import.meta.url));
export const models: string = join(root, 'test/fixtures/models/');

export const tsc: string = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/**
 * Bundles src/ into build/ if a source is newer, so that no test runs an old package. Files are renamed into place one by
 * one: two test files may do this at once. What is said about types is the affair of `npm run build`.
 */
export async function buildPackage(): Promise<void> {
  const folder = join(root, 'build');
  if (newest(join(root, 'src')) <= modified(join(folder, 'index.js'))) return;
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(join(root, 'node_modules/.convlet-'));
  try {
    await bundlePackage(temporary);
    for (const path of filesOf(temporary)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      renameSync(join(temporary, path), join(folder, path));
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const newest = (folder: string): number => Math.max(...filesOf(folder).map((path) => modified(join(folder, path))));

export function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, which comes within `timeout` ms or by force (code -1). */
export function run(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly timeout?: number;
    readonly input?: string;
    readonly env?: NodeJS.ProcessEnv;
  } = {},
): Promise<Finished> {
  const { cwd = root, timeout = 60_000, input, env = process.env } = options;
  return new Promise((resolve) => {
    const child = execFile(command, args, { cwd, timeout, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr: code === -1 ? `${stderr}${error?.message}` : stderr });
    });
    // A program that reads nothing may be over by now.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

export interface Packed {
  readonly filename: string;
  readonly version: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the built package as npm publishes it, and installs it into an empty project inside `folder`. */
export async function installPackage(folder: string): Promise<{ readonly project: string; readonly packed: Packed }> {
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
  const pack = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  if (pack.code !== 0) throw new Error(`npm pack: ${pack.stderr}`);
  const [packed] = Object.values(JSON.parse(pack.stdout) as Packed[]);
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier'];
  const install = await run('npm', ['install', ...flags, join(folder, packed.filename)], {
    cwd: project,
    timeout: 100_000,
  });
  if (install.code !== 0) throw new Error(`npm install: ${install.stderr}`);
  return { project, packed };
}
