// Forward hooks (torch's register_forward_pre_hook and register_forward_hook). `forward` is called by its own name, so hooks stand in
// front of it on the instance, and leave it as it was when the last one goes.
import { callable, expectKind } from '../common/options.ts';

/** A module, as far as hooks know it. */
// biome-ignore lint/suspicious/noExplicitAny: a module knows its inputs
type Forwards = { forward(...inputs: any[]): any };

/** Called before forward: what it returns (an array: all arguments; anything else: the only one) replaces the inputs. */
// biome-ignore lint/suspicious/noExplicitAny: a module knows its inputs
export type ForwardPreHook<M = Forwards> = (module: M, inputs: readonly any[]) => unknown;
/** Called after forward: what it returns, if anything, replaces the output. */
// biome-ignore lint/suspicious/noExplicitAny: a module knows its inputs and output
export type ForwardHook<M = Forwards> = (module: M, inputs: readonly any[], output: any) => unknown;

/** How to take a hook away. */
export interface HookHandle {
  /** Takes the hook away; a second call does nothing. */
  remove(): void;
}

/** The hooks of a module, in the order in which they were registered. */
export class Hooks {
  static readonly name: string = 'Hooks';

  private readonly module: Forwards;
  private readonly before = new Set<{ readonly hook: ForwardPreHook }>();
  private readonly after = new Set<{ readonly hook: ForwardHook }>();
  /** A forward that was a field of the instance. */
  private own: PropertyDescriptor | undefined;

  constructor(module: Forwards) {
    this.module = module;
  }

  addBefore(hook: ForwardPreHook): HookHandle {
    return this.add('registerForwardPreHook', this.before, hook);
  }

  addAfter(hook: ForwardHook): HookHandle {
    return this.add('registerForwardHook', this.after, hook);
  }

  private add<H>(what: string, hooks: Set<{ readonly hook: H }>, hook: H): HookHandle {
    expectKind(what, 'hook', hook, callable);
    if (this.before.size + this.after.size === 0) this.install();
    const entry = { hook };
    hooks.add(entry);
    return {
      remove: () => {
        if (hooks.delete(entry) && this.before.size + this.after.size === 0) this.uninstall();
      },
    };
  }

  private install(): void {
    const { module } = this;
    this.own = Object.getOwnPropertyDescriptor(module, 'forward');
    const { forward } = module;
    const value = (...given: unknown[]): unknown => {
      let inputs = given;
      for (const { hook } of this.before) {
        const changed = hook(module, inputs);
        if (changed !== undefined) inputs = Array.isArray(changed) ? changed : [changed];
      }
      let output = forward.apply(module, inputs);
      for (const { hook } of this.after) output = hook(module, inputs, output) ?? output;
      return output;
    };
    Object.defineProperty(module, 'forward', { value, configurable: true, writable: true, enumerable: false });
  }

  private uninstall(): void {
    if (this.own === undefined) delete (this.module as Partial<Forwards>).forward;
    else Object.defineProperty(this.module, 'forward', this.own);
  }
}
