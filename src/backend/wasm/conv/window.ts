import {
  Addressing,
  ConvDesc,
  DepthwiseDesc,
  DepthwiseRow,
  depthwisePixels,
  recordHead,
  workspaceHead,
} from '../../../abi/generated/abi.ts';
import { product } from '../../../common/numbers.ts';
import type { Step } from '../../backend.ts';
import type { PrimName } from '../../prims/index.ts';
import type { Triple } from '../../prims/window.ts';
import { panelBlockOf, roundUp, rowBlockOf, tileRowsOf } from '../core/blocks.ts';
import type { Epilogue } from '../core/epilogue.ts';
import { geometryFields } from '../core/geometry.ts';
import type { Panels } from '../core/panels.ts';
import type { WasmSession } from '../core/session.ts';

/**
 * What the convolution kernels compute: at every point o of a grid, Σ_k w[k] · x[o · stride + k · dilation − pad]. A
 * convolution has one grid; a transposed convolution has a grid per phase, with negative dilation and an output stride.
 */
export interface WindowShape {
  readonly batch: number;
  readonly input: Triple;
  readonly grid: Triple;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly dilation: Triple;
  readonly pad: Triple;
  readonly channels: number;
  readonly outChannels: number;
  readonly groups: number;
  /** Addresses; `y` is that of the first grid point. */
  readonly x: number;
  /** Bytes from pixel to pixel of x. */
  readonly xPixel: number;
  readonly y: number;
  /** Bytes between grid points along W, H, D and batch. */
  readonly yPitch: readonly [pixel: number, row: number, plane: number, batch: number];
}

/** The fields that ConvDesc and DepthwiseDesc share. */
function commonFields({ x, y, grid, pad, xPixel, yPitch, ...shape }: WindowShape, panels: Panels, epilogue: Epilogue) {
  return {
    x,
    y,
    weight: panels.address,
    workspace: 0,
    ...geometryFields({ ...shape, output: grid, padBegin: pad }),
    pixel: xPixel,
    yPixel: yPitch[0],
    yRow: yPitch[1],
    yPlane: yPitch[2],
    yBatch: yPitch[3],
    panelBytes: panels.panelBytes,
    ...epilogue,
  };
}

/** Whether grid points are equally far apart, also from the end of a row to the next row. */
const isContiguous = ({ grid, yPitch }: WindowShape): boolean =>
  yPitch[1] === grid[2] * yPitch[0] && yPitch[2] === grid[1] * yPitch[1] && yPitch[3] === grid[0] * yPitch[2];

/** Tiles across images (Addressing.acrossImages) are faster from so many images and such a share of taps in the padding on. */
const leastImages = 12;
const leastPadding = 0.1;

const isPlane = ({ input, grid, kernel, pad }: WindowShape): boolean =>
  input[0] === 1 && grid[0] === 1 && kernel[0] === 1 && pad[0] === 0 && pad[2] >= 0;

/** Share of the taps, over all grid points, that are outside the input. */
function paddedShare({ input, grid, kernel, stride, dilation, pad }: WindowShape): number {
  let inside = 1;
  for (let axis = 0; axis < 3; axis++) {
    let count = 0;
    for (let k = 0; k < kernel[axis]; k++) {
      for (let o = 0; o < grid[axis]; o++) {
        const i = o * stride[axis] + k * dilation[axis] - pad[axis];
        if (i >= 0 && i < input[axis]) count++;
      }
    }
    inside *= count / (kernel[axis] * grid[axis]);
  }
  return 1 - inside;
}

interface Blocks {
  readonly rowBlock: number;
  readonly rowBlocks: number;
  /** The most tiles of a block, and bytes of input that a block copies. */
  readonly tiles: number;
  readonly staging: number;
}

