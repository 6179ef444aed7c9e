// Helpers of the development suites: flags, the count of results, comparison with tolerances.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type DType, dtypes, type TypedArray } from '../../src/common/dtype.ts';
import { ConvletError, shapeText } from '../../src/common/error.ts';
import type { LoadOptions } from '../../src/runtime/load.ts';
import type { ModelOutput } from '../../src/runtime/model.ts';
import { load } from '../../src/runtime/node.ts';

export interface SuiteOptions {
  /** The directory or file of the cases. */
  readonly path: string;
  readonly load: LoadOptions;
  readonly filter: string;
  readonly verbose: boolean;
}

/** Flags of a suite that takes a `kind`; ends the process with status 2 if they or the path are wrong. */
export function parseSuite(name: string, needs: string, kind: 'directory' | 'file' = 'directory'): SuiteOptions {
  const usage = `usage: npm run ${name} -- ${kind === 'file' ? 'FILE' : 'DIR'} [--backend js|wasm] [--variant auto|simd|relaxed] [--threads N] [--precision fast|exact] [--layout channels-first|channels-last] [--filter TEXT] [--verbose]`;
  const stop = (problem: string): never => {
    console.error(`${problem}\n${usage}`);
    process.exit(2);
  };
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        backend: { type: 'string' },
        variant: { type: 'string' },
        threads: { type: 'string' },
        precision: { type: 'string' },
        layout: { type: 'string' },
        filter: { type: 'string', default: '' },
        verbose: { type: 'boolean', default: false },
      },
    });
    const [path] = positionals;
    if (positionals.length !== 1) return stop(`${name}: expects one ${kind}, got ${positionals.length}`);
    if (!existsSync(path)) return stop(`${name}: there is no ${kind} '${path}' (${needs})`);
    const threads = values.threads === undefined ? undefined : Number(values.threads);
    const { backend, variant, precision, layout } = values;
    const options = { backend, variant, threads, precision, layout } as LoadOptions;
    return { path, load: options, filter: values.filter, verbose: values.verbose };
  } catch (error) {
    return stop((error as Error).message);
  }
}

/** Thrown by a case that cannot be run here. */
export class Skip extends Error {}

/** Thrown by a case whose result is wrong. */
export class Mismatch extends Error {}

/**
 * Runs the cases one after another, prints failures and why cases were skipped, and as the last line
 * `N passed, N failed, N skipped`. Sets exit status 1 if a case failed.
 */
export async function runSuite(
  options: SuiteOptions,
  names: readonly string[],
  run: (name: string) => Promise<string | undefined>,
): Promise<void> {
  const chosen = names.filter((name) => name.includes(options.filter));
  const skipped = new Map<string, string[]>();
  const failed: string[] = [];
  for (const name of chosen) {
    try {
      const note = await run(name);
      if (options.verbose) console.log(`ok   ${name}${note ? `: ${note}` : ''}`);
    } catch (error) {
      const reason = skipReason(error);
      if (reason === null) {
        failed.push(name);
        console.log(`FAIL ${name}: ${failureText(error)}`);
      } else {
        skipped.set(reason, [...(skipped.get(reason) ?? []), name]);
      }
    }
  }
  for (const [reason, cases] of [...skipped].sort((a, b) => b[1].length - a[1].length)) {
    console.log(`skipped ${cases.length}: ${reason}`);
    if (options.verbose) for (const name of cases) console.log(`     ${name}`);
  }
  const skips = [...skipped.values()].reduce((sum, cases) => sum + cases.length, 0);
  console.log(`${chosen.length - failed.length - skips} passed, ${failed.length} failed, ${skips} skipped`);
  if (failed.length > 0) process.exitCode = 1;
}

function failureText(error: unknown): string {
  if (error instanceof Mismatch || error instanceof ConvletError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function skipReason(error: unknown): string | null {
  if (error instanceof Skip) return error.message;
  if (!(error instanceof ConvletError) || error.code !== 'unsupported') return null;
  // The error is a list of nodes: the reason is their operators, not their names.
  const operators = [...error.message.matchAll(/\n {2}node '[^\n]*' \((\w+), domain [^\n]*/g)].map((match) => match[1]);
  if (operators.length > 0) return `operator ${[...new Set(operators)].sort().join(', ')}`;
  return error.message
    .replace(/^node '[^']*' /, '')
    .replace(/(input|output|initializer|tensor|attribute) '[^']*'/g, '$1');
}

export interface Expected {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/**
 * Throws Mismatch unless dtypes and shapes agree and |got − expected| ≤ atol + rtol·|expected| for every element (integers and bool
 * must be equal; NaN equals NaN, and an infinity equals itself). Returns the largest absolute difference.
 */
export function compare(name: string, got: ModelOutput, expected: Expected, rtol: number, atol: number): number {
  const { shape, dtype } = expected;
  if (got.dtype !== dtype) throw new Mismatch(`${name}: expects ${dtype}, got ${got.dtype}`);
  if (got.shape.length !== shape.length || got.shape.some((d, i) => d !== shape[i])) {
    throw new Mismatch(`${name}: expects shape ${shapeText(shape)}, got ${shapeText(got.shape)}`);
  }
  const exact = dtypes[dtype].kind !== 'float';
  let worst = 0;
  let wrong = 0;
  let first = -1;
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [got.data[i], expected.data[i]];
    if (Object.is(a, b) || a === b) continue;
    const difference = Math.abs(a - b);
    if (difference > worst) worst = difference;
    if (!exact && difference <= atol + rtol * Math.abs(b)) continue;
    if (wrong++ === 0) first = i;
  }
  if (wrong === 0 && got.data.length === expected.data.length) return worst;
  throw new Mismatch(
    `${name}: ${wrong} of ${expected.data.length} values differ, by up to ${worst}; ` +
      `first at ${first}: expects ${expected.data[first]}, got ${got.data[first]} (shape ${shapeText(shape)})`,
  );
}

export { load };
