import { ConvletError } from '../common/error.ts';
import type { LoadOptions } from '../runtime/load.ts';

/** `NAME=VALUE` pairs of a repeatable option. */
export function parsePairs(option: string, texts: readonly string[]): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw new ConvletError('argument', `${option} expects NAME=VALUE, got '${text}'`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** `1x3x224x224` → [1, 3, 224, 224]. */
function parseShape(option: string, text: string): number[] {
  const dims = text.split(/[x,]/);
  if (!dims.every((dim) => /^\d+$/.test(dim))) {
    throw new ConvletError('argument', `${option} expects a shape like 1x3x224x224, got '${text}'`);
  }
  return dims.map(Number);
}

/** The `--shape NAME=DIMS` options of a command, for inputs that the model has. */
export function parseShapes(
  texts: readonly string[],
  inputs: readonly { readonly name: string }[],
): Map<string, number[]> {
  const names = inputs.map((input) => input.name);
  return new Map(
    [...parsePairs('--shape', texts)].map(([name, text]) => {
      if (!names.includes(name)) {
        const known = names.join(', ');
        throw new ConvletError('unknown-name', `--shape: the model has no input '${name}'; its inputs are ${known}`);
      }
      return [name, parseShape('--shape', text)];
    }),
  );
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

export function parseCount(option: string, text: string): number {
  if (!/^0*[1-9]\d*$/.test(text)) {
    throw new ConvletError('argument', `${option} expects a whole number ≥ 1, got '${text}'`);
  }
  return Number(text);
}

export interface EngineFlags {
  readonly backend?: string;
  readonly variant?: string;
  readonly threads?: string;
}

export function engineOptions(flags: EngineFlags): LoadOptions {
  return {
    backend: flags.backend as LoadOptions['backend'],
    variant: flags.variant as LoadOptions['variant'],
    threads:
      flags.threads === undefined || flags.threads === 'auto' ? flags.threads : parseCount('--threads', flags.threads),
  };
}
