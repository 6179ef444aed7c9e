// A child process with convlet; the protocol is that of pytorch.py. argv: how a step runs (compiled, eager), options of `init`.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { networks } from './networks.mjs';

/** CONVLET_BUILD: the URL of another build/ (bench/builds.mjs). */
const build = process.env.CONVLET_BUILD ?? new URL('../../build/', import.meta.url);
const { compileStep, F, init, loadStateDict, nn, optim, variable } = await import(
  new URL('runtime/node-train.js', build).href
);

const [mode, options] = process.argv.slice(2);
await init(JSON.parse(options));
let step = null;

function compiledStep(model, optimizer, x, y) {
  const compiled = compileStep(model, F.crossEntropy, optimizer);
  return () => compiled.step(x, y);
}

function eagerStep(model, optimizer, x, y) {
  return () => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
}

const commands = {
  load({ network, path, sgd, steps }) {
    const tensors = loadStateDict(readFileSync(path));
    const [x, y] = ['batch.x', 'batch.y'].map((name) => {
      const tensor = tensors.get(name);
      tensors.delete(name);
      return variable(tensor.data, tensor.shape, { dtype: tensor.dtype });
    });
    const model = networks[network].build({ nn, F });
    model.loadStateDict(tensors);
    const optimizer = new optim.SGD(model.parameters(), sgd);
    step = { compiled: compiledStep, eager: eagerStep }[mode](model, optimizer, x, y);
    return { losses: Array.from({ length: steps }, () => step()) };
  },
  run({ count }) {
    const times = [];
    const [cpu, start] = [process.cpuUsage(), performance.now()];
    for (let i = 0; i < count; i++) {
      const before = performance.now();
      step();
      times.push(performance.now() - before);
    }
    const { user, system } = process.cpuUsage(cpu);
    return { times, busy: (user + system) / 1000 / Math.max(performance.now() - start, 1e-3) };
  },
};

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
answer({ version: process.version });
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...given } = JSON.parse(line);
  try {
    answer(commands[command](given));
  } catch (error) {
    answer({ failure: String(error?.message ?? error).slice(0, 300) });
  }
}
process.exit();
