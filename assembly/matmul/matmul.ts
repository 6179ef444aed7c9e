import { runPanel, workspaceHead } from '../micro/panel';
import { Epilogue, Tile } from '../micro/tile';
import { recordHead } from '../pack/table';

/** Where B is read from. @abi */
const enum RightSource {
  /** B itself, row-major; alpha is 1. */
  asIs,
  /** Panels [⌈n/8⌉][unused row, k][8], already multiplied by alpha. */
  packed,
  /** Each unit of work packs its panels into the workspace. */
  packedPerUnit,
}

/**
 * y[batch] = epilogue(alpha · A · B + bias), m × k times k × n. Strides and offsets in bytes.
 */
@unmanaged
export class MatmulDesc {
  a: usize;
  b: usize;
  /** 32 zero bytes if there is none. */
  bias: usize;
  y: usize;
  workspace: usize;
  /** Addresses of lists: the offset of each batch element in A, and in B. */
  aOffsets: usize;
  bOffsets: usize;
  m: i32;
  n: i32;
  k: i32;
  aRow: u32;
  aColumn: u32;
  bRow: u32;
  bColumn: u32;
  /** Where B is read from (RightSource). */
  source: i32;
  alpha: f32;
  tileRows: i32;
  /** Rows per unit of work, and per pass of a unit; the rows of A of a pass stay in the second-level cache. */
  unitRows: i32;
  rowBlock: i32;
  rowUnits: i32;
  panelBlock: i32;
  panelUnits: i32;
  panelBytes: u32;
  /** Offsets in the workspace. */
  packedOffset: u32;
  stagingOffset: u32;
  epilogue: i32;
  residual: u32;
  kind: i32;
  /** Parameters of the activation. */
  activationAlpha: f32;
  activationBeta: f32;
}

/** Writes the records of the tiles of rows begin..end−1. Rows whose elements are not adjacent are copied to `staging`. */
function placeMatrix(d: MatmulDesc, record: usize, staging: usize, a: usize, y: usize, begin: i32, end: i32): i32 {
  const tileRows = d.tileRows;
  const recordBytes = recordHead + (<usize>tileRows << 2);
  const copied = d.aColumn != 4 && d.k > 1;
  const rowBytes = <usize>d.k << 2;
  let count = 0;
  if (copied) {
    // The inner loop runs over the rows: their elements are adjacent if A is the transpose of a row-major matrix.
    for (let k = 0; k < d.k; k++) {
      let from = a + begin * d.aRow + k * d.aColumn;
      let to = staging + (k << 2);
      for (let i = begin; i < end; i++, from += d.aRow, to += rowBytes) store<f32>(to, load<f32>(from));
    }
  }
  for (let i = begin; i < end; i += tileRows, count++) {
    const rows = min(tileRows, end - i);
    store<i32>(record, rows);
    store<usize>(record, y + ((i * d.n) << 2), 4);
    for (let r = 0; r < rows; r++) {
      store<usize>(
        record + recordHead + (r << 2),
        copied ? staging + <usize>(i + r - begin) * rowBytes : a + (i + r) * d.aRow,
      );
    }
    record += recordBytes;
  }
  return count;
}

/** Packs one panel of B into the workspace. */
function packPanel(d: MatmulDesc, to: usize, b: usize, column: i32): void {
  const columns = min(8, d.n - column);
  b += column * d.bColumn;
  if (columns < 8) memory.fill(to, 0, d.panelBytes);
  to += 32;
  const k = d.k;
  if (d.bColumn == 4 && columns == 8) {
    const alpha = f32x4.splat(d.alpha);
    for (let p = 0; p < k; p++, b += d.bRow, to += 32) {
      v128.store(to, f32x4.mul(v128.load(b), alpha));
      v128.store(to, f32x4.mul(v128.load(b, 16), alpha), 16);
    }
    return;
  }
  for (let j = 0; j < columns; j++, b += d.bColumn) {
    let from = b;
    let at = to + (j << 2);
    for (let p = 0; p < k; p++, from += d.bRow, at += 32) store<f32>(at, load<f32>(from) * d.alpha);
  }
}

/** Unit of work: `unitRows` rows × `panelBlock` panels of one batch element. */
export function matmul(d: MatmulDesc, begin: i32, end: i32): void {
  const t = changetype<Tile>(d.workspace);
  t.taps = 1;
  t.len = d.k;
  t.rowPitch = <usize>d.tileRows << 2;
  t.aOffset = 0;
  t.bPitch = d.source ? 32 : d.bRow;
  t.cPitch = <usize>d.n << 2;
  t.residual = d.residual;
  t.epilogue = d.epilogue & 0xff;
  t.kind = d.kind;
  t.alpha = d.activationAlpha;
  t.beta = d.activationBeta;
  const records = d.workspace + workspaceHead;
  const staging = d.workspace + d.stagingOffset;
  const hasBias = d.epilogue & Epilogue.hasBias;
  const panels = (d.n + 7) >> 3;
  for (let unit = begin; unit < end; unit++) {
    const first = (unit % d.panelUnits) * d.panelBlock;
    const last = min(first + d.panelBlock, panels);
    const rest = unit / d.panelUnits;
    const row = (rest % d.rowUnits) * d.unitRows;
    const batch = rest / d.rowUnits;
    const rowEnd = min(row + d.unitRows, d.m);
    const a = d.a + load<usize>(d.aOffsets + (batch << 2));
    const b = d.b + load<usize>(d.bOffsets + (batch << 2));
    const y = d.y + <usize>batch * d.m * (<usize>d.n << 2);
    const packed = d.workspace + d.packedOffset;
    if (d.source == RightSource.packedPerUnit) {
      for (let p = first; p < last; p++) packPanel(d, packed + (p - first) * d.panelBytes, b, p << 3);
    }
    for (let i = row; i < rowEnd; i += d.rowBlock) {
      const tiles = placeMatrix(d, records, staging, a, y, i, min(i + d.rowBlock, rowEnd));
      for (let p = first; p < last; p++) {
        const column = p << 3;
        const bias = d.bias + (hasBias ? <usize>column << 2 : 0);
        let panel = b + (column << 2);
        if (d.source) panel = (d.source == RightSource.packedPerUnit ? packed + (p - first) * d.panelBytes : b + p * d.panelBytes) + 32;
        runPanel(t, records, tiles, bias, panel, column << 2, min(8, d.n - column));
      }
    }
  }
}
