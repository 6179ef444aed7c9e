import { apply1, type Variable } from '../../autograd/index.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { expectKind, fits, flag, refuse } from '../../common/options.ts';
import { expectWhole } from '../../ops/check.ts';
import { interpolateDefaults } from '../../ops/interpolate/interpolate-table.ts';
import {
  type GridSampleOptions,
  gridSampleKnown,
  type InterpolateMode,
  type InterpolateOptions,
  interpolateKnown,
  type WindowOptions,
  windowKnown,
} from './options.ts';
import { type PerAxis, perAxis } from './per-axis.ts';

export type { GridSampleOptions, InterpolateMode, InterpolateOptions, WindowOptions } from './options.ts';

const modes = {
  nearest: { mode: 'nearest', coordinateMode: 'asymmetric', nearestMode: 'floor' },
  'nearest-exact': { mode: 'nearest', coordinateMode: 'half_pixel', nearestMode: 'round_prefer_ceil' },
  linear: { mode: 'linear' },
  bilinear: { mode: 'linear' },
  trilinear: { mode: 'linear' },
  bicubic: { mode: 'cubic' },
  area: { mode: 'area' },
  lanczos3: { mode: 'lanczos3' },
} as const satisfies Record<InterpolateMode, object>;
/** Resizes the spatial axes of x [N,C,…], as torch.nn.functional.interpolate. */
export function interpolate(x: Variable, options: InterpolateOptions): Variable {
  if (!fits(options, interpolateKnown)) refuse('interpolate', options, interpolateKnown, { x });
  if (options === undefined) throw new ConvletError('argument', 'interpolate: expects { size } or { scaleFactor }');
  const { mode = 'nearest', alignCorners = false, recomputeScaleFactor = false } = options;
  const rank = x.rank - 2;
  if (rank < 1 || rank > 3)
    throw new ConvletError('shape', `interpolate: input expects rank 3 to 5, got shape ${shapeText(x.shape)}`);
  if ((options.size === undefined) === (options.scaleFactor === undefined))
    throw new ConvletError('argument', 'interpolate: expects either size or scaleFactor');
  const spatial = x.shape.slice(2);
  const factors =
    options.scaleFactor === undefined ? null : perAxis('interpolate', 'scaleFactor', options.scaleFactor, rank);
  const size =
    factors === null
      ? perAxis('interpolate', 'size', options.size, rank)
      : spatial.map((d, i) => Math.floor(d * factors[i]));
  expectWhole('interpolate', 'size', size, rank, 1);
  const antialias = options.antialias || mode === 'lanczos3';
  const kept = factors !== null && !recomputeScaleFactor && !alignCorners && mode !== 'area';
  // PyTorch's linear modes copy an axis that keeps its length, also if its factor is not 1.
  const linear = modes[mode].mode === 'linear' && !antialias;
  return apply1('interpolate', [x], {
    ...interpolateDefaults,
    ...modes[mode],
    outputShape: [...x.shape.slice(0, 2), ...size],
    scales: kept ? [1, 1, ...factors.map((f, i) => (size[i] === spatial[i] && linear ? 1 : f))] : null,
    ...(alignCorners ? { coordinateMode: 'align_corners' } : {}),
    ...(antialias ? { antialias: true, excludeOutside: true, cubicCoeffA: -0.5 } : {}),
  });
}

/** [N, C·r², H, W] → [N, C, H·r, W·r] (Shi et al. 2016). */
export const pixelShuffle = (x: Variable, upscaleFactor: number): Variable =>
  apply1('depthToSpace', [x], { blockSize: upscaleFactor, mode: 'CRD' });

/** [N, C, H·r, W·r] → [N, C·r², H, W]. */
export function pixelUnshuffle(x: Variable, downscaleFactor: number): Variable {
  const [n, c, h, w] = x.shape;
  const r = downscaleFactor;
  if (x.rank !== 4 || h % r !== 0 || w % r !== 0)
    throw new ConvletError(
      'shape',
      `pixelUnshuffle: expects [N,C,H,W] with multiples of ${r}, got ${shapeText(x.shape)}`,
    );
  return x
    .reshape(n, c, h / r, r, w / r, r)
    .permute(0, 1, 3, 5, 2, 4)
    .reshape(n, c * r * r, h / r, w / r);
}

/** Mixes the channels of groups: channel g · (C / groups) + i goes to i · groups + g (Zhang et al. 2018). */
export const channelShuffle = (x: Variable, groups: number): Variable => apply1('channelShuffle', [x], { groups });

function window2d(op: string, kernelSize: PerAxis, options: WindowOptions) {
  const padding = perAxis(op, 'padding', options.padding ?? 0, 2);
  return {
    kernel: perAxis(op, 'kernelSize', kernelSize, 2),
    stride: perAxis(op, 'stride', options.stride ?? 1, 2),
    dilation: perAxis(op, 'dilation', options.dilation ?? 1, 2),
    padBegin: padding,
    padEnd: padding,
  };
}

/** [N,C,H,W] → [N, C·kH·kW, L]: the cells of every window as a column. */
export function unfold(x: Variable, kernelSize: PerAxis, options: WindowOptions = {}): Variable {
  if (!fits(options, windowKnown)) refuse('unfold', options, windowKnown, { x, kernelSize });
  return apply1('unfold', [x], window2d('unfold', kernelSize, options));
}

/** [N, C·kH·kW, L] → [N,C,H,W]: the columns added up at their places. */
export function fold(x: Variable, outputSize: PerAxis, kernelSize: PerAxis, options: WindowOptions = {}): Variable {
  if (!fits(options, windowKnown)) refuse('fold', options, windowKnown, { x, outputSize, kernelSize });
  return apply1('fold', [x], {
    ...window2d('fold', kernelSize, options),
    outputSize: perAxis('fold', 'outputSize', outputSize, 2),
  });
}

const sampleModes = { bilinear: 'linear', nearest: 'nearest', bicubic: 'cubic' } as const;

/** Values of x [N,C,H,W] at the places of grid [N,H',W',2] (x, y in −1…1). */
export function gridSample(x: Variable, grid: Variable, options: GridSampleOptions = {}): Variable {
  if (!fits(options, gridSampleKnown)) refuse('gridSample', options, gridSampleKnown, { x, grid });
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options;
  return apply1('gridSample', [x, grid], { mode: sampleModes[mode], paddingMode, alignCorners });
}

/** A grid for gridSample from affine matrices theta [N,2,3] or [N,3,4]; size: [N,C,H,W] or [N,C,D,H,W]. */
export function affineGrid(theta: Variable, size: readonly number[], alignCorners = false): Variable {
  expectKind('affineGrid', 'alignCorners', alignCorners, flag);
  return apply1('affineGrid', [theta], { size, alignCorners });
}
