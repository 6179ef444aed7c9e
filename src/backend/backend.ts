import { withContext } from '../common/error.ts';
import type { Memory, Storage } from '../memory/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { PrimName, Prims } from './prims/index.ts';

/**
 * Elements from pixel to pixel of the first input and of the output, where these are views: some channels of a wider
 * channels-last tensor. 0: the pixels follow each other. The result is that of copying the input out, the prim, and copying
 * the output in (js/pitched.ts). Which prims take one: prim-traits.ts.
 */
export interface Pitch {
  readonly x: number;
  readonly y: number;
}

/** One prim on concrete tensors: what ops emit, what plans are made of. */
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
  /** Where there was a choice: estimated costs of the other ways, or why they cannot. */
  readonly others?: string;
  /** Where there was a choice, on the first step of a call: estimated nanoseconds of all its steps (conv-cost.ts). */
  readonly cost?: number;
  run(): void;
}

/** What runs a step, for people: "conv: winograd4, 24 tiles a chunk", "plain JS: float64". */
export function stepText({ kernel, detail = '' }: Step): string {
  const name = kernel === 'js' ? 'plain JS' : kernel;
  return detail === '' ? name : `${name}: ${detail}`;
}

/** A list of steps made ready to run in order, again and again. */
export interface Runner {
  run(): void;
  /** As `run` without blocking the calling thread, on a backend whose `leader` is a worker. One at a time. */
  start?(): Promise<void>;
}

/**
 * One step after the other on the calling thread. Rejected: a few rows of a map through a chain of 1×1 and depthwise convolutions
 * before the next rows, so that they are still in the second-level cache: 1.00 × on MobileNet v2, 1.00–1.01 × on EfficientNet-B0.
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
 * What a backend keeps on behalf of prepared steps: packed constants, descriptors, one shared workspace. A compiled
 * model holds one session for all its plans; an eager call holds one for as long as the call lasts.
 */
export interface Session {
  /** The steps that carry out `call`; its tensors have their storage. */
  prepare(call: PrimCall): Step[];
  /** Called once after the last prepare and before the first run: the workspace's size is known now. */
  seal(): void;
  /** The steps as one; on a backend with threads they share the work. `where` says for errors what step i belongs to. */
  runner(steps: readonly Step[], where: (index: number) => string): Runner;
  /** Constants that belong to this session alone and are not worth sharing with the parent (index tables). */
  keepLocal(tables: readonly Tensor[]): void;
  /** Bytes held by this session beside the tensors: packed weights, descriptors, workspace. */
  readonly heldBytes: number;
  dispose(): void;
}

export interface Backend {
  readonly name: 'wasm' | 'js';
  /** Which kernel build runs: 'simd' | 'relaxed' for wasm, 'plain' for js. */
  readonly variant: 'simd' | 'relaxed' | 'plain';
  readonly memory: Memory;
  readonly threads: number;
  /** Who runs a plan: the calling thread (with the workers that it has, if any), or workers alone. */
  readonly leader: 'main' | 'worker';
  /** Whether views (`Pitch`) save copies here, or cost some. */
  readonly views: boolean;
  /** A run follows at once: sleeping threads may wake while its inputs are copied in. */
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

/** The step of a prim in plain JS: also what the WebAssembly backend does for dtypes and prims without a kernel. */
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
