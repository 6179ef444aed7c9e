import { writeDescriptor } from '../../../abi/descriptor.ts';
import { type PackPanelsDesc, PackPanelsDesc as PackPanelsLayout } from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import type { PrimName } from '../../prims/index.ts';
import type { Triple } from '../../prims/window.ts';
import type { WasmSession } from './session.ts';

/**
 * How a weight becomes panels [groups][⌈columns/8⌉][bias, K rows][8] (zero-padded), the right-hand side of every GEMM. K
 * runs over the taps of `kernel` and inside each over `channels`. Strides and offset in elements of the weight.
 */
export interface PanelShape {
  readonly groups: number;
  readonly columns: number;
  readonly channels: number;
  readonly kernel: Triple;
  readonly offset: number;
  readonly groupStride: number;
  readonly columnStride: number;
  readonly channelStride: number;
  readonly tapStrides: Triple;
  /** Factor of the weight, not of the bias. */
  readonly alpha: number;
}

export interface Panels {
  readonly address: number;
  readonly groupPanels: number;
  readonly panels: number;
  readonly panelBytes: number;
  /** Steps that pack them at run time; none for constants. */
  readonly steps: readonly Step[];
}

/** Panels of `weight`: packed once if weight and bias are constants, else by a step in each run. */
export function panelsOf(
  session: WasmSession,
  prim: PrimName,
  weight: Tensor,
  bias: Tensor | null,
  shape: PanelShape,
): Panels {
  const { groups, columns, channels, kernel } = shape;
  const rows = kernel[0] * kernel[1] * kernel[2] * channels + 1;
  const groupPanels = Math.ceil(columns / 8);
  const panels = groups * groupPanels;
  const panelBytes = rows * 32;
  const common = { groupPanels, panels, panelBytes };
  if (weight.constant && (bias === null || bias.constant)) {
    const form = `panels ${session.identity(bias)} ${Object.values(shape).join(' ')}`;
    const address = session.packed(weight, form, panels * panelBytes, (to) => {
      packConstant(session, weight, bias, to, shape, groupPanels);
    });
    return { ...common, address, steps: [] };
  }
  const address = session.reserve(panels * panelBytes);
  const values = descriptorOf(shape, {
    weight: session.address(weight),
    bias: session.addressOrNull(bias),
    to: address,
    groupPanels,
  });
  return { ...common, address, steps: [session.step(prim, 'packPanels', PackPanelsLayout, values, panels)] };
}

function descriptorOf(
  shape: PanelShape,
  at: Pick<PackPanelsDesc, 'weight' | 'bias' | 'to' | 'groupPanels'>,
): PackPanelsDesc {
  const { kernel, tapStrides } = shape;
  return {
    ...at,
    weight: (at.weight + shape.offset * 4) >>> 0,
    columns: shape.columns,
    channels: shape.channels,
    kernelD: kernel[0],
    kernelH: kernel[1],
    kernelW: kernel[2],
    groupStride: shape.groupStride,
    columnStride: shape.columnStride,
    channelStride: shape.channelStride,
    strideD: tapStrides[0],
    strideH: tapStrides[1],
    strideW: tapStrides[2],
    alpha: shape.alpha,
  };
}

/**
 * Elements of a weight that are copied into linear memory at a time, if its order allows it: 256 KB, which stay in the
 * second-level cache. With 4 MB, page faults of that new memory were a quarter of the time to the first result.
 */
export const chunkElements = 1 << 16;

/**
 * Packs a constant with the kernel, part by part. 100 MB take 90 ms; most of that is page faults if the destination is new memory.
 * Loops in JavaScript that write column by column took five times as long.
 */
function packConstant(
  session: WasmSession,
  weight: Tensor,
  bias: Tensor | null,
  to: number,
  shape: PanelShape,
  groupPanels: number,
): void {
  const { groups, columns, channels, kernel, tapStrides } = shape;
  const { memory, kernels } = session.backend;
  // Distance from the first element of a column to its last.
  const columnReach = kernel.reduce((sum, n, i) => sum + (n - 1) * tapStrides[i], (channels - 1) * shape.channelStride);
  const cuttable = columnReach < 8 * shape.columnStride;
  const panelsAtOnce = cuttable ? Math.max(1, Math.floor(chunkElements / (8 * shape.columnStride))) : groupPanels;
  const reach = (Math.min(columns, panelsAtOnce * 8) - 1) * shape.columnStride + columnReach + 1;
  const biasBytes = bias === null ? 0 : bias.byteLength;
  const biasOffset = Math.ceil((reach * 4) / 64) * 64;
  const descriptorOffset = biasOffset + Math.ceil(biasBytes / 64) * 64;
  const scratch = memory.allocate(descriptorOffset + PackPanelsLayout.size);
  try {
    const base = scratch.byteOffset;
    const buffer = memory.memory.buffer;
    const bytes = new Uint8Array(buffer);
    const views = { u32: new Uint32Array(buffer), f32: new Float32Array(buffer) };
    if (bias !== null) bias.copyTo(bytes.subarray(base + biasOffset, base + biasOffset + biasBytes));
    for (let g = 0; g < groups; g++) {
      for (let p = 0; p < groupPanels; p += panelsAtOnce) {
        const first = shape.offset + g * shape.groupStride + p * 8 * shape.columnStride;
        const last = Math.min(first + reach, weight.size);
        weight.copyTo(bytes.subarray(base, base + (last - first) * 4), first * 4);
        const values = descriptorOf(shape, {
          // The kernel's addresses count from the first element of the weight, but only this part of it is in memory.
          weight: base - first * 4,
          bias: bias === null ? 0 : base + biasOffset,
          to,
          groupPanels,
        });
        writeDescriptor(views, base + descriptorOffset, PackPanelsLayout, values);
        const begin = g * groupPanels + p;
        kernels.packPanels(base + descriptorOffset, begin, Math.min(begin + panelsAtOnce, (g + 1) * groupPanels));
      }
    }
  } finally {
    scratch.free();
  }
}
