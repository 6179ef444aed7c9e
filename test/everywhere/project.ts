// Fresh folders with the packed package in them, and whatever of this folder's own packages a row asks for.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../runtime/package.ts';

/** Of test/everywhere, with its own package.json and lockfile: `npm ci --prefix test/everywhere`. */
export const here: string = fileURLToPath(new URL('.', import.meta.url));
export const installed = (name: string): boolean => existsSync(join(here, 'node_modules', name, 'package.json'));

const example = join(root, 'examples/workerd');
const base64 = (path: string): string => readFileSync(join(example, path)).toString('base64');

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The packages that these need, themselves included, by the lockfile, without `except` and what only that needs. */
function closure(names: readonly string[], except: readonly string[]): string[] {
  const { packages } = JSON.parse(readFileSync(join(here, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const found = new Set<string>();
  const visit = (name: string): void => {
    // Optional ones of other systems are not installed, and nested ones come with the package that they are in.
    if (found.has(name) || except.includes(name) || !installed(name)) return;
    found.add(name);
    const prefix = `node_modules/${name}`;
    for (const [path, locked] of Object.entries(packages)) {
      if (path !== prefix && !path.startsWith(`${prefix}/`)) continue;
      const { dependencies, optionalDependencies, peerDependencies } = locked;
      for (const next of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) visit(next);
    }
  };
  names.forEach(visit);
  return [...found];
}

/** Copies by hard links where the folders are on one disk. */
function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'pipe' });
  } catch {
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
}

/** A folder with what `base` has in its node_modules, and these packages. */
export function freshProject(
  folder: string,
  base: string,
  { packages = [], sharp, description }: { packages?: readonly string[]; sharp: boolean; description?: object },
): void {
  mkdirSync(folder, { recursive: true });
  const application = { name: 'application', private: true, type: 'module', ...description };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(application));
  link(join(base, 'node_modules'), join(folder, 'node_modules'));
  const names = closure([...packages, ...(sharp ? ['sharp'] : [])], sharp ? [] : ['sharp']);
  for (const name of names) link(join(here, 'node_modules', name), join(folder, 'node_modules', name));
}

/** The probe, with what it works on as a module: a bundle has it inside. */
export function writeProgram(folder: string): void {
  cpSync(join(here, 'program'), folder, { recursive: true });
  const pictures = { png: base64('samples/star1.png'), jpeg: base64('samples/cross3.jpg') };
  const text = JSON.stringify({ model: base64('shapes.onnx'), pictures });
  writeFileSync(join(folder, 'files.mjs'), `export const files = ${text};\n`);
}

/** The same as files, for programs that read some. */
export function writeAssets(folder: string): void {
  for (const name of ['star1.png', 'star3.jpg', 'cross1.png', 'cross3.jpg'])
    cpSync(join(example, 'samples', name), join(folder, 'classes', name.replace(/\d.*/, ''), name));
  cpSync(join(example, 'shapes.onnx'), join(folder, 'shapes.onnx'));
}
