// node bench/training/main.mjs [--networks a,b] [--engines x,y] [--rounds N] [--node PATH] [--assert] …: see bench/README.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, ratioOf } from '../peers/rounds.mjs';
import { Engine, warmUp, worker, writeStart } from './engine.mjs';
import { networks, sgd } from './networks.mjs';

/** Engines by name. They use one thread unless their row says two; a `slow` engine takes one step per round. */
const engines = {
  compiled: { mode: 'compiled', init: {} },
  eager: { mode: 'eager', init: {} },
  'compiled-2t': { mode: 'compiled', init: { threads: 2 } },
  pytorch: { python: true, threads: 1 },
  'pytorch-2t': { python: true, threads: 2 },
  js: { mode: 'compiled', init: { backend: 'js' }, slow: true },
};

/** Losses of so many steps must agree with the first engine's, relative to the first loss. */
const lossSteps = 3;
const tolerance = 1e-4;
const slowRounds = 2;
/** The least speed-up of two threads over one. */
const leastOfThreads = 1.6;

const { values: flags } = parseArgs({
  options: {
    networks: { type: 'string', default: Object.keys(networks).join() },
    engines: { type: 'string', default: Object.keys(engines).join() },
    rounds: { type: 'string', default: '9' },
    node: { type: 'string', default: process.execPath },
    python: { type: 'string', default: 'python3' },
    out: { type: 'string' },
    assert: { type: 'boolean', default: false },
  },
});
const fail = (message) => {
  console.error(message);
  process.exit(2);
};
const chosen = (text, all, what) => {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => all[name] === undefined);
  if (unknown.length > 0) fail(`no ${what} ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}`);
  return names;
};
const engineNames = chosen(flags.engines, engines, 'engine');
const networkNames = chosen(flags.networks, networks, 'network');
const rounds = Number(flags.rounds);
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds expects a positive integer, got ${flags.rounds}`);
if (!existsSync(new URL('../../build/runtime/node-train.js', import.meta.url))) fail('run `npm run build` first');

const versionOf = spawnSync(flags.node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
if (!versionOf) fail(`--node: cannot run ${flags.node}`);
const scratch = mkdtempSync(join(tmpdir(), 'bench-training-'));

async function main() {
  const results = { node: versionOf, cpu: cpus()[0]?.model ?? 'unknown', rounds, versions: {}, networks: {} };
  for (const network of networkNames) {
    const path = await writeStart(network, scratch);
    results.networks[network] = await measure(network, path, results.versions);
    for (const [name, result] of Object.entries(results.networks[network])) console.log(line(network, name, result));
  }
  const selected =
    engineNames.length < Object.keys(engines).length || networkNames.length < Object.keys(networks).length;
  if (flags.out !== undefined || !selected) save(results);
  if (flags.assert) {
    const missed = misses(results);
    for (const miss of missed) console.error(`missed: ${miss}`);
    process.exitCode = missed.length === 0 ? 0 : 1;
  }
}

/** The process of an engine. */
function start(name) {
  const { python, threads, mode, init } = engines[name];
  if (!python) return new Engine(flags.node, [worker, mode, JSON.stringify(init)]);
  return new Engine(flags.python, [fileURLToPath(new URL('pytorch.py', import.meta.url)), String(threads)]);
}

/** By engine: { median, min, rounds: medians per round, runs, busy, losses } or { failure }. */
async function measure(network, path, versions) {
  const results = Object.fromEntries(engineNames.map((name) => [name, {}]));
  const running = [];
  let expected = null;
  for (const name of engineNames) {
    const engine = start(name);
    try {
      versions[name] = (await engine.start()).version;
      const { losses } = await engine.call('load', { network, path, sgd, steps: lossSteps });
      expected ??= losses;
      results[name].losses = losses;
      const error = Math.max(...losses.map((loss, i) => Math.abs(loss - expected[i]) / expected[0]));
      if (!(error <= tolerance)) throw new Error(`wrong losses: ${losses.join(' ')}, expected ${expected.join(' ')}`);
      running.push({ engine, name, count: engines[name].slow ? 1 : await warmUp(engine), batches: [] });
    } catch (failure) {
      results[name].failure = failure.message;
      engine.stop();
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const { engine, name, count, batches } of running) {
      if (engines[name].slow && round >= slowRounds) continue;
      batches.push(await engine.call('run', { count }));
    }
  }
  for (const { engine, name, batches } of running) {
    const times = batches.flatMap((batch) => batch.times);
    Object.assign(results[name], {
      median: median(times),
      min: Math.min(...times),
      max: Math.max(...times),
      rounds: batches.map((batch) => median(batch.times)),
      runs: times.length,
      busy: median(batches.map((batch) => batch.busy)),
    });
    engine.stop();
  }
  return results;
}

const digits = (ms) => (ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3));

function line(network, name, { median: mid, min, busy, failure }) {
  const head = `  ${network.padEnd(10)} ${name.padEnd(12)}`;
  if (failure !== undefined) return `${head} not measured: ${failure}`;
  return `${head} ${digits(mid).padStart(6)} ms, least ${digits(min)}; ${(100 * busy).toFixed(0)} % of a core`;
}

function save(results) {
  const directory = flags.out ?? fileURLToPath(new URL('../results/', import.meta.url));
  const name = `training-node${Number.parseInt(results.node.slice(1), 10)}`;
  mkdirSync(directory, { recursive: true });
  for (const [ending, text] of [
    ['json', JSON.stringify(results, null, 1)],
    ['md', markdown(results)],
  ]) {
    writeFileSync(join(directory, `${name}.${ending}`), `${text.trimEnd()}\n`);
    console.log(`wrote ${relative(process.cwd(), join(directory, `${name}.${ending}`))}`);
  }
}

function markdown({ node, cpu, rounds: count, versions, networks: all }) {
  const names = engineNames;
  const torch = versions.pytorch === undefined ? 'absent' : versions.pytorch;
  const row = (cells) => `| ${cells.join(' | ')} |`;
  const rule = `|---|${'--:|'.repeat(names.length)}`;
  const time = ({ median: mid, min }) => (mid === undefined ? '–' : `${digits(mid)} / ${digits(min)}`);
  const ratio = (results, name) => {
    const found = name === 'compiled' ? null : ratioOf(results.compiled, results[name]);
    if (found === null) return '–';
    const { ofMedians, median: mid, least, most } = found;
    return `**${ofMedians.toFixed(2)}** (${mid.toFixed(2)}, ${least.toFixed(2)}–${most.toFixed(2)})`;
  };
  const rows = (cell) =>
    Object.entries(all).map(([network, results]) => row([network, ...names.map((name) => cell(results, name))]));
  const failures = Object.entries(all).flatMap(([network, results]) =>
    names.flatMap((name) => (results[name].failure ? [`- ${network}, ${name}: ${results[name].failure}`] : [])),
  );
  return [
    '# A training step',
    '',
    `Forward, cross entropy, backward, SGD with momentum. Node ${node.replace('v', '')}, PyTorch ${torch}, ${cpu}, ${count} rounds.`,
    '',
    'Milliseconds, median / minimum:',
    '',
    row(['', ...names]),
    rule,
    ...rows((results, name) => time(results[name])),
    '',
    'How many times as fast as each engine the compiled step on one thread is: ratio of medians (and of the rounds: median, least–most):',
    '',
    row(['', ...names]),
    rule,
    ...rows(ratio),
    ...(failures.length > 0 ? ['', 'Not measured:', '', ...failures] : []),
  ].join('\n');
}

function misses({ networks: all }) {
  return Object.entries(all).flatMap(([network, results]) => {
    const of = (base, other) => ratioOf(results[base], results[other])?.ofMedians;
    const wanted = Object.entries(networks[network].least).map(([name, least]) => [name, of('compiled', name), least]);
    wanted.push(['one thread', of('compiled-2t', 'compiled'), leastOfThreads]);
    return wanted
      .filter(([, found, least]) => found !== undefined && found < least)
      .map(([name, found, least]) => `${network}: ${found.toFixed(2)} × ${name}, wanted ${least}`);
  });
}

try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
