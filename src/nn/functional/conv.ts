import { apply1, type Variable } from '../../autograd/index.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { fits, refuse } from '../../common/options.ts';
import { samePadding } from '../../ops/window.ts';
import { type ConvOptions, type ConvTransposeOptions, convKnown, convTransposeKnown } from './options.ts';
import { pad } from './pad.ts';
import { perAxis } from './per-axis.ts';

export type { ConvOptions, ConvTransposeOptions } from './options.ts';

/** Cells before and after each axis. */
function padsOf(op: string, x: Variable, weight: Variable, options: ConvOptions): [number[], number[]] {
  const rank = x.rank - 2;
  const { padding = 0 } = options;
  if (padding === 'valid') return [new Array(rank).fill(0), new Array(rank).fill(0)];
  if (padding !== 'same') {
    const cells = perAxis(op, 'padding', padding, rank);
    return [cells, cells];
  }
  if (perAxis(op, 'stride', options.stride ?? 1, rank).some((s) => s !== 1))
    throw new ConvletError('argument', `${op}: padding 'same' expects stride 1, got ${JSON.stringify(options.stride)}`);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, rank);
  const pads = dilation.map((d, i) => samePadding(x.shape[i + 2], weight.shape[i + 2], 1, d));
  return [pads.map((p) => p.begin), pads.map((p) => p.end)];
}

const convolution =
  (op: string, rank: number) =>
  (x: Variable, weight: Variable, bias: Variable | null = null, options: ConvOptions = {}): Variable => {
    if (!fits(options, convKnown)) refuse(op, options, convKnown, { x, weight, bias });
    // PyTorch takes one example without its batch axis too.
    if (x.rank === rank + 1) return convolution(op, rank)(x.unsqueeze(0), weight, bias, options).squeeze(0);
    expectRank(op, x, rank + 2);
    let [padBegin, padEnd] = padsOf(op, x, weight, options);
    const { paddingMode = 'zeros', groups = 1 } = options;
    let data = x;
    if (paddingMode !== 'zeros') {
      const cells = padBegin.flatMap((_, i) => [padBegin[rank - 1 - i], padEnd[rank - 1 - i]]);
      data = pad(x, cells, paddingMode);
      [padBegin, padEnd] = [padBegin.map(() => 0), padEnd.map(() => 0)];
    }
    const stride = perAxis(op, 'stride', options.stride ?? 1, rank);
    const dilation = perAxis(op, 'dilation', options.dilation ?? 1, rank);
    return apply1('conv', [data, weight, bias, null], { stride, padBegin, padEnd, dilation, groups, activation: null });
  };

const transposed =
  (op: string, rank: number) =>
  (x: Variable, weight: Variable, bias: Variable | null = null, options: ConvTransposeOptions = {}): Variable => {
    if (!fits(options, convTransposeKnown)) refuse(op, options, convTransposeKnown, { x, weight, bias });
    if (x.rank === rank + 1) return transposed(op, rank)(x.unsqueeze(0), weight, bias, options).squeeze(0);
    expectRank(op, x, rank + 2);
    const of = (name: keyof ConvTransposeOptions, fallback: number): number[] =>
      perAxis(op, name, options[name] ?? fallback, rank);
    const padding = of('padding', 0);
    return apply1('convTranspose', [x, weight, bias], {
      stride: of('stride', 1),
      padBegin: padding,
      padEnd: padding,
      dilation: of('dilation', 1),
      outputPadding: of('outputPadding', 0),
      groups: options.groups ?? 1,
      activation: null,
    });
  };

function expectRank(op: string, x: Variable, rank: number): void {
  if (x.rank === rank) return;
  throw new ConvletError(
    'shape',
    `${op}: input expects rank ${rank} or ${rank - 1} (without batch), got shape ${shapeText(x.shape)}`,
  );
}

/** x [N,C,L], weight [O, C/groups, K], bias [O] or null → [N,O,L']. */
export const conv1d = convolution('conv1d', 1);
/** x [N,C,H,W], weight [O, C/groups, kH, kW], bias [O] or null → [N,O,H',W']. */
export const conv2d = convolution('conv2d', 2);
/** x [N,C,D,H,W], weight [O, C/groups, kD, kH, kW], bias [O] or null. */
export const conv3d = convolution('conv3d', 3);
/** x [N,C,L], weight [C, O/groups, K]. */
export const convTranspose1d = transposed('convTranspose1d', 1);
/**
 * x [N,C,H,W], weight [C, O/groups, kH, kW], bias [O] or null → [N,O,H',W'], H' = (H − 1) · stride − 2 · padding + dilation ·
 * (kH − 1) + outputPadding + 1.
 */
export const convTranspose2d = transposed('convTranspose2d', 2);
/** x [N,C,D,H,W], weight [C, O/groups, kD, kH, kW], bias [O] or null → [N,O,D',H',W'], sizes as of convTranspose2d. */
export const convTranspose3d = transposed('convTranspose3d', 3);

/** x [..., in] times weight [out, in] transposed, plus bias [out]. */
export function linear(x: Variable, weight: Variable, bias: Variable | null = null): Variable {
  const features = weight.shape[weight.rank - 1];
  if (x.shape[x.rank - 1] !== features)
    throw new ConvletError(
      'shape',
      `linear: expects ${features} input features, got ${x.shape[x.rank - 1] ?? 'none'} (shape ${shapeText(x.shape)})`,
    );
  const attrs = { transposeA: false, transposeB: true, alpha: 1, activation: null };
  return apply1('matmul', [x, weight, bias], attrs);
}
