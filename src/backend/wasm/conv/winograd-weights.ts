import { writeDescriptor } from '../../../abi/descriptor.ts';
import { PackWinogradDesc } from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import type { ConvAttrs } from '../../prims/conv.ts';
import { chunkElements } from '../core/panels.ts';
import type { WasmSession } from '../core/session.ts';

/** Output pixels of a tile along each axis: F(4×4, 3×3) and F(2×2, 3×3). */
export type TileSize = 4 | 2;

export interface TransformedWeights {
  readonly address: number;
  /** Steps that transform them at run time; none for constants. */
  readonly steps: readonly Step[];
}

/**
 * Strides of the filters of a weight, in bytes: [columns][channels][3][3]; for transposed convolutions [channels][columns][3][3] with
 * the taps in reverse order.
 */
function filtersOf(prim: 'conv' | 'convTranspose', { channels, outChannels }: ConvAttrs) {
  return prim === 'conv'
    ? { columnStride: channels * 36, channelStride: 36, tapStride: 4, first: 0 }
    : { columnStride: 36, channelStride: outChannels * 36, tapStride: -4, first: 32 };
}

/** Weights transformed by a kernel: constants once per session, others in each run, by a step before the one that uses them. */
export function transformedWeights(
  session: WasmSession,
  prim: 'conv' | 'convTranspose',
  weight: Tensor,
  attrs: ConvAttrs,
  size: TileSize,
  matrixBytes: number,
): TransformedWeights {
  const { channels, outChannels } = attrs;
  const { first, ...strides } = filtersOf(prim, attrs);
  const panels = Math.ceil(outChannels / 8);
  const common = { size, columns: outChannels, channels, matrixBytes, ...strides };
  const bytes = matrixBytes * (size + 2) ** 2;
  if (!weight.constant) {
    const address = session.scratch(bytes);
    const values = { ...common, weight: session.address(weight) + first, to: address };
    return { address, steps: [session.step(prim, 'packWinograd', PackWinogradDesc, values, panels)] };
  }
  const address = session.packed(weight, `winograd ${prim} ${size} ${channels} ${outChannels}`, bytes, (to) => {
    const { memory, kernels } = session.backend;
    const panelElements = 8 * channels * 9;
    const cuttable = prim === 'conv';
    const atOnce = cuttable ? Math.min(panels, Math.max(1, Math.floor(chunkElements / panelElements))) : panels;
    const window = memory.allocate(atOnce * panelElements * 4 + PackWinogradDesc.size);
    try {
      const buffer = memory.memory.buffer;
      const bytes = new Uint8Array(buffer);
      const views = { u32: new Uint32Array(buffer), f32: new Float32Array(buffer) };
      const at = window.byteOffset + PackWinogradDesc.size;
      for (let panel = 0; panel < panels; panel += atOnce) {
        const begin = panel * panelElements;
        const end = Math.min(begin + atOnce * panelElements, weight.size);
        weight.copyTo(bytes.subarray(at, at + (end - begin) * 4), begin * 4);
        writeDescriptor(views, window.byteOffset, PackWinogradDesc, {
          ...common,
          // The kernel's addresses count from the first panel, but only this part of the weight is in memory.
          weight: (at + first - begin * 4) >>> 0,
          to,
        });
        kernels.packWinograd(window.byteOffset, panel, Math.min(panel + atOnce, panels));
      }
    } finally {
      window.free();
    }
  });
  return { address, steps: [] };
}
