import type { PrimCall, Step } from '../backend.ts';
import type { ConvAttrs } from '../prims.ts';
import type { WasmSession } from './backend.ts';
import { type Epilogue, epilogueOf } from './epilogue.ts';
import { panelsOf } from './panels.ts';
import type { WasmPrim } from './prims.ts';
import { isFloat32 } from './unary.ts';
import { depthwiseStep, gemmStep, type WindowShape } from './window.ts';

export const product = (t: readonly number[]): number => t.reduce((a, b) => a * b, 1);

/** Output cells, and additions per output; where either is 0 there is nothing for a kernel to loop over. */
export const outputsOf = (a: ConvAttrs): number => a.batch * product(a.output) * a.outChannels;
export const depthOf = (a: ConvAttrs): number => (a.channels / a.groups) * product(a.kernel) * product(a.input);

export const isDepthwise = (a: ConvAttrs): boolean =>
  a.groups > 1 && a.groups === a.channels && a.groups === a.outChannels;

interface Algorithm {
  readonly name: string;
  applies(attrs: ConvAttrs): boolean;
  lower(call: PrimCall<'conv'>, session: WasmSession, shape: WindowShape, epilogue: Epilogue): Step[];
}

/** The first that applies is taken. */
const algorithms: readonly Algorithm[] = [
  {
    name: 'depthwise',
    applies: isDepthwise,
    lower({ inputs: [, weight, bias], attrs: { channels, kernel } }, session, shape, epilogue) {
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
  {
    name: 'gemm',
    applies: () => true,
    lower({ inputs: [, weight, bias], attrs }, session, shape, epilogue) {
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

export const conv: WasmPrim<'conv'> = (call, session) => {
  const { inputs, outputs, attrs } = call;
  if (!isFloat32(inputs) || !isFloat32(outputs)) return null;
  if (outputsOf(attrs) === 0) return [];
  if (depthOf(attrs) === 0) return null;
  const epilogue = epilogueOf(session, outputs[0], inputs[3] ?? null, attrs.activation);
  if (epilogue === null) return null;
  const { output, outChannels } = attrs;
  const pixel = outChannels * 4;
  const row = output[2] * pixel;
  const plane = output[1] * row;
  const shape: WindowShape = {
    ...attrs,
    grid: output,
    pad: attrs.padBegin,
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    yPitch: [pixel, row, plane, output[0] * plane],
  };
  return algorithms.find((a) => a.applies(attrs))!.lower(call, session, shape, epilogue);
};
