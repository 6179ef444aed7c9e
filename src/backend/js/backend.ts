import { HostMemory, type Storage } from '../../memory/storage.ts';
import {
  type Backend,
  type JsPrim,
  type JsPrims,
  JsStep,
  type PrimCall,
  type Runner,
  Sequence,
  type Session,
  type Step,
} from '../backend.ts';
import type { PrimName } from '../prims/index.ts';
import { PitchedStep } from './pitched.ts';

export interface JsBackendOptions {
  /** The prims that can be run: `jsPrims`, or with those of training `allJsPrims`. */
  readonly prims: Partial<JsPrims>;
  readonly maxMemoryBytes?: number;
}

/** Prims in plain TypeScript on the JavaScript heap. */
export class JsBackend implements Backend {
  readonly name = 'js';
  readonly variant = 'plain';
  readonly threads = 1;
  readonly leader = 'main';
  readonly views = false;
  readonly memory: HostMemory;
  readonly prims: Partial<JsPrims>;
  /** How many sessions use each constant: a constant counts once against the memory's limit. */
  readonly users = new Map<Storage, number>();

  constructor({ prims, maxMemoryBytes }: JsBackendOptions) {
    this.prims = prims;
    this.memory = new HostMemory(maxMemoryBytes);
  }

  session(): Session {
    return new JsSession(this);
  }

  dispose(): void {}
}

class JsSession implements Session {
  readonly heldBytes = 0;
  private readonly backend: JsBackend;
  private readonly constants = new Set<Storage>();

  constructor(backend: JsBackend) {
    this.backend = backend;
  }

  prepare(call: PrimCall): Step[] {
    for (const input of call.inputs) if (input?.constant && input.storage !== null) this.hold(input.storage);
    return [jsStep(call, this.backend.prims)];
  }

  seal(): void {}

  runner(steps: readonly Step[], where: (index: number) => string): Runner {
    return new Sequence(steps, where);
  }

  keepLocal(): void {}

  dispose(): void {
    const { memory, users } = this.backend;
    for (const storage of this.constants) {
      const others = users.get(storage)! - 1;
      if (others > 0) users.set(storage, others);
      else {
        users.delete(storage);
        memory.release(storage.byteLength);
      }
    }
    this.constants.clear();
  }

  private hold(storage: Storage): void {
    if (this.constants.has(storage)) return;
    const { memory, users } = this.backend;
    const others = users.get(storage) ?? 0;
    if (others === 0) memory.claim(storage.byteLength);
    users.set(storage, others + 1);
    this.constants.add(storage);
  }
}

/** The step of a call in plain JS; `why` no kernel takes it. A call of a prim that is not in `prims` is a bug of convlet. */
export function jsStep<P extends PrimName>(call: PrimCall<P>, prims: Partial<JsPrims>, why = ''): Step {
  const implementation = prims[call.prim] as JsPrim<P> | undefined;
  if (implementation === undefined) throw new Error(`the backend was built without the prim '${call.prim}'`);
  return call.pitch === undefined ? new JsStep(call, implementation, why) : new PitchedStep(call, implementation, why);
}
