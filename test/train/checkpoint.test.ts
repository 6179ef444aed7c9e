import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import type { TypedArray } from '../../src/common/dtype.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import { nodeFiles } from '../../src/runtime/node-files.ts';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  writeWhole,
} from '../../src/train/checkpoint.ts';
import { MemoryFiles, systemError } from '../data/files.ts';
import { killWhileSaving } from './kill.ts';

const sample = (fill: number): Checkpoint => ({
  model: new Map<string, { dtype: 'float32' | 'int64'; shape: number[]; data: TypedArray }>([
    ['conv.weight', { dtype: 'float32', shape: [2, 1, 2], data: Float32Array.of(fill, -0, 1e-40, Number.NaN) }],
    ['bn.num_batches_tracked', { dtype: 'int64', shape: [], data: Int32Array.of(7) }],
  ]),
  optimizer: {
    state: { 0: { step: 12, momentumBuffer: Float32Array.of(1, 2, 3, 4) }, 3: { step: 1 } },
    paramGroups: [{ lr: 0.1, momentum: 0.9, stepCount: 12, params: [0, 1, 2, 3] }],
  },
  metadata: {
    epoch: 3,
    history: [Number.NaN, Number.POSITIVE_INFINITY, 0.1 + 0.2],
    random: { seed: 1, drawn: 2 ** 40 },
  },
});

describe('the file', () => {
  test('gives back what was written', () => {
    const checkpoint = sample(1.5);
    const read = decodeCheckpoint(encodeCheckpoint(checkpoint), 'a');
    expect(read.optimizer).toEqual(checkpoint.optimizer);
    expect(read.metadata).toEqual(checkpoint.metadata);
    expect(new Map(read.model)).toEqual(checkpoint.model);
    expect(Object.is(read.model.get('conv.weight')!.data[1], -0)).toBe(true);
    const without = decodeCheckpoint(encodeCheckpoint({ ...checkpoint, optimizer: null }), 'a');
    expect(without.optimizer).toBe(null);
  });

  test('is a safetensors file with the names of the state dict', () => {
    const names = [...readSafetensors(encodeCheckpoint(sample(1))).keys()].sort();
    expect(names).toEqual(['bn.num_batches_tracked', 'conv.weight', 'optimizer/0/momentumBuffer']);
  });

  test('every damaged byte of tensors, names and metadata is noticed', () => {
    const bytes = encodeCheckpoint(sample(1.5));
    let harmless = 0;
    for (let i = 0; i < bytes.length; i++) {
      const broken = bytes.slice();
      broken[i] ^= 1;
      try {
        decodeCheckpoint(broken, 'a');
        harmless++;
      } catch (error) {
        expect(error).toMatchObject({ name: 'ConvletError' });
      }
    }
    // "format":"pt" is for others, and spaces pad the header.
    expect(harmless).toBeLessThanOrEqual(10);
  });

  test('every truncated file is malformed', () => {
    const bytes = encodeCheckpoint(sample(1.5));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeCheckpoint(bytes.subarray(0, length), 'last.safetensors')).toThrow(
        expect.objectContaining({
          code: 'malformed',
          message: expect.stringContaining(`last.safetensors' (${length} bytes)`),
        }),
      );
    }
  });

  test('other files are told apart', () => {
    const weights = writeSafetensors([['w', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]);
    expect(() => decodeCheckpoint(weights, 'w.safetensors')).toThrow(/'w\.safetensors' is no checkpoint of convlet/);
  });
});

