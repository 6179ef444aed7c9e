// Compares an output with expected values, by the rule of numpy.isclose: |value − expected| ≤ atol + rtol · |expected|.
import { shapeText } from '../common/error.ts';
import { numberText } from './table.ts';

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

interface Values {
  /** Dimensions. */
  readonly shape: readonly number[];
  /** Elements, row-major. */
  readonly data: ArrayLike<number>;
}

export interface Comparison {
  readonly output: string;
  /** What the output is compared with: a file, or an engine. */
  readonly against: string;
  readonly same: boolean;
  /** Why nothing could be compared; else null. */
  readonly problem: string | null;
  readonly rtol: number;
  readonly atol: number;
  readonly elements: number;
  /** How many elements differ by more than the tolerance. */
  readonly different: number;
  readonly maxAbsolute: number;
  readonly maxRelative: number;
  /** The index of the greatest difference, and the two values. */
  readonly at: readonly number[] | null;
  readonly value: number;
  readonly expected: number;
}

export function compare(
  output: string,
  against: string,
  { shape, data }: Values,
  wanted: Values,
  { rtol, atol }: Tolerance,
): Comparison {
  const report = { output, against, rtol, atol, elements: data.length };
  const nothing = { different: 0, maxAbsolute: 0, maxRelative: 0, at: null, value: 0, expected: 0 };
  if (shape.join() !== wanted.shape.join()) {
    const problem = `shape ${shapeText(shape)}, expected ${shapeText(wanted.shape)}`;
    return { ...report, ...nothing, same: false, problem };
  }
  let [different, maxAbsolute, maxRelative, worst] = [0, -1, 0, -1];
  for (let i = 0; i < data.length; i++) {
    const [value, expected] = [data[i], wanted.data[i]];
    const far = distance(value, expected);
    if (!(far <= atol + rtol * Math.abs(Number.isFinite(expected) ? expected : 0))) different++;
    if (far > maxAbsolute) [maxAbsolute, worst] = [far, i];
    if (expected !== 0 && Number.isFinite(expected)) maxRelative = Math.max(maxRelative, far / Math.abs(expected));
  }
  if (worst < 0) return { ...report, ...nothing, same: true, problem: null };
  return {
    ...report,
    ...{ same: different === 0, problem: null, different, maxAbsolute, maxRelative },
    ...{ at: indexOf(worst, shape), value: data[worst], expected: wanted.data[worst] },
  };
}

/** NaN equals NaN, an infinity equals itself, and both are infinitely far from all other values. */
function distance(value: number, expected: number): number {
  if (value === expected || (Number.isNaN(value) && Number.isNaN(expected))) return 0;
  const far = Math.abs(value - expected);
  return Number.isNaN(far) ? Number.POSITIVE_INFINITY : far;
}

function indexOf(at: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(at % shape[axis]);
    at = Math.floor(at / shape[axis]);
  }
  return index;
}

export function comparisonText(report: Comparison): string {
  const { output, against, same, problem, rtol, atol, elements, different, maxAbsolute, maxRelative } = report;
  const head = `${output} against ${against}: ${same ? 'same' : 'DIFFERENT'}`;
  if (problem !== null) return `${head}, ${problem}`;
  const limit = `${numberText(atol)} + ${numberText(rtol)} · |expected|`;
  const count = `${different} of ${elements} elements beyond ${limit}`;
  if (report.at === null || maxAbsolute === 0) return `${head}, ${count}, all equal`;
  const what = `${numberText(report.value, 8)}, expected ${numberText(report.expected, 8)}`;
  const greatest = `${numberText(maxAbsolute, 3)} at ${shapeText(report.at)}: ${what}`;
  return `${head}, ${count}\n  greatest difference ${greatest}; relative ${numberText(maxRelative, 3)}`;
}
