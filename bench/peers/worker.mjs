// A child process with one engine. argv: engine, threads. Commands are messages, and each gets one answer.
import { importEngine } from './engines/index.mjs';
import { seededInput } from './models.mjs';

const [name, threads] = process.argv.slice(2);
const create = await importEngine(name);
let engine = null;
let idleSince = { cpu: process.cpuUsage(), at: performance.now() };

const commands = {
  /** Loads a model, runs it once and compares the result: { loadMs, firstMs, error }. */
  async load({ path, input, expected }) {
    const start = performance.now();
    const given = { ...input, data: seededInput(input.shape) };
    engine = await create({ modelPath: path, input: given, outputShape: expected.output, threads: Number(threads) });
    const loaded = performance.now();
    const result = await engine.run();
    const firstMs = performance.now() - loaded;
    return { loadMs: loaded - start, firstMs, error: relativeError(engine.rows(result), expected) };
  },
  /** { times, busy: CPU time ÷ wall time of this batch, idle: the same for the time since the last batch }. */
  async run({ count }) {
    const idle = share(idleSince);
    const since = { cpu: process.cpuUsage(), at: performance.now() };
    const times = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await engine.run();
      times.push(performance.now() - start);
    }
    const busy = share(since);
    idleSince = { cpu: process.cpuUsage(), at: performance.now() };
    return { times, busy, idle };
  },
  async unload() {
    await engine?.dispose();
    engine = null;
    return {};
  },
};

process.on('message', async ({ command, ...given }) => {
  try {
    process.send(await commands[command](given));
  } catch (error) {
    process.send({ failure: String(error?.message ?? error).slice(0, 300) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });

function share({ cpu, at }) {
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000 / Math.max(performance.now() - at, 1e-3);
}

/** Largest difference over the largest expected value; infinite if the count is wrong or a value is NaN. */
function relativeError(result, { output, every, absMax, values }) {
  if (result.length !== output.reduce((a, b) => a * b, 1)) return Number.POSITIVE_INFINITY;
  let most = 0;
  values.forEach((value, i) => {
    const difference = Math.abs(result[i * every] - value);
    most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
  });
  return most / absMax;
}
