// Checks that many ops share. Each throws a ConvletError that names the op, the argument, what was expected and what came.

import type { DType } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import type { OpName } from './attrs.ts';
import type { TensorInfo } from './core/op.ts';

type Numbers = readonly number[];

/** The input, or a ConvletError('missing-input'). */
export function required(op: string, inputs: readonly (TensorInfo | null)[], index: number, name: string): TensorInfo {
  const input = inputs[index];
  if (input === null || input === undefined) throw new ConvletError('missing-input', `${op}: needs input '${name}'`);
  return input;
}

export function expectRank(op: string, name: string, input: TensorInfo, ...ranks: number[]): void {
  if (ranks.includes(input.shape.length)) return;
  throw new ConvletError(
    'shape',
    `${op}: ${name} expects rank ${ranks.join(' or ')}, got rank ${input.shape.length} (shape ${shapeText(input.shape)})`,
  );
}

export function expectDType(op: string, name: string, input: TensorInfo, ...allowed: DType[]): void {
  if (allowed.includes(input.dtype)) return;
  throw new ConvletError('dtype', `${op}: ${name} expects ${allowed.join(' or ')}, got ${input.dtype}`);
}

/** `axis` counted from 0; negative ones count from the end. Throws `argument` outside −rank…rank−1. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new ConvletError('argument', `${op}: axis expects a whole number in ${-rank}…${rank - 1}, got ${axis}`);
}

/** The shape of `shapes` broadcast together (NumPy's rule). Throws `shape` if they do not fit. */
export function broadcastShape(op: string, ...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    shape.forEach((d, i) => {
      const at = rank - shape.length + i;
      if (d !== 1 && out[at] !== 1 && d !== out[at]) {
        throw new ConvletError('shape', `${op}: shapes ${shapes.map(shapeText).join(' and ')} do not broadcast`);
      }
      if (d !== 1) out[at] = d;
    });
  }
  return out;
}

export function expectFloat(op: string, name: string, input: TensorInfo): void {
  expectDType(op, name, input, 'float32', 'float64', 'float16', 'bfloat16');
}

/** Throws `argument` unless `values` are `length` whole numbers ≥ `least` (≤ `most`). */
export function expectWhole(
  op: string,
  name: string,
  values: Numbers,
  length: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  const ok =
    Array.isArray(values) &&
    values.length === length &&
    values.every((v) => Number.isSafeInteger(v) && v >= least && v <= most);
  if (ok) return;
  const got = Array.isArray(values) ? shapeText(values) : String(values);
  const many = length === 1 ? '1 whole number' : `${length} whole numbers`;
  const bound = Array.isArray(values) && values.some((v) => v > most) ? ` and ≤ ${most}` : '';
  throw new ConvletError('argument', `${op}: ${name} expects ${many} ≥ ${least}${bound}, got ${got}`);
}

/** Throws `argument` unless `value` is a finite number (≥ `least`). */
export function expectNumber(op: string, name: string, value: number, least = Number.NEGATIVE_INFINITY): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return;
  const bound = least === Number.NEGATIVE_INFINITY ? '' : ` ≥ ${least}`;
  throw new ConvletError('argument', `${op}: ${name} expects a number${bound}, got ${String(value)}`);
}

/** Throws `argument` unless `value` is one of `allowed`. */
export function expectOneOf(op: string, name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new ConvletError('argument', `${op}: ${name} expects ${allowed.join(' or ')}, got ${String(value)}`);
}

export function expectShape(op: string, name: string, input: TensorInfo, shape: Numbers): void {
  if (input.shape.length === shape.length && input.shape.every((d, i) => d === shape[i])) return;
  throw new ConvletError('shape', `${op}: ${name} expects shape ${shapeText(shape)}, got ${shapeText(input.shape)}`);
}

export function expectSameDType(op: string, name: string, input: TensorInfo, x: TensorInfo): void {
  if (input.dtype === x.dtype) return;
  throw new ConvletError('dtype', `${op}: ${name} expects ${x.dtype} like x, got ${input.dtype}`);
}

/** Checks a parameter of one value per channel ([C]), which may be absent. */
export function expectPerChannel(
  op: string,
  name: string,
  input: TensorInfo | null | undefined,
  x: TensorInfo,
  channels: number,
): void {
  if (input === null || input === undefined) return;
  expectSameDType(op, name, input, x);
  expectShape(op, name, input, [channels]);
}

/** The checks above for one op, so that its name is written once: `const check = checker('softmax')`. */
export class Checker {
  readonly op: string;

  constructor(op: string) {
    this.op = op;
  }

  required(inputs: readonly (TensorInfo | null)[], index: number, name: string): TensorInfo {
    return required(this.op, inputs, index, name);
  }

  rank(name: string, input: TensorInfo, ...ranks: number[]): void {
    expectRank(this.op, name, input, ...ranks);
  }

  dtype(name: string, input: TensorInfo, ...allowed: DType[]): void {
    expectDType(this.op, name, input, ...allowed);
  }

  sameDType(name: string, input: TensorInfo, x: TensorInfo): void {
    expectSameDType(this.op, name, input, x);
  }

  float(name: string, input: TensorInfo): void {
    expectFloat(this.op, name, input);
  }

  shape(name: string, input: TensorInfo, shape: Numbers): void {
    expectShape(this.op, name, input, shape);
  }

  perChannel(name: string, input: TensorInfo | null | undefined, x: TensorInfo, channels: number): void {
    expectPerChannel(this.op, name, input, x, channels);
  }

  broadcast(...shapes: Numbers[]): number[] {
    return broadcastShape(this.op, ...shapes);
  }

  axis(axis: number, rank: number): number {
    return normalizeAxis(this.op, axis, rank);
  }

  whole(name: string, values: Numbers, length: number, least: number, most?: number): void {
    expectWhole(this.op, name, values, length, least, most);
  }

  number(name: string, value: number, least?: number): void {
    expectNumber(this.op, name, value, least);
  }

  oneOf(name: string, value: string, allowed: readonly string[]): void {
    expectOneOf(this.op, name, value, allowed);
  }
}

export const checker = (op: OpName): Checker => new Checker(op);
