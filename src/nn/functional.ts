// torch.nn.functional in camelCase.
import { isVariableLike, Variable, type VariableLike } from '../autograd/index.ts';
import { asVariable } from '../autograd/variable-like.ts';
import { ConvletError } from '../common/error.ts';
import { isPlain, shown } from '../common/options.ts';
import * as functions from './functional/all.ts';

/** What stands for an argument: where a variable is wanted, a tensor or { shape, data } too; the same inside of arrays. */
type Wide<A> = A extends Variable ? VariableLike : A extends readonly Variable[] ? readonly VariableLike[] : A;

type Widened<F> = F extends (...args: infer A) => infer R ? (...args: { [K in keyof A]: Wide<A[K]> }) => R : F;

const widen = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof Variable) return value;
  if (isVariableLike(value)) return asVariable(value);
  return Array.isArray(value) && value.some(isVariableLike) ? value.map(widen) : value;
};

/**
 * A function of variables that takes tensors and shaped values as well, so that what a loader or a model gives goes straight in.
 * What no function can work with (an operand that is missing, text, …) is an `argument` error that names its place.
 */
function widened(name: string, body: (...args: unknown[]) => unknown): unknown {
  const wide = (...args: unknown[]): unknown => {
    let hasOptions = false;
    for (let i = 0; i < args.length; i++) {
      if (hasOptions && args[i] !== undefined)
        throw new ConvletError('argument', `${name}: expects nothing behind its options, got ${shown(args[i])}`);
      args[i] = widen(args[i]);
      hasOptions ||= isPlain(args[i]);
    }
    try {
      return body(...args);
    } catch (error) {
      // Checks inside say more; this is for what they take for granted.
      if (!(error instanceof TypeError)) throw error;
      const at = Array.from({ length: Math.max(args.length, body.length) }, (_, i) => args[i]);
      const got = at.map((value) => (value instanceof Variable ? `variable ${value.shape}` : shown(value))).join(', ');
      throw new ConvletError(
        'argument',
        `${name}: expects variables, tensors or { shape, data } as operands, got (${got})`,
        {
          cause: error,
        },
      );
    }
  };
  return Object.defineProperties(wide, { name: { value: name }, length: { value: body.length } });
}

/** The functions of layers, activations and losses, and random numbers. */
export const F = Object.fromEntries(
  Object.entries(functions).map(([name, body]) => [
    name,
    typeof body === 'function' ? widened(name, body as (...args: unknown[]) => unknown) : body,
  ]),
) as unknown as { readonly [K in keyof typeof functions]: Widened<(typeof functions)[K]> };
