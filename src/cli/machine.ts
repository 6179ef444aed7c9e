// Properties of this machine and this runtime, for `convlet --version` and `convlet doctor`.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { abiHash } from '../abi/generated/abi.ts';
import { supportedVariants, supports } from '../abi/modules.ts';
import { engineName } from './table.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** Versions of the package and of the kernels' interface (a hash). */
export const versions = { package: version, kernels: (abiHash >>> 0).toString(16).padStart(8, '0') };

export interface Machine {
  readonly runtime: string;
  readonly platform: string;
  readonly simd: boolean;
  readonly relaxed: boolean;
  /** Kernel build that `variant: 'auto'` chooses; null if none is supported. */
  readonly variant: string | null;
  /** The number of threads that `threads: 'auto'` chooses. */
  readonly threads: number;
  readonly processors: number;
  readonly sharedMemory: boolean;
}

export function machine(): Machine {
  const processors = availableParallelism();
  return {
    runtime: engineName(),
    platform: `${process.platform} ${process.arch}`,
    ...{ simd: supports('simd'), relaxed: supports('relaxed') },
    variant: supportedVariants()[0] ?? null,
    threads: Math.min(processors, 8),
    processors,
    sharedMemory: typeof SharedArrayBuffer === 'function',
  };
}

/** `convlet 0.1.0 (kernels 1a2b3c4d; relaxed, up to 2 threads; Node 24.1.0, linux x64)` */
export function versionText(): string {
  const { variant, threads, runtime, platform } = machine();
  const runs = `${variant ?? 'no SIMD'}, up to ${threads} thread${threads === 1 ? '' : 's'}`;
  return `convlet ${versions.package} (kernels ${versions.kernels}; ${runs}; ${runtime}, ${platform})`;
}
