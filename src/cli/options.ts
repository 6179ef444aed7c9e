import type { Command } from 'commander';
import { ConvletError } from '../common/error.ts';
import { checkLoadOptions, type LoadOptions } from '../runtime/load.ts';

/** Options that take NAME=VALUE and may be repeated. */
const pairOptions: readonly string[] = ['--input', '--shape', '--compare'];

/**
 * Rewrites `--input a=1 b=2` as `--input a=1 --input b=2`: several pairs may follow one option, and the model, which is no pair, may
 * follow them. (An option of any number of values would take the model as one of them.)
 */
export function separatePairs(args: readonly string[]): string[] {
  const isPair = (text: string): boolean => /^[^-=/][^=/]*=/.test(text) && !/^\w+:\/\//.test(text);
  let option: string | null = null;
  let values = 0;
  return args.flatMap((text) => {
    if (pairOptions.includes(text)) {
      [option, values] = [text, 0];
      return [text];
    }
    if (option === null) return [text];
    if (values++ === 0) return [text];
    if (isPair(text)) return [option, text];
    option = null;
    return [text];
  });
}

/** For options that may be repeated. */
export const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];

/** `NAME=VALUE` pairs of a repeatable option; each name may be given once. */
export function parsePairs(option: string, texts: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at <= 0) throw new ConvletError('argument', `${option} expects NAME=VALUE, got '${text}'`);
    addOnce(pairs, option, text.slice(0, at), text.slice(at + 1));
  }
  return pairs;
}

function addOnce<T>(pairs: Map<string, T>, option: string, name: string, value: T): void {
  if (pairs.has(name)) throw new ConvletError('argument', `${option} expects each name once, got '${name}' twice`);
  pairs.set(name, value);
}

/** `1x3x224x224` → [1, 3, 224, 224]. */
function parseShape(option: string, text: string): number[] {
  const dims = text.split(/[x,]/);
  if (!dims.every((dim) => /^\d+$/.test(dim))) {
    throw new ConvletError('argument', `${option} expects a shape like 1x3x224x224, got '${text}'`);
  }
  return dims.map(Number);
}

/** The `--shape NAME=DIMS` options of a command; '' stands for the only input of a model (`--shape DIMS`). */
export function parseShapes(texts: readonly string[]): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  for (const text of texts) {
    const at = text.lastIndexOf('=');
    addOnce(shapes, '--shape', text.slice(0, Math.max(at, 0)), parseShape('--shape', text.slice(at + 1)));
  }
  return shapes;
}

/** One number, or one per channel separated by commas. */
export function parseNumbers(option: string, text: string): number[] {
  const parts = text.split(',');
  const values = parts.map(Number);
  if (!values.every(Number.isFinite) || parts.some((part) => part.trim() === '')) {
    throw new ConvletError('argument', `${option} expects numbers separated by commas, got '${text}'`);
  }
  return values;
}

/** A number ≥ 0. */
export function parseTolerance(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) {
    throw new ConvletError('argument', `${option} expects a number ≥ 0, got '${text}'`);
  }
  return value;
}

export function parseCount(option: string, text: string, least = 1): number {
  if (!/^\d+$/.test(text) || Number(text) < least || !Number.isSafeInteger(Number(text))) {
    throw new ConvletError('argument', `${option} expects a whole number ≥ ${least}, got '${text}'`);
  }
  return Number(text);
}

export function parseWord<T extends string>(option: string, text: string, ...words: readonly T[]): T {
  if (!(words as readonly string[]).includes(text)) {
    throw new ConvletError('argument', `${option} expects ${words.join(' or ')}, got '${text}'`);
  }
  return text as T;
}

export interface EngineFlags {
  readonly backend?: string;
  readonly variant?: string;
  readonly threads?: string;
  readonly precision?: string;
  readonly leader?: string;
  readonly layout?: string;
}

/** Adds the options that all commands have. */
export const addEngineOptions = (command: Command): Command =>
  command
    .option('--backend <name>', 'wasm or js')
    .option('--variant <name>', 'auto, simd or relaxed')
    .option('--threads <n>', 'threads: a number or auto')
    .option('--precision <name>', 'fast or exact (no Winograd convolution)');

/** The options of `load`; wrong ones are an error before a model is read. */
export function engineOptions(flags: EngineFlags): LoadOptions {
  const threads = flags.threads === undefined || flags.threads === 'auto';
  const options: LoadOptions = {
    backend: flags.backend as LoadOptions['backend'],
    variant: flags.variant as LoadOptions['variant'],
    threads: threads ? (flags.threads as 'auto' | undefined) : parseCount('--threads', flags.threads!),
    precision: flags.precision as LoadOptions['precision'],
    leader: flags.leader as LoadOptions['leader'],
    layout: flags.layout as LoadOptions['layout'],
  };
  checkLoadOptions(options);
  return options;
}
