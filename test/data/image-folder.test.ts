import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useFiles } from '../../src/common/files.ts';
import { ImageFolder } from '../../src/data/node-image-folder.ts';
import { encodeJpeg, encodePng, type Image } from '../../src/io/images/index.ts';
import { nodeFiles } from '../../src/runtime/node-files.ts';
import { buildPackage, root, run } from '../runtime/package.ts';

let directory: string;

/**
 * Prints the batches of an image folder. Of the built package: threads cannot load TypeScript. The threads are not disposed
 * of: they must not keep the process alive.
 */
const program = (directory: string, workers: number, more: string): string => `
  import { data } from '${built('runtime/node-train.js')}';
  const { DataLoader, ImageFolder } = data;
  const folder = await ImageFolder.open(${JSON.stringify(directory)}, { size: [2, 3], workers: ${workers}, ${more} });
  try {
    for await (const { input, target } of new DataLoader(folder, { batchSize: 3, prefetch: 2 }))
      console.log(\`\${input.shape} \${[...input.data].map((v) => Math.round(v * 255))} \${[...target.data]}\`);
  } catch ({ name, code, message }) {
    console.log(name, code, message);
  }
  for (const { index, error } of folder.skipped) console.log(index, error.code, error.message);`;
const built = (path: string): string => pathToFileURL(join(root, 'build', path)).href;

/** A picture of one colour. */
const plain = (width: number, height: number, r: number, g: number, b: number): Image => ({
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3]),
  width,
  height,
  channels: 3,
});

beforeAll(async () => {
  await buildPackage();
  useFiles(nodeFiles);
  directory = mkdtempSync(join(tmpdir(), 'convlet-folder-'));
  for (const name of ['set/roses', 'set/asters', 'empty/none']) mkdirSync(join(directory, name), { recursive: true });
  const save = async (path: string, image: Image, encode = encodePng): Promise<void> =>
    writeFileSync(join(directory, 'set', path), await encode(image));
  await save('roses/2.png', plain(3, 2, 200, 10, 20));
  await save('roses/1.PNG', plain(9, 8, 220, 10, 20));
  await save('asters/b.png', plain(3, 2, 10, 20, 200));
  await save('asters/a.jpeg', plain(16, 16, 128, 128, 128), encodeJpeg as typeof encodePng);
  writeFileSync(join(directory, 'set/asters/notes.txt'), 'not a picture');
  writeFileSync(join(directory, 'set/readme.txt'), 'not a class');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const decode = async (folder: string, workers: number, more = ''): Promise<string[]> => {
  const file = join(directory, 'program.mjs');
  writeFileSync(file, program(join(directory, folder), workers, more));
  const { stdout, stderr, code } = await run(process.execPath, [file]);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return stdout.trimEnd().split('\n');
};

describe('ImageFolder', () => {
  test('classes and files by name, pictures in the wanted size', async () => {
    const folder = await ImageFolder.open(join(directory, 'set'), { size: [2, 3] });
    expect(folder.classes).toEqual(['asters', 'roses']);
    expect(folder.entries.map(({ path }) => path.split('/').at(-1))).toEqual(['a.jpeg', 'b.png', '1.PNG', '2.png']);
    const { input, target } = (await folder.get(2))!;
    expect([input.shape, target]).toEqual([[3, 2, 3], 1]);
    expect(Array.from(input.data, (v) => Math.round(v * 255))).toEqual([220, 10, 20].flatMap((v) => Array(6).fill(v)));
    const grey = await ImageFolder.open(join(directory, 'set'), { channels: 1 });
    expect((await grey.get(0))!.input.shape).toEqual([1, 16, 16]);
    await expect(folder.get(4)).rejects.toMatchObject({ code: 'index-range' });
  });

  test('threads give the same batches, in the same order', async () => {
    const [here, threads] = [await decode('set', 0), await decode('set', 2)];
    expect(here).toHaveLength(2);
    expect(here[0]).toMatch(/^3,3,2,3 .* 0,0,1$/);
    expect(threads).toEqual(here);
  });

  test('a broken picture is named, with and without threads', async () => {
    mkdirSync(join(directory, 'broken/x'), { recursive: true });
    const path = join(directory, 'broken/x/1.png');
    writeFileSync(path, await encodePng(plain(30, 30, 1, 2, 3)));
    truncateSync(path, 60);
    for (const workers of [0, 1]) {
      const [line] = await decode('broken', workers);
      expect(line).toMatch(/^ConvletError malformed .*broken\/x\/1\.png: /);
    }
  });

  test('broken pictures are left out and listed, with and without threads', async () => {
    const folder = join(directory, 'holes');
    for (const name of ['a', 'b']) mkdirSync(join(folder, name), { recursive: true });
    for (const name of ['a/1.png', 'a/2.png', 'b/3.png', 'b/5.png'])
      writeFileSync(join(folder, name), await encodePng(plain(3, 2, 9, 9, 9)));
    truncateSync(join(folder, 'a/2.png'), 60);
    writeFileSync(join(folder, 'b/4.jpg'), 'not a picture');
    const lines = (await decode('holes', 2, "onError: 'skip'")).join('\n');
    expect(await decode('holes', 0, "onError: 'skip'")).toEqual(lines.split('\n'));
    expect(lines).toMatch(
      /^2,3,2,3 .* 0,1\n1,3,2,3 .* 1\n1 malformed .*2\.png: .*\n3 (malformed|unsupported) .*4\.jpg: /,
    );

    const here = await ImageFolder.open(folder, { onError: 'skip' });
    rmSync(join(folder, 'b/5.png'));
    expect([await here.get(1), await here.get(4), await here.get(1)]).toEqual([null, null, null]);
    expect(here.skipped).toMatchObject([
      { index: 1, path: join(folder, 'a/2.png'), error: { code: 'malformed' } },
      { index: 4, path: join(folder, 'b/5.png'), error: { code: 'environment' } },
    ]);
    await expect((await ImageFolder.open(folder)).get(1)).rejects.toMatchObject({ code: 'malformed' });
    await expect(ImageFolder.open(folder, { onError: 'ignore' as 'skip' })).rejects.toMatchObject({
      message: 'ImageFolder.open: onError expects throw or skip, got ignore',
    });
  });

  test('directories without pictures, and missing ones', async () => {
    await expect(ImageFolder.open(join(directory, 'empty'))).rejects.toMatchObject({
      code: 'malformed',
      message: expect.stringMatching(/expects a folder of pictures per class, got 1 folders without one$/),
    });
    await expect(ImageFolder.open(join(directory, 'absent'))).rejects.toMatchObject({ code: 'environment' });
    await expect(ImageFolder.open(join(directory, 'set/readme.txt'))).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringContaining('a part of the path is not a directory (ENOTDIR)'),
    });
    await expect(ImageFolder.open(join(directory, 'set'), { workers: -1 })).rejects.toMatchObject({ code: 'argument' });
  });

  test('a file that has gone is named', async () => {
    const folder = await ImageFolder.open(join(directory, 'set'));
    rmSync(join(directory, 'set/roses/2.png'));
    await expect(folder.get(3)).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringMatching(/cannot read '.*2\.png': no such file or directory \(ENOENT\)$/),
    });
  });
});
