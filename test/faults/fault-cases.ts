import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpy } from '../../src/io/npy.ts';
import type { ModelOutput } from '../../src/runtime/model.ts';

/** A folder of model.onnx and case.json: which arrays go in, which are to come out. */
interface FaultCase {
  readonly inputs: readonly { readonly name: string; readonly file: string }[];
  readonly outputs: readonly { readonly name: string; readonly file: string }[];
  /** |difference| ≤ tolerance · max(1, |value|). */
  readonly tolerance: number;
}

/** Names of the folders of `directory` that hold a case. */
export function caseFolders(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(directory, entry.name)).includes('case.json'))
    .map((entry) => entry.name)
    .sort();
}

/** The arrays and the tolerance of one case. */
export function readCase(folder: string) {
  const { inputs, outputs, tolerance } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as FaultCase;
  const arrays = (files: FaultCase['inputs']) =>
    Object.fromEntries(files.map(({ name, file }) => [name, readNpy(readFileSync(join(folder, file)))]));
  return {
    model: readFileSync(join(folder, 'model.onnx')),
    inputs: arrays(inputs),
    outputs: arrays(outputs),
    tolerance,
  };
}

/** What is wrong with a result, or null. */
export function difference(got: ModelOutput, expected: ReturnType<typeof readNpy>, tolerance: number): string | null {
  if (got.dtype !== expected.dtype) return `${got.dtype} instead of ${expected.dtype}`;
  if (got.shape.join() !== expected.shape.join()) return `shape [${got.shape}] instead of [${expected.shape}]`;
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [got.data[i], expected.data[i]];
    if (Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)) || a === b) continue;
    return `value ${i} is ${a} instead of ${b}`;
  }
  return null;
}
