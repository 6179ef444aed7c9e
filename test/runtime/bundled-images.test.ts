// convlet/images and image folders inside the bundles of applications: with sharp, without it, and where there is no Node.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeJpeg, encodePng, type Image } from '../../src/io/images/index.ts';
import { buildPackage, root, run } from './package.ts';

const folder = mkdtempSync(join(tmpdir(), 'convlet-images-'));
beforeAll(() => buildPackage());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const picture: Image = {
  data: Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 7) % 256),
  width: 8,
  height: 8,
  channels: 3,
};
const files = { png: encodePng(picture), jpeg: encodeJpeg(picture, 100) };

const decoding = `import { decodeImage } from 'convlet/images';
const files = ${JSON.stringify(Object.values(files).map((file) => Buffer.from(file).toString('base64')))};
export const decoded = (async () => {
  const images = [];
  for (const file of files) {
    const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
    const { width, height, channels, data } = await decodeImage(bytes);
    images.push({ width, height, channels, first: data[0] });
  }
  return images;
})();
decoded.then((images) => console.log(JSON.stringify(images)));
`;

async function bundle(contents: string, outfile: string, options: BuildOptions): Promise<string> {
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir: root, sourcefile: 'application.js' },
    bundle: true,
    minify: true,
    write: false,
    logLevel: 'silent',
    ...options,
  });
  expect(warnings.filter(({ id }) => id !== 'empty-import-meta')).toEqual([]);
  writeFileSync(join(folder, outfile), outputFiles![0].contents);
  return outputFiles![0].text;
}

/** What a program of the folder prints, as JSON. */
async function print(file: string, ...flags: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await run(process.execPath, [...flags, file], { cwd: folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const size = { width: 8, height: 8, channels: 3 };
const expected = [expect.objectContaining({ ...size, first: 0 }), expect.objectContaining(size)];

/** Puts a package `sharp` beside the programs, or none. */
function sharpIs(source: string | null): void {
  const at = join(folder, 'node_modules/sharp');
  rmSync(at, { recursive: true, force: true });
  if (source === null) return;
  mkdirSync(at, { recursive: true });
  writeFileSync(
    join(at, 'package.json'),
    '{ "name": "sharp", "version": "0.0.0", "type": "module", "main": "index.js" }',
  );
  writeFileSync(join(at, 'index.js'), source);
}

/** Paints everything with 77. */
const paint = `export default () => {
  const pixels = { data: new Uint8Array(8 * 8 * 3).fill(77), info: { width: 8, height: 8, channels: 3 } };
  const chain = { raw: () => chain, toBuffer: async () => pixels };
  return chain;
};`;

describe('convlet/images', () => {
  for (const condition of ['browser', 'workerd', 'edge-light']) {
    test(`condition ${condition}: no sharp, no import left, with DecompressionStream and without`, async () => {
      const text = await bundle(decoding, 'web.mjs', { format: 'esm', conditions: [condition], platform: 'browser' });
      expect(text).not.toMatch(/prahs|import\(|from"node:|require\(/);
      sharpIs(paint);
      expect(await print('web.mjs')).toEqual(expected);
      // Vercel's edge has none, and Next's one that throws when it is made.
      const refusing = 'globalThis.DecompressionStream = class { constructor() { throw new Error(); } };';
      for (const change of ['delete globalThis.DecompressionStream;', refusing]) {
        writeFileSync(join(folder, 'bare.mjs'), `${change}\nawait import('./web.mjs');\n`);
        expect(await print('bare.mjs')).toEqual(expected);
      }
    });
  }

  for (const format of ['esm', 'cjs'] as const) {
    test(`Node, ${format}: the decoder of the application if it has one, else our own`, async () => {
      const file = format === 'esm' ? 'node.mjs' : 'node.cjs';
      const text = await bundle(decoding, file, { format, platform: 'node', conditions: ['node'] });
      // Not as a name that the next bundler or minifier could follow.
      expect(text).not.toMatch(/import\(["'`]sharp|require\(["'`]sharp/);
      sharpIs(null);
      expect(await print(file)).toEqual(expected);
      sharpIs(paint);
      const painted = { ...size, first: 77 };
      expect(await print(file)).toEqual([painted, painted]);
      // What a bundler's alias to nothing gives.
      sharpIs('export default {};');
      expect(await print(file)).toEqual(expected);
    });
  }
});

describe('convlet/train', () => {
  const program = `import { data, init, nn } from 'convlet/train';
(async () => {
  await init({ backend: 'js' });
  const pictures = await data.ImageFolder.open(process.argv[2], { workers: 2 });
  const { input, target } = await pictures.get(1);
  console.log(JSON.stringify({ length: pictures.length, shape: input.shape, target, name: new nn.Linear(2, 3).constructor.name }));
  await pictures.dispose();
})();
`;

  for (const format of ['esm', 'cjs'] as const) {
    test(`${format}: decoding threads without a file beside the bundle, classes with their names`, async () => {
      sharpIs(null);
      for (const [name, bytes] of Object.entries(files)) {
        mkdirSync(join(folder, 'set', name), { recursive: true });
        writeFileSync(join(folder, 'set', name, `a.${name === 'png' ? 'png' : 'jpg'}`), bytes);
      }
      const file = format === 'esm' ? 'train.mjs' : 'train.cjs';
      await bundle(program, file, { format, platform: 'node', conditions: ['node'] });
      const { code, stdout, stderr } = await run(process.execPath, [file, 'set'], { cwd: folder });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({ length: 2, shape: [3, 8, 8], target: 1, name: 'Linear' });
    });
  }
});

test('edge-light mentions the simd kernels alone', async () => {
  const text = await bundle("export { load } from 'convlet';\nexport { init } from 'convlet/train';", 'edge.mjs', {
    format: 'esm',
    conditions: ['edge-light'],
    external: ['*.wasm?module'],
  });
  expect([...text.matchAll(/kernels\.[\w-]+\.wasm\?module/g)].map(([name]) => name).sort()).toEqual([
    'kernels.simd-train.wasm?module',
    'kernels.simd.wasm?module',
  ]);
});
