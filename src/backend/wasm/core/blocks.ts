import type { WasmSession } from './session.ts';

/**
 * V8 before 13.5 (Node 22) spills some of twelve accumulators, with FMA too: ResNet-18 in tiles of 6 rows takes 65 ms there, of
 * 4 rows 42 (Node 24: 34 and 42). Float16Array came with 13.5. How many rows a tile has changes no result.
 */
const twelveFit = 'Float16Array' in globalThis;

/** Rows of a full register tile: twelve accumulators spill without FMA (micro/gemm.ts has the figures). */
export const tileRowsOf = (session: WasmSession): number =>
  session.backend.variant === 'relaxed' && twelveFit ? 6 : 4;

/** `n` rounded up to a multiple of `step`. */
export const roundUp = (n: number, step: number): number => Math.ceil(n / step) * step;

/** Tiles that a thread should have at least where rows are shared out among threads. */
const leastTiles = 8;

/**
 * Rows of A per unit of work, in equal parts: 256 KB of A at most, which leaves room in the second-level cache for a panel of B
 * and the results. As many parts for each thread, so that a thread goes on with the rows that it has written.
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
 * Whether one of `rows` rows cut into blocks is alone. The kernel for one row rounds otherwise (micro/gemm.ts), and no bit of a
 * result may depend on the number of threads.
 */
export const leavesOne = (rows: number, block: number): boolean => rows > 1 && (block === 1 || rows % block === 1);

/** Units that there should be at least, and panels that one has at least. */
const leastUnits = 16;
const leastPanels = 4;

/**
 * Panels per unit of work where there are `rowBlocks` units of rows. Small maps are also cut along the output channels, so that
 * several threads find work, and so that the thread with most units has as little as can be.
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
