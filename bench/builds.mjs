// node bench/builds.mjs A B [--launches N] [--rounds N] [--cpu N] [--node PATH] [--threads N] [--models DIR] [--filter a,b] [--training]: see bench/README.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultBenchModels, defaultModels, expandModels } from './peers/models.mjs';
import { Engine, median, runModel } from './peers/rounds.mjs';
import { Engine as TrainingEngine, warmUp, worker, writeStart } from './training/engine.mjs';
import { networks, sgd } from './training/networks.mjs';

const lossSteps = 3;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    launches: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '4' },
    cpu: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    threads: { type: 'string', default: '1' },
    models: { type: 'string', default: defaultBenchModels },
    filter: { type: 'string' },
    training: { type: 'boolean', default: false },
  },
});
const fail = (message) => {
  console.error(message);
  process.exit(2);
};
if (positionals.length !== 2) fail('usage: node bench/builds.mjs BUILD_A BUILD_B [options], see bench/README.md');
const builds = positionals.map((path, i) => {
  const directory = resolve(path, 'build');
  if (!existsSync(join(directory, 'runtime/node.js'))) fail(`${directory}: no build; run \`npm run build\` there`);
  return { label: 'AB'[i], env: { CONVLET_BUILD: `${pathToFileURL(directory).href}/` } };
});
const [launches, rounds, threads] = ['launches', 'rounds', 'threads'].map((name) => {
  const value = Number(flags[name]);
  return Number.isInteger(value) && value >= 1 ? value : fail(`--${name} expects a positive integer`);
});
const { cpu, node } = flags;
const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
if (!version) fail(`--node: cannot run ${node}`);
if (!existsSync(flags.models)) fail(`--models: there is no directory ${flags.models}`);
const settings = { threads, node, cpu, major: Number.parseInt(version.slice(1), 10) };

const wanted = flags.filter?.split(',').filter((text) => text !== '');
const known = readdirSync(flags.models).flatMap((file) => file.match(/^(.*)\.skeleton\.onnx$/)?.[1] ?? []);
const names = new Set([...known, ...Object.keys(networks)]);
/** The names that --filter selects: a whole name selects only that name (lenet is a part of mobilenet), other texts all names with them. */
const chosen = (all, usual = all) =>
  wanted === undefined
    ? usual
    : all.filter((name) => wanted.some((text) => (names.has(text) ? name === text : name.includes(text))));

/** [label, fastest run of each batch] of builds that run alternately in separate processes; throws if a build fails or is wrong. */
async function compareModel(model, order) {
  const running = order.map((build) => new Engine('convlet', { ...settings, ...build }));
  try {
    const results = await runModel(model, running, rounds, console.error);
    return order.map(({ label }) => {
      const { failure, minima } = results[label];
      if (failure !== undefined) throw new Error(`${model.name}, ${label}: ${failure}`);
      return [label, minima];
    });
  } finally {
    for (const engine of running) engine.stop();
  }
}

/** The same for compiled training steps, which begin with the same weights. */
async function compareTraining(network, path, order) {
  const running = order.map(({ label, env }) => {
    const args = [worker, 'compiled', JSON.stringify(threads > 1 ? { threads } : {})];
    return { label, engine: new TrainingEngine(node, args, { env, cpu }), minima: [] };
  });
  try {
    const losses = [];
    for (const side of running) {
      await side.engine.start();
      losses.push((await side.engine.call('load', { network, path, sgd, steps: lossSteps })).losses.join(' '));
      side.count = await warmUp(side.engine);
    }
    if (losses[0] !== losses[1]) console.error(`  ${network}: losses differ: ${losses.join(' and ')}`);
    for (let round = 0; round < rounds; round++) {
      for (const { engine, count, minima } of running) {
        minima.push(Math.min(...(await engine.call('run', { count })).times));
      }
    }
    return running.map(({ label, minima }) => [label, minima]);
  } finally {
    for (const { engine } of running) engine.stop();
  }
}

const digits = (ms) => (ms >= 100 ? ms.toFixed(1) : ms.toPrecision(4));
const ratios = [];

/**
 * The speed of a process depends on the addresses of its memory, and the process that loads first may be 5 % slower (VGG-16). So the
 * order changes between launches. The result is the median of the launches; a launch counts with its median, over batches, of the fastest run.
 */
async function measure(name, compare) {
  const sides = [[], []];
  for (let launch = 0; launch < launches; launch++) {
    const results = await compare(launch % 2 === 0 ? builds : builds.toReversed());
    for (const [label, minima] of results) sides['AB'.indexOf(label)].push(median(minima));
  }
  const [a, b] = sides.map(median);
  ratios.push(b / a);
  const spread = sides.map((all) => `${digits(Math.min(...all))}–${digits(Math.max(...all))}`).join(', ');
  console.log(
    `${name.padEnd(28)} ${digits(a).padStart(7)} ${digits(b).padStart(7)} ${(b / a).toFixed(3).padStart(7)}  ${spread}`,
  );
}

const scratch = mkdtempSync(join(tmpdir(), 'bench-builds-'));
try {
  const pinned = cpu === undefined ? '' : `, core ${cpu}`;
  console.log(
    `A: ${positionals[0]}, B: ${positionals[1]}; Node ${version}, threads: ${threads}, ${launches} launches of ${rounds} rounds${pinned}`,
  );
  console.log(
    `${'medians of minima, ms'.padEnd(30)} ${'A'.padStart(9)} ${'B'.padStart(9)} ${'B/A'.padStart(7)}  least–most`,
  );
  const models = await expandModels(flags.models, chosen(known, defaultModels));
  for (const model of models) await measure(model.name, (order) => compareModel(model, order));
  if (flags.training) {
    for (const name of chosen(Object.keys(networks))) {
      const path = await writeStart(name, scratch);
      await measure(`training ${name}`, (order) => compareTraining(name, path, order));
    }
  }
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  if (ratios.length > 0) console.log(`geometric mean of B/A ${mean.toFixed(3)}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
