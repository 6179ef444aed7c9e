import { FillDesc } from '../../../abi/generated/abi.ts';
import { product } from '../../../common/numbers.ts';
import type { PrimCall, Step } from '../../backend.ts';
import { type ConvTransposeAttrs, convInputs } from '../../prims/conv.ts';
import type { Triple } from '../../prims/window.ts';
import { type Algorithm, choose, lowerBy } from '../core/algorithm.ts';
import { type Epilogue, epilogueOf } from '../core/epilogue.ts';
import { type PanelShape, panelsOf } from '../core/panels.ts';
import { nothingToSum, otherThanFloat32, unknownActivation, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';
import { depthOf, isDepthwise, outputsOf } from './conv.ts';
import { gemmCost, winogradCost } from './conv-cost.ts';
import { depthwiseStep, gemmStep, type WindowShape } from './window.ts';
import { cannotTransform, planWinograd, winogradSteps } from './winograd.ts';
import type { TileSize } from './winograd-weights.ts';

/**
 * The outputs p, p + stride, … of one axis. Output p + q·stride is the sum over j < taps of input q + first − j·step times tap
 * tap0 + j·tapStep: a convolution of stride 1.
 */
interface Phase {
  readonly output: number;
  readonly count: number;
  readonly taps: number;
  readonly tap0: number;
  readonly tapStep: number;
  readonly first: number;
  readonly step: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

function phasesOf(attrs: ConvTransposeAttrs, axis: number): Phase[] {
  const stride = attrs.stride[axis];
  const dilation = attrs.dilation[axis];
  const kernel = attrs.kernel[axis];
  const output = attrs.output[axis];
  const tapStep = stride / gcd(stride, dilation);
  const phases: Phase[] = [];
  for (let p = 0; p < Math.min(stride, output); p++) {
    const at = p + attrs.padBegin[axis];
    let tap0 = 0;
    while (tap0 < kernel && (at - tap0 * dilation) % stride !== 0) tap0++;
    phases.push({
      output: p,
      count: Math.ceil((output - p) / stride),
      taps: Math.ceil((kernel - tap0) / tapStep),
      tap0,
      tapStep,
      first: (at - tap0 * dilation) / stride,
      step: (dilation * tapStep) / stride,
    });
  }
  return phases;
}

export const convTranspose: WasmPrim<'convTranspose'> = (call, session) => {
  const { inputs, outputs, attrs } = call;
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (outputsOf(attrs) === 0) return [];
  if (depthOf(attrs) === 0) return nothingToSum();
  const epilogue = epilogueOf(session, outputs[0], inputs[convInputs.residual] ?? null, attrs.activation);
  if (epilogue === null) return unknownActivation(attrs.activation);
  return lowerBy(choose(algorithms, call, session), call, session, epilogue);
};

/**
 * One convolution per phase of the output grid: no inserted zeros are multiplied, no results are scattered, and the
 * epilogue works in registers. The packed weights of all phases together are as large as the weight.
 */
function phaseSteps(call: PrimCall<'convTranspose'>, session: WasmSession, epilogue: Epilogue): Step[] {
  const { inputs, outputs, attrs, pitch } = call;
  const [x, weight, bias] = inputs;
  const { groups, kernel, stride, output, input } = attrs;
  const depthwise = isDepthwise(attrs);
  const channels = attrs.channels / groups;
  const columns = attrs.outChannels / groups;
  const taps = product(kernel);
  const weightShape = depthwise
    ? { groups: 1, columns: groups, channels: 1, groupStride: 0, columnStride: taps, channelStride: 0 }
    : {
        groups,
        columns,
        channels,
        groupStride: channels * columns * taps,
        columnStride: taps,
        channelStride: columns * taps,
      };
  const tapPitch = [kernel[1] * kernel[2], kernel[2], 1];
  const pixel = (pitch?.y || attrs.outChannels) * 4;
  const row = output[2] * pixel;
  const plane = output[1] * row;
  const [x0, y0] = [session.address(x!), session.address(outputs[0])];
  const step = depthwise ? depthwiseStep : gemmStep;
  const [phasesD, phasesH, phasesW] = [phasesOf(attrs, 0), phasesOf(attrs, 1), phasesOf(attrs, 2)];
  const phases = phasesD.flatMap((d) => phasesH.flatMap((h) => phasesW.map((w) => [d, h, w] as const)));
  const isEmpty = (phase: readonly Phase[]): boolean => phase.some((p) => p.taps === 0);
  // No tap reaches some phases (most of them, for a 1×1 kernel with a stride). Without a bias they are all zeros.
  const zeroed = bias === null && epilogue.epilogue === 0 && phases.some(isEmpty);
  const fills = zeroed ? zeroSteps(session, y0, outputsOf(attrs) * 4) : [];
  const computed = zeroed ? phases.filter((phase) => !isEmpty(phase)) : phases;
  const steps = computed.flatMap((phase) => {
    const each = (f: (p: Phase, axis: number) => number): Triple => [f(phase[0], 0), f(phase[1], 1), f(phase[2], 2)];
    // A phase that has only the bias: one tap of weight 0 far outside the input.
    const empty = isEmpty(phase);
    const panelShape: PanelShape = {
      ...weightShape,
      kernel: empty ? [1, 1, 1] : each((p) => p.taps),
      offset: empty ? 0 : phase.reduce((sum, p, i) => sum + p.tap0 * tapPitch[i], 0),
      tapStrides: empty ? [0, 0, 0] : each((p, i) => p.tapStep * tapPitch[i]),
      alpha: empty ? 0 : 1,
    };
    const shape: WindowShape = {
      ...attrs,
      x: x0,
      xPixel: (pitch?.x || attrs.channels) * 4,
      y: y0 + phase[0].output * plane + phase[1].output * row + phase[2].output * pixel,
      grid: each((p) => p.count),
      kernel: panelShape.kernel,
      stride: [1, 1, 1],
      dilation: empty ? [1, 1, 1] : each((p) => -p.step),
      pad: empty ? each((p, i) => p.count + input[i]) : each((p) => -p.first),
      yPitch: [stride[2] * pixel, stride[1] * row, stride[0] * plane, output[0] * plane],
    };
    const panels = panelsOf(session, 'convTranspose', weight!, bias, panelShape);
    return [...panels.steps, step(session, 'convTranspose', shape, panels, epilogue)];
  });
  return [...fills, ...steps];
}

/** Winograd's algorithm: a convolution with the mirrored kernel and the complement of the padding. */
const winograd = (size: TileSize): Algorithm<'convTranspose', Epilogue> => ({
  name: `winograd${size}`,
  detail: ({ attrs }, session) => `${planWinograd(attrs, size, session).chunk} tiles a chunk`,
  cost: (call, session) =>
    cannotTransform(call, session) ??
    winogradCost(planWinograd(call.attrs, size, session), call.inputs[convInputs.weight]!.constant),
  lower(call, session, epilogue) {
    const { inputs, outputs, attrs, pitch } = call;
    const pixel = (pitch?.y || attrs.outChannels) * 4;
    const row = attrs.output[2] * pixel;
    const plane = attrs.output[1] * row;
    const shape: WindowShape = {
      ...attrs,
      grid: attrs.output,
      pad: [0, 2 - attrs.padBegin[1], 2 - attrs.padBegin[2]],
      x: session.address(inputs[0]!),
      xPixel: (pitch?.x || attrs.channels) * 4,
      y: session.address(outputs[0]),
      yPitch: [pixel, row, plane, attrs.output[0] * plane],
    };
    return winogradSteps(call, session, shape, epilogue, planWinograd(attrs, size, session));
  },
});

const algorithms: readonly Algorithm<'convTranspose', Epilogue>[] = [
  { name: 'phases', cost: ({ attrs }) => gemmCost(attrs), lower: phaseSteps },
  winograd(4),
  winograd(2),
];

/** Bytes that a work unit fills. */
const fillUnit = 65536;

function zeroSteps(session: WasmSession, y: number, bytes: number): Step[] {
  const values = { y, bytes, unit: fillUnit, pattern: 0 };
  return [session.step('convTranspose', 'fill', FillDesc, values, Math.ceil(bytes / fillUnit))];
}
