import { toVariable, type Variable, type VariableLike } from '../../autograd/index.ts';
import { checkCall, type Known, type Signature } from '../../common/options.ts';
import { Module, snakeCase } from '../module.ts';

/** A module with one result. */
export type Layer = Module<Variable>;

/** A class of layers made by `layer`. */
export interface LayerClass<A extends unknown[]> {
  new (...args: A): Layer;
}

/** A value as Python prints it: what PyTorch's summaries show. */
export function python(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) return `(${value.map(python).join(', ')}${value.length === 1 ? ',' : ''})`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'number' || value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e16))
    return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `stride=(1, 1), padding=same`. */
export const pythonArgs = (entries: Readonly<Record<string, unknown>>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${snakeCase(name)}=${typeof value === 'string' ? value : python(value)}`)
    .join(', ');

/**
 * A class of layers that have no parameters: `forward` is a function of the inputs and the constructor's arguments.
 *
 * @param signature which arguments there are
 * @param describe the arguments by name, for the summary
 */
export function layer<A extends unknown[]>(
  name: string,
  signature: Signature,
  forward: (inputs: Variable[], args: A, layer: Layer) => Variable,
  describe: (...args: A) => Readonly<Record<string, unknown>> = () => ({}),
): LayerClass<A> {
  class Simple extends Module<Variable> {
    readonly args: A;

    constructor(...args: A) {
      super();
      checkCall(this.constructor.name, signature, args);
      this.args = args;
    }

    forward(...inputs: VariableLike[]): Variable {
      return forward(
        inputs.map((input, i) => toVariable(name, `input ${i}`, input)),
        this.args,
        this,
      );
    }

    override extraRepr(): string {
      return pythonArgs(describe(...this.args));
    }
  }
  Object.defineProperty(Simple, 'name', { value: name });
  return Simple;
}

/** As `layer`, for functions of one variable whose further arguments are the constructor's. */
export const pointwise = <A extends unknown[]>(
  name: string,
  body: (x: Variable, ...args: A) => Variable,
  args: Known = {},
  rest: Omit<Signature, 'args'> = {},
): LayerClass<A> =>
  layer(
    name,
    { args, ...rest },
    ([x], given: A) => body(x, ...given),
    (...given) =>
      Object.fromEntries(Object.keys(args).flatMap((arg, i) => (given[i] === undefined ? [] : [[arg, given[i]]]))),
  );
