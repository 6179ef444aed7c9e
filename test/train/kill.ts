// Processes that are killed while they save: what is left must be a whole checkpoint every time.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { nodeFiles } from '../../src/runtime/node-files.ts';
import { loadCheckpoint } from '../../src/train/checkpoint.ts';

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

/** Saves generation after generation without a pause, and tells each when it is on the disk. */
const saver = `
  import { saveCheckpoint } from ${JSON.stringify(source('train/checkpoint.ts'))};
  import { nodeFiles } from ${JSON.stringify(source('runtime/node-files.ts'))};
  const [path, first] = process.argv.slice(2);
  for (let generation = Number(first); ; generation++) {
    const fill = (size) => new Float32Array(size).fill(generation);
    const model = new Map(['conv.weight', 'fc.weight'].map((name, i) =>
      [name, { dtype: 'float32', shape: [100000 * (i + 1)], data: fill(100000 * (i + 1)) }]));
    const optimizer = { state: { 0: { step: generation, momentumBuffer: fill(100000) } }, paramGroups: [{ lr: 0.1, params: [0] }] };
    await saveCheckpoint(path, { model, optimizer, metadata: { generation } }, nodeFiles);
    process.stdout.write(generation + '\\n');
  }`;

export interface KillReport {
  readonly kills: number;
  /** Kills that left a temporary file behind: the process was inside a save. */
  readonly duringSave: number;
  /** Kills after which the file held a generation that the process had not told yet. */
  readonly ahead: number;
  /** The last generation that was loaded. */
  readonly generation: number;
}

/** Starts and kills processes one after the other; throws where what is left is not what it should be. */
export async function killWhileSaving(kills: number, random: () => number): Promise<KillReport> {
  const directory = mkdtempSync(join(tmpdir(), 'convlet-kill-'));
  const path = join(directory, 'last.safetensors');
  const program = join(directory, 'saver.mjs');
  let [generation, duringSave, ahead] = [0, 0, 0];
  try {
    const { outputFiles } = await build({
      stdin: { contents: saver, resolveDir: directory, loader: 'js' },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
    });
    writeFileSync(program, outputFiles[0].contents);
    for (let kill = 0; kill < kills; kill++) {
      const child = spawn(process.execPath, [program, path, String(generation + 1)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      // Some are killed right at the start of their first save, most later.
      const told = await killed(child, kill % 4 === 0 ? 40 + 60 * random() : 80 * random(), kill % 4 !== 0);
      const temporary = readdirSync(directory).filter((name) => name.endsWith('.tmp'));
      if (temporary.length > 0) duringSave++;
      const before = statSync(path, { throwIfNoEntry: false });
      const checkpoint = await loadCheckpoint(path, nodeFiles);
      if (checkpoint === null) {
        if (before !== undefined || told > 0 || generation > 0) throw new Error(`kill ${kill}: the checkpoint is gone`);
        continue;
      }
      const found = (checkpoint.metadata as { generation: number }).generation;
      const newest = Math.max(told, generation);
      if (found < newest) throw new Error(`kill ${kill}: generation ${newest} was on the disk, ${found} is loaded`);
      if (found > newest) ahead++;
      const { momentumBuffer, step } = checkpoint.optimizer!.state[0];
      const values = [...checkpoint.model.values()].map(({ data }) => data).concat(momentumBuffer as Float32Array);
      if (step !== found || values.length !== 3 || values.some((data) => data.some((value) => value !== found)))
        throw new Error(`kill ${kill}: generation ${found} holds other values`);
      const left = readdirSync(directory).filter((name) => name.endsWith('.tmp'));
      if (left.length > 0) throw new Error(`kill ${kill}: ${left.join(', ')} is left behind`);
      generation = found;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { kills, duringSave, ahead, generation };
}

/** Kills a process some milliseconds after it started, or after its first save; resolves to the last number it told. */
function killed(child: ChildProcess, milliseconds: number, afterSave: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    let timer: NodeJS.Timeout | null = null;
    const arm = (): void => {
      timer ??= setTimeout(() => child.kill('SIGKILL'), milliseconds);
    };
    if (!afterSave) arm();
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      arm();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (timer !== null) clearTimeout(timer);
      if (signal !== 'SIGKILL') reject(new Error(`the saving process ended by itself: ${code} ${signal}`));
      // The last line may be cut.
      else resolve(Number(text.split('\n').at(-2) ?? 0));
    });
  });
}
