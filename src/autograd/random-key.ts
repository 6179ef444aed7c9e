import { defaultGenerator } from '../common/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { executor } from './engine.ts';
import { Variable } from './variable.ts';

/** Keys are memory that each run of a compiled program finds new numbers in, also where parameters are constants. */
const keys = new WeakSet<Variable>();

export const isRandomKey = (variable: Variable): boolean => keys.has(variable);

let recorded: Variable[] | null = null;
let replayed: Variable[] | null = null;

/**
 * Two random words (int32) that a random op starts from, drawn from the default generator: now, or before each run of a
 * compiled step, in the same order, so that both compute the same.
 */
export function randomKey(): Variable {
  const known = replayed?.shift();
  if (known !== undefined) {
    recorded?.push(known);
    return known;
  }
  const values = tensor(new Int32Array(2));
  // The engine reads it in place; in a trace it is memory that each run finds new numbers in.
  const key = new Variable(values, values, false, executor().isTrace ? 'persistent' : 'step');
  keys.add(key);
  executor().beforeEachStep(() => void key.set([defaultGenerator.uint32() | 0, defaultGenerator.uint32() | 0]));
  recorded?.push(key);
  return key;
}

/** Notes the keys that `body` draws. */
export function recordKeys<T>(keys: Variable[], body: () => T): T {
  const before = recorded;
  recorded = keys;
  try {
    return body();
  } finally {
    before?.push(...keys);
    recorded = before;
  }
}

/** Runs `body` with keys noted before, so that it draws the same again. */
export function replayKeys<T>(keys: readonly Variable[], body: () => T): T {
  const before = replayed;
  replayed = [...keys];
  try {
    return body();
  } finally {
    replayed = before;
  }
}
