import { runPanel, workspaceHead } from '../micro/panel';
import { Tile } from '../micro/tile';
import { Addressing, placeAcross, placePadded, placeTiles, stagePadded } from '../pack/table';
import { ConvDesc } from './desc';

/**
 * Convolution as GEMM over addresses (micro/gemm.ts). Unit of work: one block of rows (output pixels) × one block of
 * panels (8 output channels each). Units of the same row block are consecutive.
 */
export function conv(d: ConvDesc, begin: i32, end: i32): void {
  const t = changetype<Tile>(d.workspace);
  t.taps = d.taps;
  t.len = d.len;
  t.rowPitch = <usize>d.tileRows << 2;
  t.bPitch = 32;
  t.cPitch = d.yPixel;
  t.residual = d.residual;
  t.epilogue = d.epilogue;
  t.kind = d.kind;
  t.alpha = d.alpha;
  t.beta = d.beta;
  const records = d.workspace + workspaceHead;
  const staging = d.workspace + d.stagingOffset;
  const rows = d.batch * d.outputD * d.outputH * d.outputW;
  const groupPanels = d.groupPanels;
  const positions = d.outputD * d.outputH * d.outputW;
  // The number of output rows of the block for which the table was written.
  let paddedRows = 0;
  if (d.mode == Addressing.acrossImages) t.cPitch = d.yBatch;
  let placed = -1;
  let tiles = 0;
  let origin: usize = 0;
  for (let unit = begin; unit < end; unit++) {
    const block = unit / d.panelBlocks;
    if (block != placed) {
      if (d.mode == Addressing.padded) {
        const blocks = (d.outputH + d.rowBlock - 1) / d.rowBlock;
        const n = block / blocks;
        const first = (block - n * blocks) * d.rowBlock;
        const height = min(d.rowBlock, d.outputH - first);
        if (height != paddedRows) tiles = placePadded(d, records, staging, height);
        paddedRows = height;
        stagePadded(d, staging, n, first, height);
        origin = d.y + n * d.yBatch + first * d.yRow;
      } else {
        const row = block * d.rowBlock;
        if (d.mode == Addressing.acrossImages) tiles = placeAcross(d, records, row, min(row + d.rowBlock, positions));
        else tiles = placeTiles(d, records, staging, row, min(row + d.rowBlock, rows));
      }
      placed = block;
    }
    let panel = (unit % d.panelBlocks) * d.panelBlock;
    const last = min(panel + d.panelBlock, d.panels);
    for (; panel < last; panel++) {
      const group = panel / groupPanels;
      const column = (panel - group * groupPanels) << 3;
      const b = d.weight + <usize>panel * d.panelBytes;
      t.aOffset = group * d.groupInput;
      const c = origin + group * d.groupOutput + (column << 2);
      runPanel(t, records, tiles, b, b + 32, c, min(8, d.columns - column));
    }
  }
}
