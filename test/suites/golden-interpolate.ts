// Resizing in the golden set; see golden-ops.ts.
import { interpolateDefaults } from '../../src/ops/interpolate/interpolate-table.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import type { GoldenOp, GoldenOps } from './golden-context.ts';

/** PyTorch's modes, without the changes by align_corners and antialias. */
const modes: { readonly [torch: string]: object } = {
  nearest: { mode: 'nearest', coordinateMode: 'asymmetric', nearestMode: 'floor' },
  'nearest-exact': { mode: 'nearest', coordinateMode: 'half_pixel', nearestMode: 'round_prefer_ceil' },
  linear: { mode: 'linear' },
  bilinear: { mode: 'linear' },
  trilinear: { mode: 'linear' },
  bicubic: { mode: 'cubic' },
  area: { mode: 'area' },
};

const interpolate: GoldenOp = ({ attrs, input, run }) => {
  const x = input('x');
  const spatial = x.shape.slice(2);
  const factors: readonly number[] | undefined = attrs.scale_factor;
  const size: readonly number[] = attrs.size ?? spatial.map((d, i) => Math.floor(d * factors![i]));
  // A scale factor is used unchanged unless it is recomputed or corners are aligned, which determines the scale.
  const kept = factors !== undefined && attrs.recompute_scale_factor === false && !attrs.align_corners;
  const linear = attrs.mode.endsWith('linear') && !attrs.antialias;
  const given = {
    ...interpolateDefaults,
    ...modes[attrs.mode],
    outputShape: [...x.shape.slice(0, 2), ...size],
    // PyTorch's linear modes copy an axis that keeps its length, for any factor.
    scales: kept ? [1, 1, ...factors.map((f, i) => (size[i] === spatial[i] && linear ? 1 : f))] : null,
    ...(attrs.align_corners ? { coordinateMode: 'align_corners' } : {}),
    ...(attrs.antialias ? { antialias: true, excludeOutside: true, cubicCoeffA: -0.5 } : {}),
  };
  const y = run('interpolate', given, x);
  const unscaled = kept && size.some((d, i) => d === spatial[i] && factors[i] !== 1);
  if (attrs.mode !== 'nearest' || !unscaled) return [y];
  // The backward pass of PyTorch's nearest copies an axis that keeps its length, for any factor, but the forward pass does not, so
  // its gradient is not that of its output. This result has the value of the one and the gradient of the other.
  const back = run(
    'interpolate',
    { ...given, scales: [1, 1, ...factors.map((f, i) => (size[i] === spatial[i] ? 1 : f))] },
    x,
  );
  return [run('add', {}, back, run('sub', {}, fixed(y), fixed(back)))];
};

/** The same values without a gradient. */
const fixed = (x: Tensor): Tensor => tensor(x.data, x.shape);

/** Image.resize of Pillow on one plane. */
const pillow =
  (mode: string): GoldenOp =>
  ({ attrs, input, run }) => {
    const given = { ...interpolateDefaults, mode, outputShape: attrs.size };
    return [run('interpolate', { ...given, antialias: true, excludeOutside: true, cubicCoeffA: -0.5 }, input('x'))];
  };

export const interpolateGoldenOps: GoldenOps = {
  interpolate,
  lanczos3_pil: pillow('lanczos3'),
  bicubic_pil: pillow('cubic'),
};
