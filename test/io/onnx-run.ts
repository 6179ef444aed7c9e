import { JsBackend } from '../../src/backend/js/backend.ts';
import { jsPrims } from '../../src/backend/js/prims.ts';
import { ConvletError, type ConvletErrorCode } from '../../src/common/error.ts';
import { OnnxProgram } from '../../src/io/onnx/import.ts';
import { parseModel } from '../../src/io/onnx/model.ts';
import { Model, type ModelInput } from '../../src/runtime/model.ts';
import * as onnx from './onnx-builder.ts';

/** Models of a few nodes, imported and run in plain JavaScript. */

export const f = (name: string, ...shape: (number | string)[]) => onnx.valueInfo(name, 'float32', shape);
export const i64 = (name: string, ...shape: (number | string)[]) => onnx.valueInfo(name, 'int64', shape);

export function program(spec: onnx.GraphSpec, opset?: number, functions?: onnx.FunctionSpec[]): OnnxProgram {
  return new OnnxProgram(parseModel(onnx.model(spec, opset, functions)));
}

export function specialize(made: OnnxProgram, shapes: { [name: string]: number[] }) {
  return made.specialize(new Map(Object.entries(shapes)));
}

/** As `load` does it: with the prims of inference. */
const inferenceBackend = () => new JsBackend({ prims: jsPrims });

export async function run(made: OnnxProgram, inputs: { [name: string]: ModelInput }, backend = inferenceBackend()) {
  const outputs = await new Model(made, backend).run(inputs);
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data, shape }]) => [name, { shape, data: [...data] }]),
  );
}

export const floats = (data: number[], shape = [data.length]) => ({ data: Float32Array.from(data), shape });
export const ints = (data: number[], shape = [data.length]) => ({ data: Int32Array.from(data), shape });

export function failure(act: () => unknown): { code: ConvletErrorCode; message: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof ConvletError) return error;
    throw error;
  }
  throw new Error('expected a ConvletError');
}
