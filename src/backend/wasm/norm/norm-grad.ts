import {
  ApplyNormDesc,
  FinishMomentsDesc,
  FinishParameterGradDesc,
  LrnGradDesc,
  MomentsDesc,
  NormalizeGradDesc,
  ParameterGradDesc,
} from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import type { NormalizeGradAttrs } from '../../prims/norm.ts';
import { Declined, elementsPerUnit, nothingToSum, otherThanFloat32, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';

/** Elements that a stretch of rows reads: 16 KB, summed twice while they are in the first-level cache. */
const stretchElements = 4096;
/** Rows shorter than `shortRow` are joined to rows of about `joinedRow` elements, so that the kernel's inner loop is long enough. */
const shortRow = 64;
const joinedRow = 384;

const alignVector = (elements: number): number => Math.ceil(elements / 4) * 16;

interface Batch {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly x: Tensor;
  readonly gy: Tensor | null;
  readonly y: Tensor;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly mean: Tensor | null;
  readonly variance: Tensor | null;
  /** New running statistics, or gradients of weight and bias. */
  readonly out: readonly [Tensor, Tensor];
  readonly momentum: number;
  readonly correction: number;
}

/** Three steps: moments of stretches, the tables that follow from all of them, and the application of the tables. */
function batchSteps(session: WasmSession, prim: 'batchNormTraining' | 'batchNormGrad', b: Batch): Step[] {
  const { rows, channels, x, gy } = b;
  const stretch = Math.max(8, Math.floor(stretchElements / channels / (gy === null ? 1 : 2)));
  const stretches = Math.ceil(rows / stretch);
  const planeBytes = alignVector(channels);
  const stretchBytes = planeBytes * (gy === null ? 3 : 7);
  const times = channels < shortRow && rows > 1 ? Math.ceil(joinedRow / channels) : 1;
  const row = channels * times;
  const tableBytes = alignVector(row) * (gy === null ? 1 : 2);
  const tables = session.scratch(4 * tableBytes + stretches * stretchBytes);
  const partial = tables + 4 * tableBytes;
  const [xAt, gyAt] = [session.address(x), session.addressOrNull(gy)];
  const fixed = gy === null ? null : b.mean;
  const total = rows * channels;
  const finish = gy === null ? 'finishMoments' : 'finishMomentsGrad';
  return [
    session.step(
      prim,
      'moments',
      MomentsDesc,
      {
        ...{ x: xAt, gy: gyAt, mean: session.addressOrNull(fixed), partial },
        ...{ rows, channels, stretch, planeBytes, stretchBytes },
      },
      stretches,
    ),
    session.step(
      prim,
      finish,
      FinishMomentsDesc,
      {
        ...{ partial, stretches, stretch, planeBytes, stretchBytes, rows, channels, times, tables, tableBytes },
        epsilon: b.epsilon,
        weight: session.addressOrNull(b.weight),
        bias: session.addressOrNull(b.bias),
        mean: session.addressOrNull(b.mean),
        variance: session.addressOrNull(b.variance),
        outMean: session.address(b.out[0]),
        outVariance: session.address(b.out[1]),
        momentum: b.momentum,
        correction: b.correction,
      },
      channels,
    ),
    session.step(
      prim,
      'applyNorm',
      ApplyNormDesc,
      { x: xAt, gy: gyAt, y: session.address(b.y), tables, tableBytes, total, row, unit: elementsPerUnit },
      Math.ceil(total / elementsPerUnit),
    ),
  ];
}

export const batchNormTraining: WasmPrim<'batchNormTraining'> = ({ inputs, outputs, attrs }, session) => {
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (attrs.rows * attrs.channels === 0) return nothingToSum();
  const [x, weight, bias, mean, variance] = inputs;
  const [y, newMean, newVariance] = outputs;
  const tensors = { x: x!, gy: null, y, weight, bias, mean, variance, out: [newMean, newVariance] as const };
  return batchSteps(session, 'batchNormTraining', { ...attrs, ...tensors });
};

export const batchNormGrad: WasmPrim<'batchNormGrad'> = ({ inputs, outputs, attrs }, session) => {
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (attrs.rows * attrs.channels === 0) return nothingToSum();
  const [x, weight, gy, mean, variance] = inputs;
  const [gx, gweight, gbias] = outputs;
  const tensors = { x: x!, gy, y: gx, weight, bias: null, mean, variance, out: [gweight, gbias] as const };
  return batchSteps(session, 'batchNormGrad', { ...attrs, ...tensors, momentum: 0, correction: 1 });
};

export const normalizeGrad: WasmPrim<'normalizeGrad'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, spatial, groups, size, epsilon, subtractMean } = attrs;
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (outer * spatial * groups * size === 0) return nothingToSum();
  const [x, weight, gy] = inputs;
  const channels = groups * size;
  // Layer norm: one pair of statistics per row, though each column has its own parameters.
  const shared = spatial === 1 && groups === 1;
  const planeBytes = alignVector(channels);
  const statisticsBytes = shared ? 8 : 2 * planeBytes;
  const { stretch, stretches } = stretchesOf(attrs);
  const statistics = session.scratch(outer * statisticsBytes + 64 + stretches * 2 * planeBytes);
  const partial = statistics + Math.ceil((outer * statisticsBytes) / 64) * 64;
  const total = outer * (size > 1 ? groups : Math.ceil(groups / 4));
  const unit = Math.ceil(elementsPerUnit / (spatial * Math.max(size, 4)));
  const common = {
    x: session.address(x!),
    gy: session.address(gy!),
    ...{ statistics, statisticsBytes, planeBytes, spatial },
    shared: shared ? 1 : 0,
  };
  const data = {
    ...common,
    gx: session.address(outputs[0]),
    weight: session.addressOrNull(weight),
    ...{ groups, size, epsilon, unit, total },
    subtractMean: subtractMean ? 1 : 0,
  };
  const strips = Math.ceil(channels / 16);
  const parameters = { ...common, partial, rows: outer * spatial, channels, stretch, strips };
  const finish = {
    ...{ partial, planeBytes, stretches, channels },
    gweight: session.address(outputs[1]),
    gbias: session.address(outputs[2]),
  };
  const units = stretches * strips;
  return [
    session.step('normalizeGrad', 'normalizeGrad', NormalizeGradDesc, data, Math.ceil(total / unit)),
    session.step('normalizeGrad', 'parameterGrad', ParameterGradDesc, parameters, units),
    session.step('normalizeGrad', 'finishParameterGrad', FinishParameterGradDesc, finish, strips),
  ];
};

