import { Epilogue, MatmulDesc, RightSource, recordHead, workspaceHead } from '../../../abi/generated/abi.ts';
import type { MatmulAttrs } from '../../prims/matmul.ts';
import { panelBlockOf, rowBlockOf, tileRowsOf } from '../core/blocks.ts';
import { epilogueOf } from '../core/epilogue.ts';
import { panelsOf } from '../core/panels.ts';
import { nothingToSum, otherThanFloat32, unknownActivation, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';

/** Up to so many rows it is faster to read a row-major B as it is than to pack it first. */
const fewRows = 12;

export const matmul: WasmPrim<'matmul'> = ({ inputs, outputs, attrs }, session) => {
  const [a, b, bias, residual] = inputs;
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  const { m, n, k, alpha, aOffsets } = attrs;
  const batch = aOffsets.length;
  if (batch * m * n === 0) return [];
  if (k === 0) return nothingToSum();
  const epilogue = epilogueOf(session, outputs[0], residual ?? null, attrs.activation);
  if (epilogue === null) return unknownActivation(attrs.activation);
  const kind = b!.constant ? 'packed' : attrs.bColumn === 1 && alpha === 1 && m <= fewRows ? 'asIs' : 'packedPerUnit';
  const right = kind === 'packed' ? constantPanels(session, attrs, b!) : null;
  const panels = Math.ceil(n / 8);
  const panelBytes = (k + 1) * 32;
  const tileRows = tileRowsOf(session);
  const rowBlock = rowBlockOf(session, m, k * 4);
  const unitRows = kind === 'packed' ? rowBlock : m;
  const rowUnits = Math.ceil(m / unitRows);
  // Panels that a unit packs should stay in the second-level cache. Without packing the limit is that of convolutions.
  const fitting = kind === 'packedPerUnit' ? Math.min(8, Math.max(1, Math.floor(262144 / panelBytes))) : panels;
  const panelBlock = Math.min(fitting, panelBlockOf(session, rowUnits * batch, panels));
  const panelUnits = Math.ceil(panels / panelBlock);
  const packedOffset = workspaceHead + Math.ceil(rowBlock / tileRows) * (recordHead + tileRows * 4);
  const stagingOffset = packedOffset + (kind === 'packedPerUnit' ? panelBlock * panelBytes : 0);
  const staging = attrs.aColumn === 1 || k === 1 ? 0 : rowBlock * k * 4 + 64;
  const values = {
    a: session.address(a!),
    b: right?.address ?? session.address(b!),
    bias: bias === null ? session.zeros(64) : session.address(bias),
    y: session.address(outputs[0]),
    workspace: 0,
    aOffsets: table(session, aOffsets, 4),
    bOffsets: right === null ? table(session, attrs.bOffsets, 4) : table(session, right.offsets, 1),
    m,
    n,
    k,
    aRow: offset(attrs.aRow),
    aColumn: offset(attrs.aColumn),
    bRow: offset(attrs.bRow),
    bColumn: offset(attrs.bColumn),
    source: RightSource[kind],
    alpha,
    tileRows,
    unitRows,
    rowBlock,
    rowUnits,
    panelBlock,
    panelUnits,
    panelBytes,
    packedOffset,
    stagingOffset,
    epilogue: epilogue.epilogue | (bias === null ? 0 : Epilogue.hasBias),
    residual: epilogue.residual,
    kind: epilogue.kind,
    activationAlpha: epilogue.alpha,
    activationBeta: epilogue.beta,
  };
  const units = batch * rowUnits * panelUnits;
  return [session.step('matmul', 'matmul', MatmulDesc, values, units, { workspace: stagingOffset + staging })];
};

/** Byte offsets in a descriptor are modulo 2³², so strides may be negative. */
const offset = (elements: number): number => (elements * 4) >>> 0;

function table(session: WasmSession, values: readonly number[], scale: number): number {
  const address = session.reserve(values.length * 4);
  const view = new Uint32Array(session.backend.memory.memory.buffer, address, values.length);
  values.forEach((value, i) => {
    view[i] = value * scale;
  });
  return address;
}

/** The distinct matrices of a constant B, packed one after another; `offsets`: per batch element, in bytes. */
function constantPanels(
  session: WasmSession,
  { n, k, bOffsets, bRow, bColumn, alpha }: MatmulAttrs,
  b: NonNullable<Parameters<typeof panelsOf>[2]>,
): { address: number; offsets: number[] } {
  const addresses = new Map<number, number>();
  for (const offset of bOffsets) {
    if (addresses.has(offset)) continue;
    const shape = {
      groups: 1,
      columns: n,
      channels: k,
      kernel: [1, 1, 1] as const,
      offset,
      groupStride: 0,
      columnStride: bColumn,
      channelStride: bRow,
      tapStrides: [0, 0, 0] as const,
      alpha,
    };
    addresses.set(offset, panelsOf(session, 'matmul', b, null, shape).address);
  }
  const address = Math.min(...addresses.values());
  return { address, offsets: bOffsets.map((offset) => addresses.get(offset)! - address) };
}
