import { product } from '../../../common/numbers.ts';
import type { PrimCall } from '../../backend.ts';
import { type ConvAttrs, convInputs } from '../../prims/conv.ts';
import { type Algorithm, type Choice, choose, lowerBy } from '../core/algorithm.ts';
import { type Epilogue, epilogueOf } from '../core/epilogue.ts';
import { panelsOf } from '../core/panels.ts';
import { Declined, nothingToSum, otherThanFloat32, unknownActivation, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';
import { type ConvCosts, gemmCost, winogradCost, winogradRowCost } from './conv-cost.ts';
import { depthwiseStep, gemmStep, type WindowShape } from './window.ts';
import { cannotTransform, planWinograd, winogradSteps } from './winograd.ts';
import { cannotTransformRows, winogradRowSteps } from './winograd-row.ts';
import type { TileSize } from './winograd-weights.ts';

/** Output cells, and additions per output; if either is 0, kernels have no loop to run. */
export const outputsOf = (a: ConvAttrs): number => a.batch * product(a.output) * a.outChannels;
export const depthOf = (a: ConvAttrs): number => (a.channels / a.groups) * product(a.kernel) * product(a.input);

export const isDepthwise = (a: ConvAttrs): boolean =>
  a.groups > 1 && a.groups === a.channels && a.groups === a.outChannels;

/** The addresses of the operands, and the epilogue of the results. */
interface Context {
  readonly shape: WindowShape;
  readonly epilogue: Epilogue;
}

export interface ConvAlgorithm extends Algorithm<'conv', Context> {
  /** `costs`: other constants than those of conv-cost.ts, for a fit. */
  cost(call: PrimCall<'conv'>, session: WasmSession, costs?: ConvCosts): number | Declined;
}

const winograd = (size: TileSize): ConvAlgorithm => ({
  name: `winograd${size}`,
  detail: ({ attrs }, session) => `${planWinograd(attrs, size, session).chunk} tiles a chunk`,
  cost: (call, session, costs) =>
    cannotTransform(call, session) ??
    winogradCost(planWinograd(call.attrs, size, session), call.inputs[convInputs.weight]!.constant, costs),
  lower: (call, session, { shape, epilogue }) =>
    winogradSteps(call, session, shape, epilogue, planWinograd(call.attrs, size, session)),
});

/** `chooseConv` takes the cheapest of these. */
export const convAlgorithms: readonly ConvAlgorithm[] = [
  {
    name: 'depthwise',
    cost: ({ attrs }) => (isDepthwise(attrs) ? 0 : new Declined('not one kernel per channel')),
    lower({ inputs: [, weight, bias], attrs: { channels, kernel } }, session, { shape, epilogue }) {
      const panels = panelsOf(session, 'conv', weight!, bias, {
        groups: 1,
        columns: channels,
        channels: 1,
        kernel,
        offset: 0,
        groupStride: 0,
        columnStride: product(kernel),
        channelStride: 0,
        tapStrides: [kernel[1] * kernel[2], kernel[2], 1],
        alpha: 1,
      });
      return [...panels.steps, depthwiseStep(session, 'conv', shape, panels, epilogue)];
    },
  },
  winograd(4),
  winograd(2),
  {
    name: 'winogradRow',
    cost: (call, session, costs) => cannotTransformRows(call, session) ?? winogradRowCost(call.attrs, costs),
    lower: (call, session, { shape, epilogue }) => winogradRowSteps(call, session, shape, epilogue),
  },
  {
    name: 'gemm',
    cost: ({ attrs }, _, costs) => gemmCost(attrs, costs),
    lower({ inputs: [, weight, bias], attrs }, session, { shape, epilogue }) {
      const { groups, kernel } = attrs;
      const channels = attrs.channels / groups;
      const columns = attrs.outChannels / groups;
      const taps = product(kernel);
      const panels = panelsOf(session, 'conv', weight!, bias, {
        groups,
        columns,
        channels,
        kernel,
        offset: 0,
        groupStride: columns * channels * taps,
        columnStride: channels * taps,
        channelStride: taps,
        tapStrides: [kernel[1] * kernel[2], kernel[2], 1],
        alpha: 1,
      });
      return [...panels.steps, gemmStep(session, 'conv', shape, panels, epilogue)];
    },
  },
];

export type ConvChoice = Choice<'conv', Context, ConvAlgorithm>;

/** The binding of a convolution whose algorithm `by` chooses. */
export const convBy =
  (by: (call: PrimCall<'conv'>, session: WasmSession) => ConvChoice): WasmPrim<'conv'> =>
  (call, session) => {
    const { inputs, outputs, attrs, pitch } = call;
    const other = otherThanFloat32(inputs, outputs);
    if (other !== null) return other;
    if (outputsOf(attrs) === 0) return [];
    if (depthOf(attrs) === 0) return nothingToSum();
    const epilogue = epilogueOf(session, outputs[0], inputs[convInputs.residual] ?? null, attrs.activation);
    if (epilogue === null) return unknownActivation(attrs.activation);
    const { output, channels, outChannels } = attrs;
    const pixel = (pitch?.y || outChannels) * 4;
    const row = output[2] * pixel;
    const plane = output[1] * row;
    const shape: WindowShape = {
      ...attrs,
      grid: output,
      pad: attrs.padBegin,
      x: session.address(inputs[0]!),
      xPixel: (pitch?.x || channels) * 4,
      y: session.address(outputs[0]),
      yPitch: [pixel, row, plane, output[0] * plane],
    };
    return lowerBy(by(call, session), call, session, { shape, epilogue });
  };

/** The algorithm of the least estimated cost. */
export const chooseConv = (call: PrimCall<'conv'>, session: WasmSession): ConvChoice =>
  choose(convAlgorithms, call, session);

export const conv: WasmPrim<'conv'> = convBy(chooseConv);
