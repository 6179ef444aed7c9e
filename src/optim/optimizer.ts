import { executor, noGrad, Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { shown, withDefaults } from '../common/options.ts';
import { tensor } from '../tensor/tensor.ts';
import { inspect } from '../tensor/text.ts';

/** Parameters that share hyper-parameters. Numbers in it may be changed at any time (schedules do). */
export interface ParamGroup {
  /** The parameters of the group. */
  readonly params: readonly Variable[];
  /** Learning rate. */
  lr: number;
  /** Steps taken. */
  stepCount: number;
  [option: string]: unknown;
}

/** Parameters, or groups with hyper-parameters of their own. */
export type Params<O> = Iterable<Variable> | readonly (Partial<O> & { readonly params: Iterable<Variable> })[];

/** The state of an optimizer without the parameters' values: what a restart needs to continue. */
export interface OptimizerState {
  /** By number of the parameter (counted through all groups): its state by name, row-major. */
  readonly state: Record<number, Record<string, ArrayLike<number> | number>>;
  /** Hyper-parameters of each group, parameters by number. */
  readonly paramGroups: Record<string, unknown>[];
}

interface ParamState {
  /** Steps that this parameter has taken; fewer than its group's if it had no gradient at times. */
  steps: number;
  readonly slots: Record<string, Variable>;
}

/**
 * Base of the optimizers. A subclass says what numbers a step needs (`hyper`) and which ops write one parameter
 * (`update`). The numbers live in tensors, the updates are ops that write in place: so the same code runs eagerly and
 * in a compiled step, which calls `advance` before each run and `emit` once, when it is traced.
 */
export abstract class Optimizer<O extends object = object> {
  static readonly name: string = 'Optimizer';

  /** Parameters with their hyper-parameters, which may be changed at any time. */
  readonly paramGroups: (ParamGroup & O)[];
  private readonly states = new Map<Variable, ParamState>();
  /** Per group: the tensor of numbers, by how many steps fewer than its group a parameter has taken. */
  private readonly hypers = new Map<ParamGroup, Map<number, Variable>>();

  constructor(params: Params<O>, defaults: O & { lr: number }) {
    if (typeof (params as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function') {
      const got =
        (params as Partial<{ parameters: unknown }> | null)?.parameters === undefined
          ? shown(params)
          : 'a module: give model.parameters()';
      throw new ConvletError(
        'argument',
        `${this.constructor.name}: params expects parameters, or groups of them, got ${got}`,
      );
    }
    const list = [...(params as Iterable<Variable | (Partial<O> & { params: Iterable<Variable> })>)];
    const plain = list.every((entry) => entry instanceof Variable);
    const groups = plain ? [{ params: list }] : list;
    this.paramGroups = groups.map((group) => {
      if (group instanceof Variable)
        throw new ConvletError('argument', 'optimizer: expects parameters, or groups of them; got both');
      return {
        ...withDefaults(defaults, group as object),
        params: [...(group as { params: Iterable<Variable> }).params],
        stepCount: 0,
      };
    }) as (ParamGroup & O)[];
    this.checkParams();
  }

  /** Numbers of step `step` (1, 2, …) of a parameter of `group`, as the update op wants them. */
  protected abstract hyper(group: ParamGroup & O, step: number): readonly number[];

  /** Applies the ops that write `param`; `hyper` is the tensor of numbers. */
  protected abstract update(param: Variable, grad: Variable, hyper: Variable, group: ParamGroup & O): void;

  /** Updates every parameter that has a gradient. */
  step(): void {
    this.advance();
    this.emit();
  }

  /** Gradients become null, and their memory is free. */
  zeroGrad(): void {
    for (const group of this.paramGroups) for (const param of group.params) param.grad = null;
  }

  /** Kind, hyper-parameters of the first group, and how much it has. */
  toString(): string {
    const [first] = this.paramGroups;
    const { params: _, stepCount, initialLr: __, ...numbers } = first ?? { params: [], stepCount: 0 };
    const options = Object.entries(numbers).map(
      ([name, value]) => `${name} ${Array.isArray(value) ? value.join(' ') : String(value)}`,
    );
    const params = this.paramGroups.reduce((sum, group) => sum + group.params.length, 0);
    const groups = this.paramGroups.length === 1 ? '' : ` in ${this.paramGroups.length} groups`;
    return `${this.constructor.name}(${options.join(', ')}): ${params} parameters${groups}, ${stepCount} steps taken`;
  }

  [inspect](): string {
    return this.toString();
  }

  /** Begins a step: counts it and writes its numbers where the update ops read them. */
  advance(): void {
    for (const group of this.paramGroups) {
      group.stepCount++;
      for (const [lag, hyper] of this.hypers.get(group) ?? []) hyper.set(this.hyper(group, group.stepCount - lag));
    }
  }

  /** Applies the update ops of one step to what has a gradient. */
  emit(): void {
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const param of group.params) {
          if (param.grad === null) continue;
          const state = this.stateOf(param);
          const lag = group.stepCount - state.steps - 1;
          this.update(param, param.grad, this.hyperOf(group, lag), group);
          executor().eachStep(() => void state.steps++);
        }
      }
    });
  }

  /** State of a parameter by name (momentum, second moments) of its shape, `initial` everywhere at first. */
  protected slot(param: Variable, name: string, initial = 0): Variable {
    const { slots } = this.stateOf(param);
    slots[name] ??= filledLike(param, initial);
    return slots[name];
  }

  /** Everything but the parameters, to go on from. */
  stateDict(): OptimizerState {
    const state: Record<number, Record<string, ArrayLike<number> | number>> = {};
    const paramGroups: Record<string, unknown>[] = [];
    let index = 0;
    for (const group of this.paramGroups) {
      const params = group.params.map((param) => {
        const own = this.states.get(param);
        if (own !== undefined) {
          const slots = Object.entries(own.slots).map(([name, value]) => [name, value.data] as const);
          state[index] = { step: own.steps, ...Object.fromEntries(slots) };
        }
        return index++;
      });
      paramGroups.push({ ...group, params });
    }
    return { state, paramGroups };
  }

  /**
   * Continues from a state.
   *
   * @throws ConvletError `shape` where groups or parameters do not fit; nothing has been written then
   */
  loadStateDict({ state, paramGroups }: OptimizerState): void {
    const counts = (groups: readonly { params?: unknown }[]) =>
      groups.map(({ params }) => (params as unknown[]).length).join(', ');
    if (counts(paramGroups) !== counts(this.paramGroups))
      throw new ConvletError(
        'shape',
        `loadStateDict: expects groups of ${counts(this.paramGroups)} parameters, got ${counts(paramGroups)}`,
      );
    const all = this.paramGroups.flatMap((group) => group.params);
    for (const [index, saved] of Object.entries(state)) {
      for (const [name, value] of Object.entries(saved)) {
        if (typeof value !== 'number' && value.length !== all[Number(index)]?.size)
          throw new ConvletError(
            'shape',
            `loadStateDict: ${name} of parameter ${index} expects ${all[Number(index)]?.size ?? 0} values, got ${value.length}`,
          );
      }
    }
    this.paramGroups.forEach((group, i) => {
      const { params: _, ...options } = paramGroups[i];
      Object.assign(group, options);
    });
    for (const [index, { step, ...slots }] of Object.entries(state)) {
      const param = all[Number(index)];
      this.stateOf(param).steps = Number(step ?? 0);
      for (const [name, values] of Object.entries(slots)) this.slot(param, name).set(values as ArrayLike<number>);
    }
    this.forgetHypers();
  }

  /** Gives the memory of the state back. */
  dispose(): void {
    for (const { slots } of this.states.values()) for (const slot of Object.values(slots)) slot.dispose();
    this.states.clear();
    this.forgetHypers();
  }

  private stateOf(param: Variable): ParamState {
    let state = this.states.get(param);
    if (state === undefined) {
      state = { steps: 0, slots: {} };
      this.states.set(param, state);
    }
    return state;
  }

  private hyperOf(group: ParamGroup & O, lag: number): Variable {
    const byLag = this.hypers.get(group) ?? new Map<number, Variable>();
    this.hypers.set(group, byLag);
    let hyper = byLag.get(lag);
    if (hyper === undefined) {
      const values = Float32Array.from(this.hyper(group, group.stepCount - lag));
      hyper = persistent(tensor(values));
      byLag.set(lag, hyper);
    }
    return hyper;
  }

  private forgetHypers(): void {
    for (const byLag of this.hypers.values()) for (const hyper of byLag.values()) hyper.dispose();
    this.hypers.clear();
  }

  private checkParams(): void {
    const seen = new Set<Variable>();
    for (const [i, { params }] of this.paramGroups.entries()) {
      if (params.length === 0) throw new ConvletError('argument', `optimizer: group ${i} has no parameters`);
      for (const param of params) {
        if (!(param instanceof Variable) || param.node !== null || param.lifetime !== 'persistent')
          throw new ConvletError('argument', `optimizer: expects leaves that require gradients, got ${String(param)}`);
        if (seen.has(param)) throw new ConvletError('argument', 'optimizer: a parameter is listed twice');
        seen.add(param);
      }
    }
  }
}

const persistent = (values: ReturnType<typeof tensor>): Variable => new Variable(values, values, false, 'persistent');

function filledLike(param: Variable, value: number): Variable {
  const Values = param.dtype === 'float64' ? Float64Array : Float32Array;
  return persistent(tensor(new Values(param.size).fill(value), param.shape));
}
