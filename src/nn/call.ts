// How models and losses are called: with variables, or arrays and records of variables.

import { Variable } from '../autograd/index.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import { shown } from '../common/options.ts';
import type { Structure } from '../common/structure.ts';
import { type AnyModule, Module } from './module.ts';

/** `T`, which the compiler infers from other arguments than this one. */
// biome-ignore lint/suspicious/noExplicitAny: any keeps the type as it is
export type Fixed<T> = [T][T extends any ? 0 : never];

/** A loss: a function of what the model returned and of the targets, or a module of it. */
export type Loss<O = Variable, T extends readonly unknown[] = [target: Variable]> =
  | ((output: O, ...targets: T) => Variable)
  | Module<Variable>;

/** The loss as a function. Throws `argument` for anything else. */
export function lossOf(what: string, loss: unknown): (...values: unknown[]) => unknown {
  if (loss instanceof Module) {
    // With the number of targets that losses take.
    return (output: unknown, target: unknown, ...rest: unknown[]) =>
      loss.forward(...([output, target, ...rest] as Variable[]));
  }
  if (typeof loss === 'function') return loss as (...values: unknown[]) => unknown;
  throw new ConvletError(
    'argument',
    `${what}: loss expects a function of output and target, as F.crossEntropy, or a module, as new nn.CrossEntropyLoss(), got ${shown(loss)}`,
  );
}

/** What a loss returned, which must be a variable with one element. Throws `argument`, `shape` for anything else. */
export function lossValue(what: string, value: unknown): Variable {
  if (!(value instanceof Variable)) {
    throw new ConvletError(
      'argument',
      `${what}: the loss expects to return a variable with one element, got ${shown(value)}; leave item() to the caller`,
    );
  }
  if (value.size === 1) return value;
  throw new ConvletError('shape', `${what}: the loss expects one element, got shape ${shapeText(value.shape)}`);
}

/** The model's forward, as a function of any inputs. */
export const forwardOf =
  (model: AnyModule) =>
  (...inputs: unknown[]): unknown =>
    model.forward(...(inputs as Variable[]));

/** A model of one batch input: an array is its arguments, anything else its only one. */
export const forwardBatch = (model: AnyModule, input: Structure<Variable>): unknown =>
  Array.isArray(input) ? forwardOf(model)(...input) : forwardOf(model)(input);
