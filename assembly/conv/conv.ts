import { runPanel, workspaceHead } from '../micro/panel';
import { Tile } from '../micro/tile';
import { placeTiles } from '../pack/table';
import { ConvDesc } from './desc';

/**
 * Convolution as GEMM over addresses (micro/gemm.ts). Unit of work: one block of rows (output pixels) × one block of
 * panels (8 output channels each), the panel blocks of a row block following each other.
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
  let placed = -1;
  let tiles = 0;
  for (let unit = begin; unit < end; unit++) {
    const block = unit / d.panelBlocks;
    if (block != placed) {
      const row = block * d.rowBlock;
      tiles = placeTiles(d, records, staging, row, min(row + d.rowBlock, rows));
      placed = block;
    }
    let panel = (unit % d.panelBlocks) * d.panelBlock;
    const last = min(panel + d.panelBlock, d.panels);
    for (; panel < last; panel++) {
      const group = panel / groupPanels;
      const column = (panel - group * groupPanels) << 3;
      const b = d.weight + <usize>panel * d.panelBytes;
      t.aOffset = group * d.groupInput;
      const c = group * d.groupOutput + (column << 2);
      runPanel(t, records, tiles, b, b + 32, c, min(8, d.columns - column));
    }
  }
}
