// Types and helpers of the tables of golden-*.ts.
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';

/** Attributes of a case as its manifest has them: each operation has its own. */
// biome-ignore lint/suspicious/noExplicitAny: JSON, read by the row of the operation only
export type GoldenAttrs = { readonly [name: string]: any };

export interface GoldenContext {
  readonly attrs: GoldenAttrs;
  input(name: string): Tensor;
  /** The input of that name, or null. */
  find(name: string): Tensor | null;
  /** First output of an op. */
  run(op: string, attrs: object, ...inputs: (Tensor | null)[]): Tensor;
  runAll(op: string, attrs: object, ...inputs: (Tensor | null)[]): Tensor[];
}

/** Computes an operation of PyTorch with convlet's ops. */
export type GoldenOp = (context: GoldenContext) => readonly Tensor[];
export type GoldenOps = { readonly [torchName: string]: GoldenOp };

/** PyTorch takes one number for all axes. */
export const perAxis = (value: number | readonly number[], rank: number): readonly number[] =>
  typeof value === 'number' ? new Array<number>(rank).fill(value) : value;

export const axisOf = (dim: number, x: Tensor): number => (dim < 0 ? dim + x.rank : dim);

/** A number as a tensor that broadcasts with everything. */
export const scalar = (value: number): Tensor => tensor(Float32Array.of(value), []);
