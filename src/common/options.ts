// Checks of options and arguments, by tables of their names and of the values that they take.
import { ConvletError } from './error.ts';

/** Which values an option or argument takes. */
export interface Kind<T> {
  /** Completes "expects …". */
  readonly text: string;
  holds(value: unknown): value is T;
  /** For an option that is itself an object of options. */
  readonly inside?: Known;
}

/** Options or arguments by name, in the order in which PyTorch takes them as arguments. */
export type Known = { readonly [name: string]: Kind<unknown> };
/** A kind for every option of an interface: the compiler reports an option that its table lacks. */
export type KnownOf<O> = { readonly [name in keyof O]-?: Kind<O[name]> };

/** The parameters of a class or function: arguments in their order, and options after them. */
export interface Signature {
  readonly args: Known;
  readonly options?: Known;
  /** How many of the arguments must be given. Default: none. */
  readonly needed?: number;
  /** Options that must be given. */
  readonly required?: readonly string[];
}

export const kind = <T>(text: string, holds: (value: unknown) => boolean): Kind<T> => ({
  text,
  holds: holds as Kind<T>['holds'],
});
export const oneOf = <const T extends string>(...words: readonly T[]): Kind<T> =>
  kind(words.join(' or '), (value) => (words as readonly unknown[]).includes(value));
export const whole = (least: number): Kind<number> =>
  kind(`a whole number ≥ ${least}`, (value) => Number.isInteger(value) && (value as number) >= least);
/** Options inside of an option. */
export const inside = <T>(known: Known): Kind<T> => ({
  ...kind<T>('an object of options', (value) => fits(value, known)),
  inside: known,
});
export const flag = kind<boolean>('true or false', (value) => typeof value === 'boolean');
export const number = kind<number>('a number', (value) => typeof value === 'number');
export const callable = kind<never>('a function', (value) => typeof value === 'function');
/** For values that are checked elsewhere. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for the kind of any option
export const anything = kind<any>('anything', () => true);

/**
 * Whether `options` are undefined, or options of these names with values of their kinds. It allocates nothing: functions that
 * run in every step call it first, and call `refuse` if it returns false.
 */
export function fits(options: unknown, known: Known): boolean {
  if (options === undefined) return true;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false;
  for (const name in options) {
    if (!Object.hasOwn(known, name)) return false;
    const value = (options as { readonly [name: string]: unknown })[name];
    if (value !== undefined && !known[name].holds(value)) return false;
  }
  return true;
}

/** Throws `argument` for options that do not fit. `what`: the function or class that got them. */
export function checkOptions(what: string, options: unknown, known: Known): void {
  if (!fits(options, known)) complain(what, options, known, { args: {}, surplus: [], form: () => '' });
}

/** Throws `argument` for arguments of another kind, for too many of them, and for options that do not fit. */
export function checkCall(
  what: string,
  { args, options = {}, needed = 0, required = [] }: Signature,
  given: readonly unknown[],
): void {
  const names = Object.keys(args);
  const wrong = names.find((name, i) => (given[i] === undefined ? i < needed : !args[name].holds(given[i])));
  const named = Object.fromEntries(names.map((name, i) => [name, name === wrong ? undefined : given[i]]));
  const [first, ...surplus] = given.slice(names.length);
  const fitting = fits(first, options);
  // If the argument is an object of options that do not fit, the error about the options is more helpful.
  if (wrong !== undefined && (fitting || !isPlain(first))) {
    const got = shown(given[names.indexOf(wrong)]);
    fail(
      what,
      `${wrong} expects ${args[wrong].text}, got ${got}: ${callOf(what, options, named, [first, ...surplus])}`,
    );
  }
  if (!fitting || surplus.some((value) => value !== undefined)) refuse(what, first, options, named, surplus);
  for (const name of required)
    expectKind(what, name, (first as Record<string, unknown> | undefined)?.[name], options[name]);
}