describe('saving', () => {
  const path = 'runs/a/last.safetensors';
  const fillOf = (checkpoint: Checkpoint | null): number | undefined => checkpoint?.model.get('conv.weight')?.data[0];

  test('a full disk: the old checkpoint stays whole, nothing is left behind', async () => {
    for (const [action, code, message] of [
      ['write', 'ENOSPC', "cannot write 'runs/a/last.safetensors': the disk is full (ENOSPC)"],
      ['rename', 'EIO', "cannot write 'runs/a/last.safetensors': the disk reports an error (EIO)"],
      ['makeDirectory', 'EROFS', "cannot write 'runs/a/last.safetensors': the file system is read-only (EROFS)"],
    ]) {
      const files = new MemoryFiles();
      await saveCheckpoint(path, sample(1), files);
      files.before = (what) => {
        if (what === action) throw systemError(code);
      };
      await expect(saveCheckpoint(path, sample(2), files)).rejects.toMatchObject({
        name: 'ConvletError',
        code: 'environment',
        message,
      });
      expect([...files.content.keys()]).toEqual([path]);
      expect(fillOf(await loadCheckpoint(path, files))).toBe(1);
      files.before = () => {};
      await saveCheckpoint(path, sample(3), files);
      expect(fillOf(await loadCheckpoint(path, files))).toBe(3);
    }
  });

  test('the file is only renamed after it was written', async () => {
    const files = new MemoryFiles();
    const actions: string[] = [];
    files.before = (what, name) => void actions.push(`${what} ${name.replace(/\d+-\d+/, 'N')}`);
    await saveCheckpoint(path, sample(1), files);
    expect(actions).toEqual(['makeDirectory runs/a', `write ${path}.N.tmp`, `rename ${path}`]);
  });

  test("leftovers of processes that are gone are removed, other processes' and other files are not", async () => {
    const files = new MemoryFiles();
    files.running.add(77);
    const strange = [`${path}.77-1.tmp`, 'runs/a/best.safetensors.5-1.tmp', `${path}.tmp`, `${path}.x-1.tmp`];
    for (const name of [...strange, `${path}.5-1.tmp`, `${path}.1000-999.tmp`])
      files.content.set(name, new Uint8Array(1));
    await saveCheckpoint(path, sample(1), files);
    expect([...files.content.keys()].sort()).toEqual([...strange, path].sort());
    files.content.set(`${path}.6-3.tmp`, new Uint8Array(1));
    expect(fillOf(await loadCheckpoint(path, files))).toBe(1);
    expect([...files.content.keys()].sort()).toEqual([...strange, path].sort());
    expect(await loadCheckpoint('runs/b/last.safetensors', files)).toBe(null);
  });

  test('saves at the same time do not disturb each other', async () => {
    const files = new MemoryFiles();
    await Promise.all([1, 2, 3, 4].map((fill) => saveCheckpoint(path, sample(fill), files)));
    expect([1, 2, 3, 4]).toContain(fillOf(await loadCheckpoint(path, files)));
    expect([...files.content.keys()]).toEqual([path]);
  });

  test('on a real disk: directories are made, a limit on the size of files is an error that leaves the old file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'convlet-checkpoint-'));
    try {
      const file = join(directory, 'x/y/last.safetensors');
      await saveCheckpoint(file, sample(1), nodeFiles);
      expect(readdirSync(join(directory, 'x/y'))).toEqual(['last.safetensors']);
      expect(fillOf(await loadCheckpoint(file, nodeFiles))).toBe(1);
      const program = join(directory, 'large.mjs');
      const source = (name: string): string =>
        JSON.stringify(fileURLToPath(new URL(`../../src/${name}`, import.meta.url)));
      const contents = `
        import { writeWhole } from ${source('train/checkpoint.ts')};
        import { nodeFiles } from ${source('runtime/node-files.ts')};
        await writeWhole(${JSON.stringify(file)}, new Uint8Array(1e6), nodeFiles).catch(({ code, message }) => console.log(code, message));`;
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: directory },
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node',
      });
      writeFileSync(program, outputFiles[0].contents);
      const { stdout } = spawnSync('sh', ['-c', `ulimit -f 100; '${process.execPath}' '${program}'`], {
        encoding: 'utf8',
      });
      expect(stdout).toMatch(/^environment cannot write '.*last\.safetensors': the file is too large .*\(EFBIG\)/);
      expect(readdirSync(join(directory, 'x/y'))).toEqual(['last.safetensors']);
      expect(fillOf(decodeCheckpoint(readFileSync(file), file))).toBe(1);
      writeFileSync(join(directory, 'file'), '');
      await expect(writeWhole(join(directory, 'file/a'), new Uint8Array(1), nodeFiles)).rejects.toMatchObject({
        code: 'environment',
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

// `npm run soak:checkpoint` does it 200 times.
test('processes killed while they save leave a whole checkpoint', async () => {
  const { duringSave, generation } = await killWhileSaving(40, Math.random);
  expect(generation).toBeGreaterThan(10);
  expect(duringSave).toBeGreaterThan(0);
}, 240_000);