/** The most parts of the rows that are summed separately, whatever the number of threads. */
const mostStretches = 16;

function stretchesOf({ outer, spatial }: NormalizeGradAttrs): { stretch: number; stretches: number } {
  const rows = outer * spatial;
  const stretch = Math.max(64, Math.ceil(rows / mostStretches));
  return { stretch, stretches: Math.ceil(rows / stretch) };
}

export const lrnGrad: WasmPrim<'lrnGrad'> = ({ inputs, outputs, attrs }, session) => {
  const { outer, channels, size, alpha, beta, bias } = attrs;
  // As in lrn: a window reads up to `size` elements before and after a row.
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (size > 64) return new Declined(`window of ${size} channels`);
  if (outer * channels === 0) return [];
  const before = Math.floor((size - 1) / 2);
  const after = size - 1 - before;
  const margin = alignVector(after);
  const unit = Math.ceil(elementsPerUnit / channels);
  const values = {
    x: session.address(inputs[0]!),
    gy: session.address(inputs[1]!),
    gx: session.address(outputs[0]),
    workspace: 0,
    ...{ margin, outer, channels, unit, before, after, beta, bias },
    scale: alpha / size,
    slope: (2 * alpha * beta) / size,
  };
  const bytes = channels * 4 + 2 * margin + 16;
  return [session.step('lrnGrad', 'lrnGrad', LrnGradDesc, values, Math.ceil(outer / unit), { workspace: bytes })];
};
