// One-operator cases as JSON, made from the tests of other projects: { rtol, atol, cases: [{ name, op, opset, attributes, inputs, outputs }] }.
import { readFileSync } from 'node:fs';
import { allocateArray, type DType } from '../../src/common/dtype.ts';
import { ConvletError } from '../../src/common/error.ts';
import { onnxDataTypes } from '../../src/io/onnx/tensor-proto.ts';
import type { LoadOptions } from '../../src/runtime/load.ts';
import { stridesOf, userLayout } from '../../src/tensor/layout.ts';
import * as onnx from '../io/onnx-builder.ts';
import { compare, load, Mismatch } from './suite.ts';

interface CaseTensor {
  readonly type: DType;
  readonly dims: readonly number[];
  /** Numbers, truth values, 'NaN', 'Infinity' and '-Infinity'. */
  readonly data: readonly (number | boolean | string)[];
}

export interface OperatorCase {
  readonly name: string;
  readonly op: string;
  readonly opset: number;
  /** By name: { int }, { float }, { string } or { ints }. */
  readonly attributes: { readonly [name: string]: { readonly [kind: string]: number | string | readonly number[] } };
  /** Null: an absent input. */
  readonly inputs: readonly (CaseTensor | null)[];
  readonly outputs: readonly (CaseTensor | null)[];
  readonly rtol: number;
  readonly atol: number;
}

/** How a model is made of a case: which inputs are initializers, and whether their dimensions are declared. */
const caseModes = ['inputs', 'constants', 'unknown dimensions'] as const;
type CaseMode = (typeof caseModes)[number];

/** Cases whose expected value is not ONNX's, with the reason. */
export const knownDifferences: ReadonlyMap<string, string> = new Map([
  ['Sign | Sign in sign basic', 'the sign of NaN is NaN in ONNX, 0 in TensorFlow.js'],
  ['Sign | Sign in sign does not propagate NaNs', 'the sign of NaN is NaN in ONNX, 0 in TensorFlow.js'],
]);

export function readCases(file: string): OperatorCase[] {
  const { cases, rtol = 1e-3, atol = 1e-4 } = JSON.parse(readFileSync(file, 'utf8'));
  return cases.map((c: object) => ({ rtol, atol, attributes: {}, ...c }));
}

export const caseLabel = ({ op, name }: OperatorCase): string => `${op} | ${name}`;

function arrayOf({ type, data }: CaseTensor) {
  const array = allocateArray(type, data.length);
  data.forEach((value, i) => {
    array[i] = Number(value);
  });
  return array;
}

function initializer(name: string, tensor: CaseTensor) {
  const { type, dims, data } = tensor;
  const values = type === 'int64' ? BigInt64Array.from(data, (v) => BigInt(v)) : arrayOf(tensor);
  return onnx.rawTensor(name, onnxDataTypes[type], dims, new Uint8Array(values.buffer));
}

function modelOf({ op, opset, attributes, inputs, outputs }: OperatorCase, mode: CaseMode) {
  const given = inputs.flatMap((tensor, i) => (tensor === null ? [] : [{ name: `i${i}`, tensor }]));
  const free = mode === 'constants' ? given.slice(0, 1) : given;
  const value = ([[kind, v]]: [string, number | string | readonly number[]][]): onnx.AttributeValue =>
    kind === 'float' ? { float: v as number } : v;
  const bytes = onnx.model(
    {
      nodes: [
        {
          op,
          inputs: inputs.map((tensor, i) => (tensor === null ? '' : `i${i}`)),
          outputs: outputs.map((tensor, i) => (tensor === null ? '' : `o${i}`)),
          attributes: Object.fromEntries(
            Object.entries(attributes).map(([name, v]) => [name, value(Object.entries(v))]),
          ),
        },
      ],
      initializers: given.filter((g) => !free.includes(g)).map(({ name, tensor }) => initializer(name, tensor)),
      inputs: free.map(({ name, tensor: { type, dims } }) =>
        onnx.valueInfo(name, type, mode === 'unknown dimensions' ? dims.map((_, d) => `${name}_${d}`) : dims),
      ),
      outputs: outputs.flatMap((tensor, i) =>
        tensor === null ? [] : [onnx.valueInfo(`o${i}`, tensor.type, tensor.dims)],
      ),
    },
    opset,
  );
  return { bytes, free };
}

/** Elements of a picture between N, C, … order and N, …, C order. */
function relayout(array: ReturnType<typeof arrayOf>, dims: readonly number[], back: boolean) {
  if (userLayout('channelsLast', dims.length) === 'row') return array;
  const strides = stridesOf(dims, 'channelsLast');
  const moved = array.slice();
  array.forEach((_: number, i: number) => {
    let [rest, at] = [i, 0];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at += (rest % dims[axis]) * strides[axis];
      rest = Math.floor(rest / dims[axis]);
    }
    if (back) moved[i] = array[at];
    else moved[at] = array[i];
  });
  return moved;
}

/** Runs one case in one mode. Throws Mismatch if the result differs, and the errors of `load` and `run`. */
export async function runOperatorCase(c: OperatorCase, mode: CaseMode, options: LoadOptions): Promise<void> {
  const { bytes, free } = modelOf(c, mode);
  const last = options.layout === 'channels-last';
  using model = await load(bytes, options);
  const results = await model.run(
    Object.fromEntries(
      free.map(({ name, tensor }) => {
        const values = arrayOf(tensor);
        const data = last ? relayout(values, tensor.dims, false) : values;
        return [name, { data, shape: tensor.dims }];
      }),
    ),
  );
  c.outputs.forEach((tensor, i) => {
    if (tensor === null) return;
    const got = results[`o${i}`];
    const expected = { dtype: tensor.type, shape: tensor.dims, data: arrayOf(tensor) };
    const data = last ? relayout(got.data, got.shape, true) : got.data;
    compare(`o${i}`, { ...got, data }, expected, c.rtol, c.atol);
  });
}

/** The modes that make a difference for a case. */
export const modesOf = ({ inputs }: OperatorCase): readonly CaseMode[] =>
  caseModes.filter((mode) => mode !== 'constants' || inputs.filter((tensor) => tensor !== null).length > 1);

/** Runs a case in some modes. Returns what is wrong, or null. */
export async function caseFailure(
  c: OperatorCase,
  options: LoadOptions,
  modes: readonly CaseMode[] = modesOf(c),
): Promise<string | null> {
  for (const mode of modes) {
    try {
      await runOperatorCase(c, mode, options);
    } catch (error) {
      if (!(error instanceof ConvletError || error instanceof Mismatch)) throw error;
      return `${mode}: ${error.message}`;
    }
  }
  return null;
}
