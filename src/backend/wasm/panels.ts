import { PackPanelsDesc } from '../../abi/generated/abi.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Step } from '../backend.ts';
import type { PrimName, Triple } from '../prims.ts';
import type { WasmSession } from './backend.ts';

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
  /** What packs them at run time; empty for constants. */
  readonly steps: readonly Step[];
}

/** Panels of `weight`: packed once where weight and bias are constants, else by a step of their own. */
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
    const form = `panels ${identity(bias)} ${Object.values(shape).join(' ')}`;
    const address = session.packed(weight, form, panels * panelBytes, (to) => {
      packPanels(
        weight.array as Float32Array,
        bias === null ? null : (bias.array as Float32Array),
        session.floats(to, panels * rows * 8),
        shape,
      );
    });
    return { ...common, address, steps: [] };
  }
  const address = session.reserve(panels * panelBytes);
  const values = {
    weight: session.address(weight) + shape.offset * 4,
    bias: session.addressOrNull(bias),
    to: address,
    columns,
    groupPanels,
    channels,
    kernelD: kernel[0],
    kernelH: kernel[1],
    kernelW: kernel[2],
    groupStride: shape.groupStride,
    columnStride: shape.columnStride,
    channelStride: shape.channelStride,
    strideD: shape.tapStrides[0],
    strideH: shape.tapStrides[1],
    strideW: shape.tapStrides[2],
    alpha: shape.alpha,
  };
  return { ...common, address, steps: [session.step(prim, 'packPanels', PackPanelsDesc, values, panels)] };
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** Two tensors of the same memory have the same text, others never. */
function identity(tensor: Tensor | null): string {
  if (tensor === null) return '-';
  const { buffer, byteOffset } = tensor.array;
  let id = identities.get(buffer);
  if (id === undefined) {
    id = nextIdentity++;
    identities.set(buffer, id);
  }
  return `${id}:${byteOffset}`;
}

function packPanels(weight: Float32Array, bias: Float32Array | null, to: Float32Array, shape: PanelShape): void {
  const { groups, columns, channels, kernel, offset, groupStride, columnStride, channelStride, tapStrides, alpha } = shape;
  const [kernelD, kernelH, kernelW] = kernel;
  const rows = kernelD * kernelH * kernelW * channels + 1;
  // The storage may have been used before: absent columns must read as zero.
  if (columns % 8 !== 0) to.fill(0);
  let panel = 0;
  for (let g = 0; g < groups; g++) {
    for (let first = 0; first < columns; first += 8, panel += rows * 8) {
      for (let j = 0; j < 8 && first + j < columns; j++) {
        const column = offset + g * groupStride + (first + j) * columnStride;
        to[panel + j] = bias === null ? 0 : bias[g * columns + first + j];
        let at = panel + 8 + j;
        for (let kd = 0; kd < kernelD; kd++) {
          for (let kh = 0; kh < kernelH; kh++) {
            for (let kw = 0; kw < kernelW; kw++) {
              let from = column + kd * tapStrides[0] + kh * tapStrides[1] + kw * tapStrides[2];
              for (let c = 0; c < channels; c++, from += channelStride, at += 8) to[at] = weight[from] * alpha;
            }
          }
        }
      }
    }
  }
}
