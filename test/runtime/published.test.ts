// What others see of the package: what checkers of packages say, what is public, what CommonJS gets, what a registry shows.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Api } from '../../scripts/api.ts';
import { namesFile, publicNames } from '../../scripts/public-names.ts';
import { absoluteLinks } from '../../scripts/readme.ts';
import * as images from '../../src/io/images/node.ts';
import * as inference from '../../src/runtime/node.ts';
import * as training from '../../src/runtime/node-train.ts';
import { buildPackage, installPackage, models, root, run } from './package.ts';

let folder: string;
let project: string;
let tarball: string;

beforeAll(async () => {
  await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'convlet-published-'));
  const { project: at, packed } = await installPackage(folder);
  [project, tarball] = [at, join(folder, packed.filename)];
}, 150_000);
afterAll(() => folder && rmSync(folder, { recursive: true, force: true }));

const npx = (...args: string[]) => run('npx', ['--no-install', ...args], { cwd: root, timeout: 120_000 });

describe('checkers of packages', () => {
  test('publint --strict', { timeout: 130_000 }, async () => {
    const { code, stdout, stderr } = await npx('publint', '--strict', tarball);
    expect(`${stdout}${stderr}`).toContain('All good!');
    expect(code).toBe(0);
  });

  test('attw --profile esm-only', { timeout: 130_000 }, async () => {
    const { code, stdout } = await npx('attw', tarball, '--profile', 'esm-only', '--no-color', '--format', 'json');
    const { analysis, problems = {} } = JSON.parse(stdout) as { analysis: { types: unknown }; problems?: object };
    // Of the old resolution (node10) and of require under TypeScript, which the profile leaves out.
    expect(Object.keys(problems).sort()).toEqual(['CJSResolvesToESM', 'NoResolution']);
    expect(analysis.types).toBeTruthy();
    expect(code).toBe(0);
  });
});

describe('public names', () => {
  const api = JSON.parse(readFileSync(join(root, 'build/api.json'), 'utf8')) as Api;

  test('are those of the list: `npm run docs` writes it, a change of it is a change of the package', () => {
    expect(publicNames()).toBe(readFileSync(namesFile, 'utf8'));
  });

  test.each([
    ['convlet', inference],
    ['convlet/train', training],
    ['convlet/images', images],
  ] as const)('%s: what is declared as a value is there, and nothing else', (entry, module) => {
    const isValue = (kind: string): boolean => ['function', 'class', 'constant', 'namespace'].includes(kind);
    const declared = api[entry].filter(({ path, kind, signature }) => {
      return /^\w+(\.\w+)?$/.test(path) && isValue(kind) && !(kind === 'class' && signature === '');
    });
    const there = Object.entries(module).flatMap(([name, value]) => {
      const isNamespace = Object.prototype.toString.call(value) === '[object Module]' || name === 'F';
      return [name, ...(isNamespace ? Object.keys(value).map((member) => `${name}.${member}`) : [])];
    });
    const spaces = new Set(there.filter((path) => path.includes('.')).map((path) => path.split('.')[0]));
    const paths = declared
      .map(({ path }) => path)
      .filter((path) => !path.includes('.') || spaces.has(path.split('.')[0]));
    expect(paths.sort()).toEqual(there.sort());
  });
});

const program = `
const { load, ConvletError } = require('convlet');
const { init, variable, data } = require('convlet/train');
const { encodePng, decodeImage } = require('convlet/images');
(async () => {
  const model = await load(process.argv[2]);
  const [{ name, shape }] = model.inputs;
  const dims = shape.map((dim) => dim ?? 4);
  const { output } = await model.run({ [name]: { data: new Float32Array(dims.reduce((a, b) => a * b)), shape: dims } });
  await init();
  const x = variable([3], [1], { requiresGrad: true });
  x.mul(x).backward();
  const picture = await decodeImage(encodePng({ data: new Uint8Array([1, 2, 3]), width: 1, height: 1, channels: 3 }));
  const same = (await import('convlet')).ConvletError === ConvletError;
  console.log(output.shape.length, x.grad.item(), picture.data.join(), typeof data.ImageFolder, same);
})();
`;
const nodes = [process.execPath, ...['22', '24', '26'].map((version) => process.env[`CONVLET_NODE${version}`])];

test.each(nodes.filter((path) => path !== undefined))('require() in %s', async (node) => {
  writeFileSync(join(project, 'program.cjs'), program);
  const { code, stdout, stderr } = await run(node, ['program.cjs', join(models, 'espcn_bicubic.onnx')], {
    cwd: project,
  });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '4 6 1,2,3 function true\n', stderr: '' });
});

describe('README on the page of a registry', () => {
  const own =
    /^https:\/\/(?:github\.com\/convlet\/convlet\/blob|raw\.githubusercontent\.com\/convlet\/convlet)\/main\//;
  const text = absoluteLinks(readFileSync(join(root, 'README.md'), 'utf8'));
  const links = [
    ...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/(!?)\[[^\]]*\]\(([^)\s]+)|(?:href|src)="([^"]+)"/g),
  ];
  const targets = links.map(([, picture, inText, inTag]) => ({ picture: picture === '!', to: inText ?? inTag }));

  test('all links are absolute, and lead to files of the repository', () => {
    expect(targets.length).toBeGreaterThan(5);
    expect(targets.filter(({ to }) => !/^(https:|#)/.test(to))).toEqual([]);
    const files = targets.filter(({ to }) => own.test(to)).map(({ to }) => to.replace(own, '').replace(/#.*/, ''));
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('pictures are files, not pages about them', () => {
    const pictures = targets.filter(({ picture }) => picture);
    expect(pictures.filter(({ to }) => to.includes('github.com/convlet/convlet/blob'))).toEqual([]);
  });

  test('code stays as it is', () => {
    const code = '```ts\nconst a = b[0](c);\n```\n';
    expect(absoluteLinks(`${code}[a](docs/api.md#b) ![p](p.svg) [h](#here)`)).toBe(
      `${code}[a](https://github.com/convlet/convlet/blob/main/docs/api.md#b) ![p](https://raw.githubusercontent.com/convlet/convlet/main/p.svg) [h](#here)`,
    );
  });
});

test('package.json says where the project is', () => {
  const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const field of ['main', 'types', 'repository', 'homepage', 'bugs', 'author', 'license'])
    expect(about[field], field).toBeTruthy();
  const citation = readFileSync(join(root, 'CITATION.cff'), 'utf8');
  expect(citation).toContain(`version: ${about.version}\n`);
  expect(readdirSync(root)).toContain('SECURITY.md');
});