/** Rows of A in one unit of work, by addressing mode. */
const blocksOf: {
  readonly [mode in keyof typeof Addressing]: (session: WasmSession, shape: WindowShape, contiguous: boolean) => Blocks;
} = {
  byTap: plainBlocks,
  byRun(session, shape, contiguous) {
    const blocks = plainBlocks(session, shape, contiguous);
    return { ...blocks, staging: blocks.rowBlock * product(shape.kernel) * shape.channels * 4 + 64 };
  },
  acrossImages(session, { batch, grid }) {
    const positions = product(grid);
    const rowBlock = Math.min(Math.max(1, Math.round(240 / batch)), positions);
    const tiles = rowBlock * Math.ceil(batch / tileRowsOf(session));
    return { rowBlock, rowBlocks: Math.ceil(positions / rowBlock), tiles, staging: 0 };
  },
  padded(session, { batch, grid, kernel, stride, dilation, channels }) {
    const most = Math.max(1, Math.floor(240 / grid[2]));
    const rowBlock = Math.ceil(grid[1] / Math.ceil(grid[1] / most));
    const inputRows = (rowBlock - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1;
    const pitch = ((grid[2] - 1) * stride[2] + kernel[2]) * channels * 4 + 32;
    const tiles = Math.ceil((rowBlock * grid[2]) / tileRowsOf(session));
    return { rowBlock, rowBlocks: batch * Math.ceil(grid[1] / rowBlock), tiles, staging: inputRows * pitch + 64 };
  },
};

function plainBlocks(session: WasmSession, shape: WindowShape, contiguous: boolean): Blocks {
  const { batch, grid, channels, kernel } = shape;
  const rows = batch * product(grid);
  const most = rowBlockOf(session, rows, channels * 4 * Math.min(product(kernel), 4));
  // If the output is not contiguous, tiles end with its lines. Blocks are whole lines then, so that tiles do not depend on the blocks.
  const rowBlock = contiguous ? most : roundUp(most, grid[2]);
  const tiles = contiguous ? Math.ceil(rowBlock / tileRowsOf(session)) : rowBlock;
  return { rowBlock, rowBlocks: Math.ceil(rows / rowBlock), tiles, staging: 0 };
}

/** GEMM over addresses, for any convolution. Unit: a block of grid points × a block of panels. */
export function gemmStep(
  session: WasmSession,
  prim: PrimName,
  shape: WindowShape,
  panels: Panels,
  epilogue: Epilogue,
): Step {
  const { kernel, groups, channels, outChannels } = shape;
  const perGroup = channels / groups;
  const columns = outChannels / groups;
  const taps = product(kernel);
  const runLength = kernel[2] * channels;
  // Few channels: longer runs for the inner loop, which need copies at the left and right border.
  const byRun =
    groups === 1 && channels < 8 && kernel[2] > 1 && shape.dilation[2] === 1 && shape.xPixel === channels * 4;
  const [addresses, len] = byRun ? [kernel[0] * kernel[1], runLength] : [taps, perGroup];
  const contiguous = isContiguous(shape);
  const mode = byRun
    ? contiguous && isPlane(shape)
      ? 'padded'
      : 'byRun'
    : shape.batch >= leastImages && paddedShare(shape) > leastPadding
      ? 'acrossImages'
      : 'byTap';
  const { rowBlock, rowBlocks, tiles, staging } = blocksOf[mode](session, shape, contiguous);
  const panelBlock = panelBlockOf(session, rowBlocks, panels.panels);
  const panelBlocks = Math.ceil(panels.panels / panelBlock);
  const stagingOffset = workspaceHead + tiles * (recordHead + addresses * tileRowsOf(session) * 4);
  const values = {
    ...commonFields(shape, panels, epilogue),
    batch: shape.batch,
    contiguous: Number(contiguous),
    groupPanels: panels.groupPanels,
    panels: panels.panels,
    tileRows: tileRowsOf(session),
    zeros: session.zeros(Math.max(channels, runLength) * 4 + 64),
    mode: Addressing[mode],
    taps: addresses,
    len,
    columns,
    groupInput: perGroup * 4,
    groupOutput: columns * 4,
    rowBlock,
    panelBlock,
    panelBlocks,
    stagingOffset,
  };
  return session.step(prim, 'conv', ConvDesc, values, rowBlocks * panelBlocks, { workspace: stagingOffset + staging });
}

/** The number of the kernel's loop for rows of `taps` taps and such a stride, if it has one. */
const depthwiseRow = (taps: number, stride: number): number | undefined =>
  DepthwiseRow[`taps${taps}stride${stride}` as keyof typeof DepthwiseRow];

/** One kernel per channel. Unit: a row of grid points. */
export function depthwiseStep(
  session: WasmSession,
  prim: PrimName,
  shape: WindowShape,
  panels: Panels,
  epilogue: Epilogue,
): Step {
  const { kernel, channels, stride, dilation, grid } = shape;
  const ofRow = dilation[2] === 1 ? depthwiseRow(kernel[2], stride[2]) : undefined;
  const rowTaps = ofRow === undefined ? 1 : kernel[2];
  const tableRows = product(kernel) / rowTaps;
  const addresses = (depthwisePixels - 1) * (ofRow === undefined ? 1 : stride[2]) + rowTaps;
  const values = {
    ...commonFields(shape, panels, epilogue),
    zeros: session.zeros(channels * 4 + 64),
    channels,
    row: ofRow ?? DepthwiseRow.tap,
    rowTaps,
    tableRows,
  };
  const units = shape.batch * grid[0] * grid[1];
  return session.step(prim, 'convDepthwise', DepthwiseDesc, values, units, { workspace: tableRows * addresses * 4 });
}
