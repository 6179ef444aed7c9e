// npm run mutate -- FILES: puts small faults into sources, one at a time, and lists those that no test notices. It works in a copy
// of the tree. Results are stored, so that a stopped run can continue.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import equivalents from './equivalent-mutants.json' with { type: 'json' };
import { type Mutant, mutantsOf, mutated } from './mutants.ts';
import { type Fate, MutationCopy } from './mutation-copy.ts';
import { listSources, shuffled, testsOf } from './mutation-plan.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const usage = `usage: npm run mutate -- FILE|FOLDER... [--sample N] [--seed N] [--tests FILE,...] [--most N] [--timeout SECONDS] [--out FILE] [--list]
  --sample N   so many mutants of all files, drawn by --seed (default: all)
  --tests      test files or folders (default: the --most nearest of those that import the file, default 12)
  --timeout    seconds for one mutant (default: thrice what the tests take without a fault, and 20 more)
  --out FILE   where results are kept (default: build/mutants.json)
  --list       prints the mutants and ends`;

type Outcome = Fate | 'equivalent';

/** A row of equivalent-mutants.json. */
interface Equivalent {
  readonly path: string;
  /** The text of the line, trimmed. */
  readonly line: string;
  readonly was: string;
  readonly now: string;
  readonly why: string;
}

interface Result {
  readonly key: string;
  readonly outcome: Outcome;
}

const { values, positionals } = readArguments();
/** Texts of the sources at the start: the tree may change while the mutants are tested. */
const sources = new Map<string, string>();
const mutants = plannedMutants();
if (values.list) {
  for (const mutant of mutants) console.log(nameOf(mutant));
  console.log(`${mutants.length} mutants`);
} else {
  await runAll();
}

function readArguments() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        sample: { type: 'string' },
        seed: { type: 'string', default: '1' },
        tests: { type: 'string' },
        most: { type: 'string', default: '12' },
        timeout: { type: 'string' },
        out: { type: 'string', default: 'build/mutants.json' },
        list: { type: 'boolean', default: false },
      },
    });
    if (parsed.positionals.length === 0) throw new Error('expects files or folders');
    for (const path of parsed.positionals) if (!existsSync(join(root, path))) throw new Error(`there is no ${path}`);
    return parsed;
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

function plannedMutants(): Mutant[] {
  const paths = positionals.flatMap((path) => listSources(root, relative(root, join(root, path))));
  for (const path of paths) sources.set(path, readFileSync(join(root, path), 'utf8'));
  const all = [...sources].flatMap(([path, source]) => mutantsOf(path, source));
  const count = values.sample === undefined ? all.length : Number(values.sample);
  return count >= all.length ? all : shuffled(all, Number(values.seed)).slice(0, count);
}

function nameOf({ path, line, was, now }: Mutant): string {
  const short = (text: string): string => {
    const words = text.replaceAll(/\s+/g, ' ');
    return words.length > 60 ? `${words.slice(0, 57)}…` : words;
  };
  return `${path}:${line}  ${short(was)}  →  ${short(now)}`;
}

/** Whether equivalent-mutants.json lists a mutant as one whose effect cannot be observed. It is found by the text of its line. */
function isEquivalent({ path, line, was, now }: Mutant): boolean {
  const text = sources.get(path)!.split('\n')[line - 1].trim();
  return (equivalents as readonly Equivalent[]).some(
    (known) => known.path === path && known.line === text && known.was === was && known.now === now,
  );
}

async function runAll(): Promise<void> {
  const out = resolve(root, values.out);
  const known = new Map<string, Outcome>();
  if (existsSync(out))
    for (const { key, outcome } of JSON.parse(readFileSync(out, 'utf8')) as Result[]) known.set(key, outcome);
  const outcomes: Outcome[] = [];
  const copy = new MutationCopy(root, values.timeout === undefined ? null : Number(values.timeout));
  try {
    for (const [i, mutant] of mutants.entries()) {
      const source = sources.get(mutant.path)!;
      // The result of a mutant is valid as long as its file and its tests are unchanged.
      const tests = values.tests?.split(',') ?? testsOf(root, mutant.path, Number(values.most));
      if (tests.length === 0) throw new Error(`no test imports ${mutant.path}: name some by --tests`);
      const key = `${nameOf(mutant)} @${mutant.start} of ${digest([source, ...tests.map(contentOf)])}`;
      let outcome = isEquivalent(mutant) ? 'equivalent' : known.get(key);
      const began = performance.now();
      if (outcome === undefined) {
        outcome = await copy.try(mutant.path, mutated(source, mutant), source, tests);
        known.set(key, outcome);
        mkdirSync(dirname(out), { recursive: true });
        writeFileSync(
          out,
          JSON.stringify(
            [...known].map(([key, outcome]) => ({ key, outcome })),
            null,
            1,
          ),
        );
      }
      outcomes.push(outcome);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`[${i + 1}/${mutants.length}] ${outcome.padEnd(10)} ${nameOf(mutant)}  (${seconds} s)`);
    }
  } finally {
    copy.remove();
  }
  report(outcomes);
}

/** A test file's text; for a folder its path. */
function contentOf(path: string): string {
  const file = join(root, path);
  return statSync(file).isFile() ? readFileSync(file, 'utf8') : path;
}

function digest(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16);
}

function report(outcomes: readonly Outcome[]): void {
  const count = (of: Outcome): number => outcomes.filter((outcome) => outcome === of).length;
  const survivors = mutants.filter((_, i) => outcomes[i] === 'survived');
  if (survivors.length > 0) console.log(`\nNo test noticed:\n${survivors.map((m) => `  ${nameOf(m)}`).join('\n')}`);
  const observable = outcomes.length - count('equivalent');
  const noticed = count('killed') + count('timed out');
  const score = observable === 0 ? 100 : (100 * noticed) / observable;
  console.log(
    `\n${count('killed')} killed, ${count('timed out')} timed out, ${count('survived')} survived, ${count('equivalent')} equivalent: ${score.toFixed(1)} %`,
  );
}
