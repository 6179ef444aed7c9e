import { apply, type Variable } from '../autograd/index.ts';
import { anything, checkCall, checkOptions, type KnownOf, withDefaults } from '../common/options.ts';
import type { UpdateKind } from '../ops/optimizer/attrs.ts';
import { optimizerHyper, optimizerStates } from '../ops/optimizer/optimizer.ts';
import { Optimizer, type ParamGroup, type Params } from './optimizer.ts';

/** An optimizer whose step is one of the update ops: a subclass says its kind, its numbers and its states. */
export abstract class KernelOptimizer<O extends object> extends Optimizer<O> {
  static override readonly name: string = 'KernelOptimizer';

  protected abstract readonly kind: UpdateKind;
  private readonly title: string;

  /** @internal `given`: the caller's arguments after the parameters. */
  constructor(
    title: string,
    params: Params<O>,
    given: readonly unknown[],
    defaults: O & { lr: number },
    known: KnownOf<O>,
  ) {
    checkCall(title, { args: { params: anything }, options: known, needed: 1 }, [params, ...given]);
    super(params, withDefaults(defaults, given[0] as Partial<O & { lr: number }>));
    this.title = title;
    const ofGroups = { ...known, params: anything, stepCount: anything, initialLr: anything };
    for (const group of this.paramGroups) checkOptions(title, group, ofGroups);
  }

  /** The entries of `hyper` by name for step `step` (1, 2, …); flags may be truth values, further entries are ignored. */
  protected abstract numbers(group: ParamGroup & O, step: number): object;

  /** Whether the state of that name is used with these options. */
  protected has(_name: string, _group: ParamGroup & O): boolean {
    return true;
  }

  /** What a state begins with. */
  protected initial(_name: string, _group: ParamGroup & O): number {
    return 0;
  }

  protected hyper(group: ParamGroup & O, step: number): number[] {
    const numbers = this.numbers(group, step) as { readonly [entry: string]: number | boolean };
    return optimizerHyper[this.kind].map((entry) => {
      const value = numbers[entry];
      if (value === undefined) throw new Error(`${this.title} does not say ${entry}`);
      return Number(value);
    });
  }

  protected update(param: Variable, grad: Variable, hyper: Variable, group: ParamGroup & O): void {
    const states = optimizerStates[this.kind].names.map((name) =>
      this.has(name, group) ? this.slot(param, name, this.initial(name, group)) : null,
    );
    apply(`${this.kind}Step`, [param, grad, ...states, hyper]);
  }
}
