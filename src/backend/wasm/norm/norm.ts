import {
  BatchNormDesc,
  LrnDesc,
  mostColumns,
  NormalizeDesc,
  normalizeTableBytes,
  ScaleShiftDesc,
} from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import { type BatchNormAttrs, normalizeInputs } from '../../prims/norm.ts';
import { activationFields } from '../core/activation.ts';
import { Declined, elementsPerUnit, otherThanFloat32, unknownActivation, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';

/** Rows shorter than `shortRow` are joined to rows of about `joinedRow` elements, so that the kernel's inner loop is long enough. */
const shortRow = 64;
const joinedRow = 384;

export const batchNorm: WasmPrim<'batchNorm'> = ({ inputs, outputs, attrs, pitch }, session) => {
  const { outer, channels, inner } = attrs;
  const activation = activationFields(attrs.activation);
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (activation === null) return unknownActivation(attrs.activation);
  const total = outer * channels * inner;
  if (total === 0) return [];
  const channelsLast = inner === 1;
  const times =
    channelsLast && channels < shortRow && outer > 1 && pitch === undefined ? Math.ceil(joinedRow / channels) : 1;
  const parameters = inputs.slice(1) as (Tensor | null)[];
  const constant = parameters.every((t) => t === null || t.constant);
  const row = channels * times;
  const { scale, steps } = constant
    ? { scale: packParameters(session, parameters, attrs, times), steps: [] }
    : computeParameters(session, parameters, attrs, times);
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    scale,
    shift: scale + row * 4,
    total,
    unit: elementsPerUnit,
    row: channelsLast ? row : inner,
    channels: channelsLast ? 0 : channels,
    xRow: (pitch?.x || (channelsLast ? row : inner)) * 4,
    yRow: (pitch?.y || (channelsLast ? row : inner)) * 4,
    ...activation,
  };
  const units = Math.ceil(total / elementsPerUnit);
  return [...steps, session.step('batchNorm', 'scaleShift', ScaleShiftDesc, values, units)];
};

/** Scales, then shifts, computed once per session in double precision. */
function packParameters(
  session: WasmSession,
  [weight, bias, mean, variance]: readonly (Tensor | null)[],
  { channels, epsilon }: BatchNormAttrs,
  times: number,
): number {
  // Packed forms are kept per tensor; this form depends on all four tensors, so their memory is part of its name.
  const places = [weight, bias, mean].map((t) => session.identity(t));
  const row = channels * times;
  return session.packed(variance!, `batchNorm:${epsilon}:${times}:${places.join()}`, row * 8, (address) => {
    const target = session.floats(address, row * 2);
    for (let i = 0; i < row; i++) {
      const c = i % channels;
      const scale = (weight?.array[c] ?? 1) / Math.sqrt(variance!.array[c] + epsilon);
      target[i] = scale;
      target[row + i] = (bias?.array[c] ?? 0) - mean!.array[c] * scale;
    }
  });
}

function computeParameters(
  session: WasmSession,
  [weight, bias, mean, variance]: readonly (Tensor | null)[],
  { channels, epsilon }: BatchNormAttrs,
  times: number,
): { scale: number; steps: Step[] } {
  const row = channels * times;
  const scale = session.reserve(row * 8);
  const values = {
    weight: session.addressOrNull(weight),
    bias: session.addressOrNull(bias),
    mean: session.address(mean!),
    variance: session.address(variance!),
    scale,
    shift: scale + row * 4,
    channels,
    times,
    epsilon,
  };
  return { scale, steps: [session.step('batchNorm', 'batchNormParameters', BatchNormDesc, values, times)] };
}

/** Columns of a cache line. */
const lineColumns = 16;

/** Channels of whole groups that are normalised together: two cache lines if that leaves enough units for threads, else one. */
function spanOf(outer: number, groups: number, size: number): number {
  const wide = size > lineColumns || outer * groups * size >= 8 * mostColumns;
  return Math.floor((wide ? mostColumns : lineColumns) / size) * size;
}

export const normalize: WasmPrim<'normalize'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, spatial, groups, size, epsilon, subtractMean } = attrs;
  const activation = activationFields(attrs.activation);
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (activation === null) return unknownActivation(attrs.activation);
  if (outer * spatial * groups * size === 0) return [];
  const span = size === 1 || (spatial > 1 && size <= mostColumns) ? spanOf(outer, groups, size) : 0;
  const unit = Math.ceil(elementsPerUnit / (spatial * size));
  const units = span > 0 ? outer * Math.ceil((groups * size) / span) : Math.ceil((outer * groups) / unit);
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    weight: session.addressOrNull(inputs[normalizeInputs.weight]),
    bias: session.addressOrNull(inputs[normalizeInputs.bias]),
    outer,
    spatial,
    groups,
    size,
    subtractMean: subtractMean ? 1 : 0,
    epsilon,
    span,
    unit,
    workspace: 0,
    ...activation,
  };
  return [
    session.step('normalize', 'normalize', NormalizeDesc, values, units, {
      workspace: 4 * normalizeTableBytes,
    }),
  ];
};

export const lrn: WasmPrim<'lrn'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, channels, size, alpha, beta, bias } = attrs;
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (outer * channels === 0) return [];
  const before = Math.floor((size - 1) / 2);
  // A window reads up to `size` elements before and after the tensor: those addresses must exist.
  if (size > 64) return new Declined(`window of ${size} channels`);
  const unit = Math.ceil(elementsPerUnit / channels);
  const values = {
    x: session.address(inputs[0]!),
    y: session.address(outputs[0]),
    outer,
    channels,
    unit,
    before,
    after: size - 1 - before,
    scale: alpha / size,
    beta,
    bias,
  };
  return [session.step('lrn', 'lrn', LrnDesc, values, Math.ceil(outer / unit))];
};
