import { storeFirst } from '../common/tail';
import { recordHead } from '../pack/table';
import { runTiles } from './gemm';
import { sweep } from './sweep';
import { clampTo, Epilogue, Tile } from './tile';

/** Offset in a GEMM's workspace, after the Tile: a scratch tile for results of which not all columns exist. @abi at least offsetof<Tile>() */
// @ts-ignore: decorator
@inline
const tileScratch: usize = 64;
/** Bytes at the start of a GEMM's workspace: the Tile and a scratch tile of 6 × 8. @abi at least tileScratch + 6 * 8 * 4 */
// @ts-ignore: decorator
@inline
export const workspaceHead: usize = 256;

/** Applies the epilogue to a tile that was computed into `from` (8 columns), and stores `columns` (1..7) of it at `c`. */
function finish(t: Tile, epilogue: i32, cPitch: usize, from: usize, rows: i32, columns: i32, c: usize): void {
  const low = f32x4.splat(t.alpha);
  const high = f32x4.splat(t.beta);
  do {
    let v0 = v128.load(from);
    let v1 = v128.load(from, 16);
    if (epilogue & Epilogue.addResidual) {
      const r = c + t.residual;
      v0 = f32x4.add(v0, v128.load(r));
      v1 = f32x4.add(v1, v128.load(r, 16));
    }
    if (epilogue & Epilogue.clamp) {
      v0 = clampTo(v0, low, high);
      v1 = clampTo(v1, low, high);
    }
    if (columns > 4) {
      v128.store(c, v0);
      storeFirst(c + 16, v1, columns - 4);
    } else {
      storeFirst(c, v0, columns);
    }
    c += cPitch;
    from += 32;
    rows--;
  } while (rows);
}

/**
 * Computes all tiles of a block of rows times one panel of B. `records`: see table.ts. The results of a tile are stored `cOffset`
 * bytes after the address in its record. `columns` (1..8): how many columns of the panel exist.
 */
export function runPanel(t: Tile, records: usize, tiles: i32, bias: usize, b: usize, cOffset: usize, columns: i32): void {
  const recordBytes = recordHead + t.rowPitch * t.taps;
  const epilogue = t.epilogue;
  const cPitch = t.cPitch;
  if (columns == 8 || columns == 4) {
    const swept = epilogue & Epilogue.activateStored;
    do {
      const done = runTiles(columns, t, records, swept ? 1 : tiles, bias, b, cOffset);
      if (swept) sweep(t.kind, t.alpha, t.beta, load<usize>(records, 4) + cOffset, load<i32>(records), columns, cPitch);
      records += recordBytes * done;
      tiles -= done;
    } while (tiles);
    return;
  }
  const scratch = changetype<usize>(t) + tileScratch;
  t.epilogue = 0;
  t.cPitch = 32;
  do {
    const rows = load<i32>(records);
    const c = load<usize>(records, 4);
    runTiles(columns, t, records, 1, bias, b, scratch - c);
    finish(t, epilogue, cPitch, scratch, rows, columns, c + cOffset);
    if (epilogue & Epilogue.activateStored) sweep(t.kind, t.alpha, t.beta, c + cOffset, rows, columns, cPitch);
    records += recordBytes;
    tiles--;
  } while (tiles);
  t.epilogue = epilogue;
  t.cPitch = cPitch;
}
