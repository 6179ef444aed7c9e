import type { Activation } from './elementwise.ts';
import type { WindowAttrs } from './window.ts';

/**
 * y[n, o, outChannel] = activation(Σ x[n, o·stride + k·dilation − pad, c] · w[outChannel, c, k] + bias + residual).
 * Inputs: x [batch,D,H,W,channels], weight [outChannels, channels/groups, kD,kH,kW] row-major, bias [outChannels] or
 * null, residual (like y) or null. Output: y [batch,oD,oH,oW,outChannels]. The residual may be the same memory as y: an
 * element of the residual is read before that element of y is written, and never after.
 */
export interface ConvAttrs extends WindowAttrs {
  readonly channels: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly activation: Activation | null;
}
export const convInputs = { x: 0, weight: 1, bias: 2, residual: 3 } as const;

/**
 * The transpose of conv: y[n, i·stride + k·dilation − pad, o] += x[n,i,c] · w[c,o,k]. Inputs: x [batch,D,H,W,channels],
 * weight [channels, outChannels/groups, kD,kH,kW] row-major, bias or null. Output: y [batch,oD,oH,oW,outChannels].
 */
export type ConvTransposeAttrs = ConvAttrs;
export const convTransposeInputs = { x: 0, weight: 1, bias: 2 } as const;

/**
 * Gradient of conv by its weight: gw[outChannel, c, k] = Σ over n, o of x[n, o·stride + k·dilation − pad, c] · gy[n, o, outChannel].
 * Inputs: x [batch,D,H,W,channels], gy [batch,oD,oH,oW,outChannels]. Output: gw [outChannels, channels/groups, kD,kH,kW]
 * row-major. With x and gy exchanged this is the gradient of convTranspose by its weight.
 */
export interface ConvWeightGradAttrs extends WindowAttrs {
  readonly channels: number;
  readonly outChannels: number;
  readonly groups: number;
}

export interface ConvPrims {
  conv: ConvAttrs;
  convTranspose: ConvTransposeAttrs;
}

export interface ConvTrainingPrims {
  convWeightGrad: ConvWeightGradAttrs;
}
