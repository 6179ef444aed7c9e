// Which units of a step the threads of a team carry out, noted by a kernel that does nothing else.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KernelExports, KernelName } from '../../src/abi/generated/abi.ts';
import { Team, type TeamStep } from '../../src/backend/wasm/core/team.ts';
import { spawnWorker } from '../../src/runtime/node-platform.ts';
import { Random, seeds } from '../kernels/harness.ts';

/**
 * `record` counts each unit of its range in a cell of its own; a range that was empty or not in order is counted as well. A
 * unit counts one too many unless all units of the step before have been counted: the threads have not met then.
 */
const source = `
export function record(descriptor: usize, begin: i32, end: i32): void {
  const cells = load<usize>(descriptor);
  const before = load<usize>(descriptor, 4);
  const units = load<i32>(descriptor, 8);
  if (begin >= end) atomic.add<i32>(load<usize>(descriptor, 12), 1);
  for (let i = 0; i < units; i++) {
    if (atomic.load<i32>(before + 4 * <usize>i) != 1) atomic.add<i32>(cells + 4 * <usize>begin, 1);
  }
  // The first units take their time: whoever does not wait for them is seen.
  if (begin == 0) for (let i = 0; i < 20000; i++) atomic.load<i32>(cells);
  for (let i = begin; i < end; i++) atomic.add<i32>(cells + 4 * <usize>i, 1);
}`;

const pages = 64;
const record = 'record' as KernelName;
let module: WebAssembly.Module;

beforeAll(async () => {
  const asc = await import('assemblyscript/asc');
  let binary = new Uint8Array();
  const memory = ['--importMemory', '--sharedMemory', '--initialMemory', `${pages}`, '--maximumMemory', `${pages}`];
  const flags = [
    'record.ts',
    '--outFile',
    'record.wasm',
    '--runtime',
    'stub',
    '--enable',
    'threads',
    '--noAssert',
    '-O',
  ];
  const { error } = await asc.main([...flags, ...memory], {
    readFile: (name: string) => (name === 'record.ts' ? source : null),
    writeFile: (name: string, data: string | Uint8Array) => {
      if (name === 'record.wasm') binary = new Uint8Array(data as Uint8Array);
    },
    listFiles: () => [],
  });
  if (error !== null) throw error;
  module = new WebAssembly.Module(binary);
});

/** Cells in front of and behind those of a step, which nobody must count in. */
const margin = 64;

interface Recorder {
  /** Carries out steps of so many units and returns what was counted for each, margins included. */
  counts(units: readonly number[]): Promise<Int32Array[]>;
  /** Calls with an empty range. */
  empty(): number;
  dispose(): void;
}

async function recorder(threads: number, leader: 'main' | 'worker'): Promise<Recorder> {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const team = new Team(threads, module, memory, exports as unknown as KernelExports, spawnWorker, leader);
  await team.ready;
  const words = new Int32Array(memory.buffer);
  const emptyAt = 4 * 1024;
  return {
    async counts(units) {
      words.fill(0);
      let at = 4096;
      let descriptor = 64;
      let before = { cells: 0, units: 0 };
      const ranges: [number, number][] = [];
      const steps: TeamStep[] = units.map((count) => {
        const cells = 4 * (at + margin);
        words.set([cells, before.cells, before.units, emptyAt], descriptor / 4);
        ranges.push([at, at + count + 2 * margin]);
        at += count + 2 * margin;
        before = { cells, units: count };
        descriptor += 64;
        const run = (): void => {
          throw new Error('the step has a kernel');
        };
        return { kernel: record, units: count, descriptor: descriptor - 64, descriptorStride: 0, run };
      });
      const program = team.program(steps)!;
      if (leader === 'main') program.run();
      else await program.start();
      return ranges.map(([first, end]) => words.slice(first, end));
    },
    empty: () => words[emptyAt / 4],
    dispose: () => team.dispose(),
  };
}

const expected = (units: number): Int32Array => {
  const cells = new Int32Array(units + 2 * margin);
  return cells.fill(1, margin, margin + units);
};

describe.each([
  [2, 'main'],
  [3, 'main'],
  [5, 'main'],
  [1, 'worker'],
  [3, 'worker'],
] as const)('%i threads, leader %s', (threads, leader) => {
  let team: Recorder;
  beforeAll(async () => {
    team = await recorder(threads, leader);
  });
  afterAll(() => team.dispose());

  test('a step is every unit once, also where they are no multiple of a chunk', async () => {
    const most = 8 * threads;
    const near = [1, most, 2 * most, 5 * most].flatMap((units) => [units - 1, units, units + 1]);
    for (const units of [...near, 3 * most - 2, 997]) {
      if (units === 0) continue;
      expect((await team.counts([units]))[0], `${units} units`).toEqual(expected(units));
      expect(team.empty(), `empty ranges of ${units} units`).toBe(0);
    }
  });

  test.each(seeds(3))(
    'steps one after the other, each begun when the last is through (CONVLET_SEED=%i)',
    async (seed) => {
      const random = new Random(seed);
      for (let run = 0; run < 20; run++) {
        const units = Array.from({ length: random.int(1, 12) }, () => random.int(1, random.pick([3, 40, 300])));
        const counts = await team.counts(units);
        counts.forEach((cells, i) => {
          expect(cells, `step ${i} of ${units}`).toEqual(expected(units[i]));
        });
      }
    },
  );
});
