// The declarations of the packed package under the compilers that people have (test/everywhere/types has them:
// npm ci --prefix test/everywhere/types), checked themselves instead of skipped, without the types of a browser or of Node.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage, installPackage, root, run } from '../runtime/package.ts';

const here = join(root, 'test/everywhere/types');
const compilers = ['5.2', '5.9', '6', '7'];
const resolutions = [
  ['nodenext', 'nodenext'],
  ['node16', 'node16'],
  ['esnext', 'bundler'],
];
const installed = compilers.every((version) => existsSync(join(here, `node_modules/typescript-${version}`)));

test.runIf(process.env.CI)('the compilers are there', () => expect(installed).toBe(true));

describe.skipIf(!installed)('declarations', () => {
  let folder: string;
  let project: string;
  beforeAll(async () => {
    await buildPackage();
    folder = mkdtempSync(join(tmpdir(), 'convlet-types-'));
    ({ project } = await installPackage(folder));
  });
  afterAll(() => folder && rmSync(folder, { recursive: true, force: true }));

  /** What a compiler says of a program; '' where it has nothing to say. */
  async function compile(version: string, program: string, options: object): Promise<string> {
    const own = mkdtempSync(join(project, 'program-'));
    writeFileSync(join(own, 'program.ts'), program);
    writeFileSync(join(own, 'package.json'), '{ "type": "module" }');
    const compilerOptions = {
      ...{ target: 'es2022', lib: ['es2022'], types: [], strict: true, noEmit: true, skipLibCheck: false },
      ...options,
    };
    writeFileSync(join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const tsc = join(here, `node_modules/typescript-${version}/bin/tsc`);
    const { stdout, stderr } = await run(process.execPath, [tsc, '-p', own], { cwd: own, timeout: 100_000 });
    return stdout + stderr;
  }

  describe.each(compilers)('TypeScript %s', (version) => {
    test.each(resolutions)('module %s, moduleResolution %s', async (module, moduleResolution) => {
      const program = readFileSync(join(here, 'program.ts'), 'utf8');
      expect(await compile(version, program, { module, moduleResolution })).toBe('');
    });

    test('mistakes are found: nothing is any', async () => {
      const mistaken = readFileSync(join(here, 'program.ts'), 'utf8')
        .replace("backend: 'wasm'", "backend: 'gpu'")
        .replace('{ size: 224 }', "{ size: '224' }")
        .replace('{ lr: 1e-3,', "{ lr: '1e-3',");
      const said = await compile(version, mistaken, { module: 'nodenext', moduleResolution: 'nodenext' });
      expect(said.match(/TS2322/g)?.length).toBe(3);
    });
  });

  test('what a browser has fits them', async () => {
    const program = readFileSync(join(here, 'program-dom.ts'), 'utf8');
    const options = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'] };
    for (const version of ['5.9', '7']) expect(await compile(version, program, options)).toBe('');
  });
});