/** The defaults, replaced by given options; an undefined option counts as not given. */
export function withDefaults<D extends object>(defaults: D, options: Partial<D> = {}): D {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/**
 * Throws `argument` for options or a flag given to a function of one operand (PyTorch's `inplace`). Numbers are allowed, since
 * `Array.map` passes an index.
 */
export function expectNothing(what: string, surplus: unknown): void {
  if (surplus !== undefined && (typeof surplus === 'boolean' || isPlain(surplus)))
    refuse(what, surplus, {}, { x: null });
}

/** Throws `argument` for an argument of another kind. */
export function expectKind(what: string, name: string, value: unknown, expected: Kind<unknown>): void {
  if (!expected.holds(value)) fail(what, `${name} expects ${expected.text}, got ${shown(value)}`);
}

/**
 * Says what is wrong with options that do not fit, and shows the right form of the call.
 *
 * @param args the arguments before the options
 * @param surplus the arguments after them
 */
export function refuse(
  what: string,
  options: unknown,
  known: Known,
  args: Call['args'] = {},
  surplus: readonly unknown[] = [],
): never {
  return complain(what, options, known, { args, surplus, form: (given) => callOf(what, known, args, given) });
}

/** The parts of a call, except its options, that an error mentions. */
interface Call {
  readonly args: { readonly [name: string]: unknown };
  readonly surplus: readonly unknown[];
  /** The call as it should be; '' if that is not known. It is a parameter, so that `load` and `run` do not contain its code. */
  form(given: readonly unknown[]): string;
}

/** `path`: for options inside of an option, the name of that option and a dot. */
function complain(what: string, options: unknown, known: Known, call: Call, path = ''): never {
  const { args, surplus, form } = call;
  const names = Object.keys(known);
  const shape = (given: readonly unknown[]): string => (form(given) === '' ? '' : `: ${form(given)}`);
  if (options !== undefined && !isPlain(options)) {
    const wanted = names.length === 0 ? 'no more arguments' : 'options by name';
    fail(what, `expects ${wanted}, got ${[options, ...surplus].map(shown).join(', ')}${shape([options, ...surplus])}`);
  }
  for (const name in options as object) {
    const value = (options as { readonly [name: string]: unknown })[name];
    const found = Object.hasOwn(known, name) ? known[name] : undefined;
    if (found === undefined) {
      const near = nearest(name, names);
      const argument = near === undefined ? nearest(name, Object.keys(args)) : undefined;
      if (near !== undefined) fail(what, `unknown option ${path}${name}: did you mean ${near}?`);
      if (argument !== undefined)
        fail(what, `unknown option ${name}: did you mean the argument ${argument}? ${form([])}`);
      fail(what, `unknown option ${path}${name}; ${names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`}`);
    }
    if (value === undefined || found.holds(value)) continue;
    if (found.inside !== undefined && isPlain(value)) complain(what, value, found.inside, call, `${name}.`);
    fail(what, `${path}${name} expects ${found.text}, got ${shown(value)}`);
  }
  return fail(what, `expects no more arguments, got ${surplus.map(shown).join(', ')}${shape([])}`);
}

function fail(what: string, text: string): never {
  throw new ConvletError('argument', `${what}: ${text}`);
}

/** Whether a value can only be meant as options: not an array, a variable or another object of a class. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const made = Object.getPrototypeOf(value)?.constructor;
  return made === undefined || made.name === 'Object';
}

/** A value in a message. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  return isPlain(value) ? `{ ${Object.keys(value).join(', ')} }` : (value.constructor?.name ?? 'an object');
}

/** The call as it should be: values given after the arguments become options, and long values become names. */
function callOf(
  what: string,
  known: Known,
  args: { readonly [name: string]: unknown },
  given: readonly unknown[],
): string {
  const literal = (value: unknown): string | null => {
    if (Array.isArray(value)) return value.every((v) => typeof v === 'number') ? `[${value.join(', ')}]` : null;
    if (typeof value === 'string') return `'${value}'`;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
  };
  const names = Object.keys(known);
  let next = 0;
  const options = given.flatMap((value) => {
    const text = literal(value);
    const at = names.findIndex((name, i) => i >= next && known[name] !== anything && known[name].holds(value));
    if (text === null || at < 0) return [];
    next = at + 1;
    return [`${names[at]}: ${text}`];
  });
  const parts = Object.entries(args).map(([name, value]) => literal(value) ?? name);
  if (names.length > 0) parts.push(`{ ${options.length > 0 ? options.join(', ') : '…'} }`);
  return `${/^[A-Z]\w*$/.test(what) ? 'new ' : ''}${what}(${parts.join(', ')})`;
}

/** kernel_size and kernelSize are the same. */
const small = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
/** `lr` for learning_rate and for learningRate. */
const initials = (name: string): string =>
  name.replace(/(?:^|_)(\w)|([A-Z])|./g, (_, first = '', capital = '') => first + capital).toLowerCase();

/** The name that was probably meant; undefined if none is similar. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const given = small(name);
  let found: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const other = small(candidate);
    const [short, long] = given.length < other.length ? [given, other] : [other, given];
    let distance = edits(given, other);
    if (distance > Math.ceil(short.length / 3) || distance >= short.length) {
      const isPart = short.length > 2 && long.includes(short);
      distance = isPart || initials(name) === other || initials(candidate) === given ? long.length : Infinity;
    }
    if (distance < least) [found, least] = [candidate, distance];
  }
  return found;
}

/** Insertions, deletions and replacements between two words (Levenshtein 1966). */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length];
}
