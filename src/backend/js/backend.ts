import { HostMemory } from '../../memory/storage.ts';
import { type Backend, JsStep, type PrimCall, type Runner, Sequence, type Session, type Step } from '../backend.ts';
import type { PrimName } from '../prims.ts';
import { jsPrims } from './prims.ts';

/** Every prim in plain TypeScript on the JavaScript heap. */
export class JsBackend implements Backend {
  readonly name = 'js';
  readonly variant = 'plain';
  readonly threads = 1;
  readonly memory: HostMemory;

  constructor(maxMemoryBytes?: number) {
    this.memory = new HostMemory(maxMemoryBytes);
  }

  session(): Session {
    return new JsSession();
  }

  dispose(): void {}
}

class JsSession implements Session {
  readonly heldBytes = 0;

  prepare(call: PrimCall): Step[] {
    return [jsStep(call)];
  }

  seal(): void {}

  runner(steps: readonly Step[]): Runner {
    return new Sequence(steps);
  }

  keepLocal(): void {}

  dispose(): void {}
}

export function jsStep<P extends PrimName>(call: PrimCall<P>): Step {
  return new JsStep(call, jsPrims[call.prim]);
}
