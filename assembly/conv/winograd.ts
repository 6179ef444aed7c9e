import { runPanel, workspaceHead } from '../micro/panel';
import { Tile } from '../micro/tile';
import { placeRows } from '../pack/table';
import { WinogradDesc, WinogradTiles } from './winograd-desc';
import { placeInputConstants, transformInput } from './winograd-input';
import { placeOutputConstants, transformOutput } from './winograd-output';

/** Bytes at the start of the workspace: a GEMM's head, then 32 bytes of constants for each of the two transforms. @abi at least workspaceHead + 2 * 32 */
// @ts-ignore: decorator
@inline
const winogradHead: usize = 320;

/** M = V · U, matrix by matrix, for `panels` panels of the weights from `weight` on. */
function multiply(d: WinogradDesc, t: Tile, records: usize, groups: i32, weight: usize, panels: i32): void {
  const bias = d.zeros;
  const panelBytes = <usize>d.panelBytes;
  let matrices = (d.size + 2) * (d.size + 2);
  let m: usize = 0;
  t.aOffset = 0;
  do {
    let b = weight;
    let c = m;
    let left = panels;
    do {
      runPanel(t, records, groups, bias, b, c, 8);
      b += panelBytes;
      c += 32;
      left--;
    } while (left);
    weight += d.weightMatrix;
    m += d.mMatrix;
    t.aOffset += d.vMatrix;
    matrices--;
  } while (matrices);
}

/** Unit of work: one chunk of tiles × some panels. Units of the same chunk are consecutive and share its V within a call. */
export function convWinograd(d: WinogradDesc, begin: i32, end: i32): void {
  const t = changetype<Tile>(d.workspace);
  t.taps = 1;
  t.len = d.channels;
  t.rowPitch = <usize>d.tileRows << 2;
  t.bPitch = 32;
  t.cPitch = d.mPitch;
  t.residual = 0;
  t.epilogue = 0;
  const forInput = d.workspace + workspaceHead;
  const forOutput = forInput + 32;
  placeInputConstants(forInput);
  placeOutputConstants(forOutput);
  const records = d.workspace + d.recordsOffset;
  let placed = -1;
  let groups = 0;
  for (let unit = begin; unit < end; unit++) {
    const chunk = unit / d.panelUnits;
    const first = chunk * d.chunk;
    const count = min(d.chunk, d.tiles - first);
    if (chunk != placed) {
      groups = placeRows(records, d.tileRows, count, d.workspace + d.vOffset, d.vPitch, d.workspace + d.mOffset, d.mPitch);
      transformInput(changetype<WinogradTiles>(d), forInput, d.x, d.channels, first, count);
      placed = chunk;
    }
    const panel = (unit % d.panelUnits) * d.panelUnit;
    const panels = min(d.panelUnit, d.panels - panel);
    multiply(d, t, records, groups, d.weight + panel * d.panelBytes, panels);
    transformOutput(d, forOutput, first, count, panel << 3, min(panels << 3, d.outChannels - (panel << 3)));
  }
}
