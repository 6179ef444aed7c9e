import { withContext } from '../common/error.ts';
import type { Memory, Storage } from '../memory/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { PrimName, Prims } from './prims/index.ts';

/**
 * Distance of pixels, in elements, of the first input and of the output if these are views: some channels of a wider
 * channels-last tensor. 0: the pixels are adjacent. The result is as if the input were copied out of the wider tensor, and the output
 * copied into it (js/pitched.ts). prim-traits.ts says which prims take a pitch.
 */
export interface Pitch {
  readonly x: number;
  readonly y: number;
}

/** One prim on concrete tensors: ops emit them, plans consist of them. */
export interface PrimCall<P extends PrimName = PrimName> {
  readonly prim: P;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attrs: Prims[P];
  readonly pitch?: Pitch;
}

/** A prim bound to fixed memory: `run()` does the work and allocates nothing. */
export interface Step {
  readonly prim: PrimName;
  /** What runs it: the name of a kernel, or "js". */
  readonly kernel: string;
  /** How it was chosen, for profiles: "winograd4, 24 tiles a chunk", or of plain JS why no kernel takes it ("float64"). */
  readonly detail?: string;
  /** If there was a choice: the other algorithms with their estimated costs, or why they cannot do it. */
  readonly others?: string;
  /** If there was a choice, on the first step of a call: estimated nanoseconds of all its steps (conv-cost.ts). */
  readonly cost?: number;
  run(): void;
}

/** What runs a step, as a text: "conv: winograd4, 24 tiles a chunk", "plain JS: float64". */
export function stepText({ kernel, detail = '' }: Step): string {
  const name = kernel === 'js' ? 'plain JS' : kernel;
  return detail === '' ? name : `${name}: ${detail}`;
}

/** A list of steps that can be run in order, any number of times. */
export interface Runner {
  run(): void;
  /** As `run` without blocking the calling thread, on a backend whose `leader` is a worker. Only one may be pending. */
  start?(): Promise<void>;
}

/**
 * Runs the steps in order on the calling thread. Rejected: to compute a few rows of a map through a chain of 1×1 and depthwise
 * convolutions before the next rows, so that they stay in the second-level cache: 1.00 × on MobileNet v2, 1.00–1.01 × on EfficientNet-B0.
 */
export class Sequence implements Runner {
  private readonly steps: readonly Step[];
  private readonly where: (index: number) => string;

  constructor(steps: readonly Step[], where: (index: number) => string) {
    this.steps = steps;
    this.where = where;
  }

  run(): void {
    const { steps } = this;
    let i = 0;
    try {
      for (; i < steps.length; i++) steps[i].run();
    } catch (error) {
      throw withContext(this.where(i), error);
    }
  }
}

/**
 * What a backend keeps for prepared steps: packed constants, descriptors, one shared workspace. A compiled
 * model has one session for all its plans; an eager call has one until it returns.
 */
export interface Session {
  /** The steps that carry out `call`; its tensors have their storage. */
  prepare(call: PrimCall): Step[];
  /** Call it once, after the last `prepare` and before the first run: it allocates the workspace, whose size is known then. */
  seal(): void;
  /** A runner of all steps; on a backend with threads the threads share the work. `where` says for errors what step i belongs to. */
  runner(steps: readonly Step[], where: (index: number) => string): Runner;
  /** Constants that belong to this session alone and are not worth sharing with the parent (index tables). */
  keepLocal(tables: readonly Tensor[]): void;
  /** Bytes that this session holds in addition to the tensors: packed weights, descriptors, workspace. */
  readonly heldBytes: number;
  dispose(): void;
}

export interface Backend {
  readonly name: 'wasm' | 'js';
  /** Which kernel build runs: 'simd' | 'relaxed' for wasm, 'plain' for js. */
  readonly variant: 'simd' | 'relaxed' | 'plain';
  readonly memory: Memory;
  readonly threads: number;
  /** Who runs a plan: the calling thread (with its workers, if any), or workers alone. */
  readonly leader: 'main' | 'worker';
  /** Whether views (`Pitch`) save copies on this backend; in plain JS they cost copies. */
  readonly views: boolean;
  /** Call it when a run follows at once: sleeping threads can wake while its inputs are copied. */
  wake?(): void;
  dispose(): void;
  /** A child shares its parent's packed constants and workspace. */
  session(parent?: Session): Session;
}

/** A prim in plain JS over the tensors' arrays. */
export type JsPrim<P extends PrimName> = (
  inputs: readonly (Tensor | null)[],
  outputs: readonly Tensor[],
  attrs: Prims[P],
) => void;

export type JsPrims = { readonly [P in PrimName]: JsPrim<P> };

/** The step of a prim in plain JS, which the WebAssembly backend uses too for dtypes and prims without a kernel. */
export class JsStep<P extends PrimName = PrimName> implements Step {
  readonly prim: P;
  readonly kernel = 'js';
  readonly detail: string;
  private readonly call: PrimCall<P>;
  private readonly implementation: JsPrim<P>;

  constructor(call: PrimCall<P>, implementation: JsPrim<P>, detail = '') {
    this.prim = call.prim;
    this.detail = detail;
    this.call = call;
    this.implementation = implementation;
  }

  run(): void {
    this.implementation(this.call.inputs, this.call.outputs, this.call.attrs);
  }
}

export type { Memory, Storage };
