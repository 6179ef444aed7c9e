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
export function parseShape(option: string, text: string): number[] {
  const dims = text.split(/[x,]/).map(Number);
  if (dims.some((d) => !Number.isInteger(d) || d < 0)) {
    throw new ConvletError('argument', `${option} expects a shape like 1x3x224x224, got '${text}'`);
  }
  return dims;
}

/** One number, or one per channel separated by commas. */
export function parseNumbers(option: string, text: string): number[] {
  const values = text.split(',').map(Number);
  if (values.some((v) => !Number.isFinite(v))) {
    throw new ConvletError('argument', `${option} expects numbers separated by commas, got '${text}'`);
  }
  return values;
}

export function parseCount(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new ConvletError('argument', `${option} expects a whole number ≥ 1, got '${text}'`);
  return value;
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
