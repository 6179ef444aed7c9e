import type { KernelExports, KernelName } from '../../../abi/generated/abi.ts';
import { Sequence, type Step } from '../../backend.ts';
import type { PrimName } from '../../prims/index.ts';
import type { TeamStep } from './team.ts';

/** A kernel call with everything fixed: descriptor address (of the first thread) and number of work units. */
export class KernelStep implements Step {
  readonly prim: PrimName;
  readonly kernel: KernelName;
  readonly descriptor: number;
  readonly descriptorStride: number;
  readonly units: number;
  detail = '';
  others = '';
  cost: number | undefined;
  private readonly call: (descriptor: number, begin: number, end: number) => void;

  constructor(
    prim: PrimName,
    kernel: KernelName,
    kernels: KernelExports,
    descriptor: number,
    stride: number,
    units: number,
  ) {
    this.prim = prim;
    this.kernel = kernel;
    this.call = kernels[kernel];
    this.descriptor = descriptor;
    this.descriptorStride = stride;
    this.units = units;
  }

  run(): void {
    this.call(this.descriptor, 0, this.units);
  }
}

/** The step of a team. The leader runs a step that has no kernel. */
export function asTeamStep(step: Step, where: () => string): TeamStep {
  if (step instanceof KernelStep) return step;
  const alone = new Sequence([step], where);
  return { kernel: null, units: 0, descriptor: 0, descriptorStride: 0, run: () => alone.run() };
}
