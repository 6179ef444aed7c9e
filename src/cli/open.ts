import { inferencePrims } from '../backend/wasm/prims.ts';
import type { OnnxProgram } from '../io/onnx/import.ts';
import { createBackend, type LoadOptions, openProgram } from '../runtime/load.ts';
import { Model } from '../runtime/model.ts';
import { nodePlatform } from '../runtime/node-platform.ts';
import { type NamedInput, namedInputs } from './shapes.ts';

export interface Opened {
  readonly model: Model;
  readonly inputs: readonly NamedInput[];
  /** Milliseconds of `load`: reading, checking, compiling the kernels. */
  readonly loadTime: number;
}

/** `load`, with the names of the inputs' dimensions. */
export async function openModel(path: string, options: LoadOptions): Promise<Opened> {
  const start = performance.now();
  const program = await openProgram(nodePlatform, path);
  try {
    program.check();
    const model = await modelOf(program, options);
    return { model, inputs: namedInputs(program), loadTime: performance.now() - start };
  } catch (error) {
    program.close();
    throw error;
  }
}

/** The model of a program on a new backend. */
export const modelOf = async (program: OnnxProgram, options: LoadOptions): Promise<Model> =>
  new Model(program, await createBackend(nodePlatform, options, inferencePrims), options);
