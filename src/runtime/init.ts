import { type Engine, useBackend } from '../autograd/index.ts';
import { WasmBackend } from '../backend/wasm/backend.ts';
import { allPrims } from '../backend/wasm/training-prims.ts';
import { ConvletError } from '../common/error.ts';
import { checkInitOptions, createBackend, type LoadOptions } from './load.ts';
import type { Platform } from './platform.ts';

/** What training runs on. */
export interface InitOptions
  extends Omit<LoadOptions, 'leader' | 'maxLoopIterations' | 'int64' | 'signal' | 'onProgress'> {
  /**
   * A whole number ≥ 1, or 'auto'; compiled steps (compileStep, fit) share their work among so many. Default 1. In browsers
   * more than one is for Web Workers: a page's own thread must not wait for others.
   */
  readonly threads?: number | 'auto';
}

/** `init` as every entry of convlet/train exports it. */
export type Init = (options?: InitOptions) => Promise<Engine>;

let last: Engine | null = null;

/** `init` for a runtime. */
export function createInit(platform: Platform): Init {
  return async (options = {}) => {
    checkInitOptions(options);
    const backend = await createBackend(platform, { ...options, leader: 'main' }, allPrims);
    if (backend instanceof WasmBackend && !backend.trains)
      throw new ConvletError(
        'environment',
        'init: kernels expects a build for training: convlet/kernels/simd-train.wasm',
      );
    // Threads of the engine before have nothing to do any more; its variables stay readable and move when they are used.
    last?.dispose();
    last = useBackend(backend);
    return last;
  };
}
