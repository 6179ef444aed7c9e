// node bench/peers/main.mjs [--models a,b] [--engines x,y] [--ops] [--startup] [--assert] … : see bench/README.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultEngines, engines } from './engines/index.mjs';
import { defaultBenchModels, defaultModels, expandModels, opModels } from './models.mjs';
import { consoleLines, markdown, modelMisses, opMisses, picture, startupMarkdown, startupMisses } from './report.mjs';
import { runModel, startEngines } from './rounds.mjs';
import { measureStartup } from './startup.mjs';

const { values: flags } = parseArgs({
  options: {
    models: { type: 'string' },
    engines: { type: 'string' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '7' },
    node: { type: 'string', default: process.execPath },
    cpu: { type: 'string' },
    'bench-models': { type: 'string', default: defaultBenchModels },
    ops: { type: 'boolean', default: false },
    startup: { type: 'boolean', default: false },
    out: { type: 'string' },
    assert: { type: 'boolean', default: false },
  },
});

if (!existsSync(new URL('node_modules', import.meta.url))) fail('run `npm ci` in bench/peers first');
if (!existsSync(new URL('../../build/runtime/node.js', import.meta.url))) fail('run `npm run build` first');

const list = (text) => text.split(',').filter((name) => name !== '');
const names = flags.engines === undefined ? defaultEngines : list(flags.engines);
const unknown = names.filter((name) => engines[name] === undefined);
if (unknown.length > 0) fail(`no engine ${unknown.join(', ')}; there are ${Object.keys(engines).join(', ')}`);

const version = spawnSync(flags.node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
if (!version) fail(`--node: cannot run ${flags.node}`);
const settings = {
  threads: Number(flags.threads),
  rounds: Number(flags.rounds),
  node: flags.node,
  cpu: flags.cpu,
  major: Number.parseInt(version.slice(1), 10),
};
const about = { node: version, cpu: cpus()[0]?.model ?? 'unknown', threads: settings.threads, rounds: settings.rounds };
const stamp = `node${settings.major}-t${settings.threads}`;
/** The README shows runs of everything, so results of a selection go to another folder unless --out names one. */
const selected = flags.models !== undefined || flags.engines !== undefined;
const directory = flags.out ?? fileURLToPath(new URL(selected ? '.cache/results/' : '../results/', import.meta.url));
const log = (line) => console.log(line);

const modes = { startup: timeStartup, ops: timeOps, models: timeModels };
const misses = await modes[flags.startup ? 'startup' : flags.ops ? 'ops' : 'models']();
if (flags.assert) {
  for (const miss of misses) console.error(`missed: ${miss}`);
  console.log(misses.length === 0 ? 'every threshold is met' : `${misses.length} thresholds missed`);
  process.exitCode = misses.length === 0 ? 0 : 1;
}

async function timeModels() {
  const chosen = flags.models === undefined ? defaultModels : list(flags.models);
  const results = await timeAll(await expandModels(flags['bench-models'], chosen));
  save(`peers-${stamp}.json`, JSON.stringify(results, null, 1));
  save(`peers-${stamp}.md`, markdown(results, 'convlet and its peers: whole networks'));
  save(`peers-${stamp}.svg`, picture(results, 'convlet’s speed relative to each engine'));
  return modelMisses(results);
}

async function timeOps() {
  const results = await timeAll(await opModels(flags.models === undefined ? [] : list(flags.models)));
  save(`peers-ops-${stamp}.json`, JSON.stringify(results, null, 1));
  save(`peers-ops-${stamp}.md`, markdown(results, 'convlet and its peers: single ops, copies in and out included'));
  return opMisses(results);
}

async function timeStartup() {
  const [model] = await expandModels(flags['bench-models'], list(flags.models ?? 'mobilenet_v2'));
  const results = { ...about, model: model.name, engines: measureStartup(names, model, settings, log) };
  const text = startupMarkdown(results);
  log(text);
  save(`startup-${stamp}.json`, JSON.stringify(results, null, 1));
  save(`startup-${stamp}.md`, text);
  return startupMisses(results);
}

async function timeAll(models) {
  const running = startEngines(names, settings);
  const rows = {};
  try {
    for (const model of models) {
      log(`${model.name}${model.macs > 0 ? ` (${(model.macs / 1e6).toFixed(0)} MMACs)` : ''}`);
      const result = await runModel(model, running, settings.rounds, log);
      for (const line of consoleLines(result, model.macs)) log(line);
      rows[model.name] = { macs: model.macs, engines: result };
    }
  } finally {
    for (const engine of running) engine.stop();
  }
  return { ...about, rows };
}

function save(name, text) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), text.endsWith('\n') ? text : `${text}\n`);
  log(`wrote ${relative(process.cwd(), join(directory, name))}`);
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
