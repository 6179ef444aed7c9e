import type { WasmSession } from './session.ts';

/**
 * V8 before 13.5 (Node 22) spills some of twelve accumulators, even with FMA: ResNet-18 takes 65 ms with tiles of 6 rows and 42 ms with
 * 4 rows (Node 24: 34 and 42). Float16Array is new in V8 13.5, so it tells the versions apart. The rows of a tile change no result.
 */
const twelveFit = 'Float16Array' in globalThis;

/** Rows of a full register tile: twelve accumulators spill without FMA (micro/gemm.ts has the figures). */
export const tileRowsOf = (session: WasmSession): number =>
  session.backend.variant === 'relaxed' && twelveFit ? 6 : 4;

/** `n` rounded up to a multiple of `step`. */
export const roundUp = (n: number, step: number): number => Math.ceil(n / step) * step;

/** The fewest tiles per thread if threads share rows. */
const leastTiles = 8;

/**
 * Rows of A per unit of work, in equal parts of at most 256 KB of A, which leaves room in the second-level cache for a panel of B
 * and the results. Every thread has the same number of parts, so that in the next step it reads the rows that it has written.
 */
export function rowBlockOf(session: WasmSession, rows: number, bytesPerRow: number): number {
  const { threads } = session.backend;
  const tileRows = tileRowsOf(session);
  const fitting = Math.floor(262144 / bytesPerRow / 12) * 12;
  const blocks = Math.max(1, Math.ceil(rows / Math.min(Math.max(fitting, 24), 240)));
  const shared = threads > 1 && rows >= threads * leastTiles * tileRows ? roundUp(blocks, threads) : blocks;
  let block = Math.max(tileRows, roundUp(Math.ceil(rows / shared), tileRows));
  while (leavesOne(rows, block)) block += tileRows;
  return block;
}

/**
 * Whether `rows` rows in blocks of `block` leave a block of one row. The kernel for one row rounds differently (micro/gemm.ts), and
 * results must not depend on the number of threads.
 */
export const leavesOne = (rows: number, block: number): boolean => rows > 1 && (block === 1 || rows % block === 1);

/** There should be at least so many units, each of at least so many panels. */
const leastUnits = 16;
const leastPanels = 4;

/**
 * Panels per unit of work if there are `rowBlocks` blocks of rows. Small maps are also cut along the output channels, so that
 * several threads have work, and so that the thread with most units has as little as possible.
 */
export function panelBlockOf(session: WasmSession, rowBlocks: number, panels: number): number {
  const { threads } = session.backend;
  const most = (panelBlock: number) => Math.ceil((rowBlocks * Math.ceil(panels / panelBlock)) / threads) * panelBlock;
  let best = Math.max(leastPanels, Math.ceil(panels / Math.max(1, Math.ceil(leastUnits / rowBlocks))));
  if (threads === 1) return best;
  for (let panelBlock = best; panelBlock <= panels; panelBlock++) {
    if (most(panelBlock) < most(best)) best = panelBlock;
  }
  return best;
}
