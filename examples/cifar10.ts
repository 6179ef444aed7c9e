/**
 * `npx tsx examples/cifar10.ts [--augment] [DIRECTORY]`: small pictures of ten classes. DIRECTORY holds CIFAR-10's binary
 * batches (data_batch_1.bin, …, test_batch.bin) or, as ../shared/assets/datasets/cifar10 (the default), a subset of them.
 *
 * Without options: six epochs of a small network on 5,000 pictures. With --augment: all pictures that there are, cropped and
 * mirrored at random, a larger network, more epochs.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { data, F, fit, init, metrics, nn, optim, seed } from 'convlet/train';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    augment: { type: 'boolean', default: false },
    epochs: { type: 'string' },
    threads: { type: 'string', default: 'auto' },
    directory: { type: 'string', default: 'runs/cifar10' },
  },
});
const folder = positionals[0] ?? '../shared/assets/datasets/cifar10';
const official = existsSync(join(folder, 'data_batch_1.bin')) || existsSync(join(folder, 'data_batch_1.bin.gz'));
const subset = ['train_5k.bin', ...(values.augment ? ['lossless_train_3k.bin', 'lossless_val_1k.bin'] : [])];
const pictures = await data.CIFAR10.open(folder, official ? { part: 'train' } : { files: subset });
const held = await data.CIFAR10.open(folder, official ? { part: 'test' } : { files: ['test_1k.bin'] });
const normalize = data.normalize([0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]);
const augment = [data.randomCrop(32, { padding: 4, mode: 'reflect' }), data.randomHorizontalFlip()];
const chosen = official && !values.augment ? data.slice(pictures, 0, 5000) : pictures;

/** `depth` convolutions in each of three stages, whose channels double, each halved by a pool; then one linear layer on 4 × 4. */
function network(width: number, depth: number): InstanceType<typeof nn.Sequential> {
  const layers: nn.Module[] = [];
  let channels = 3;
  for (const wide of [width, 2 * width, 4 * width]) {
    for (let i = 0; i < depth; i++) {
      layers.push(
        new nn.Conv2d(channels, wide, 3, { padding: 1, bias: false }),
        new nn.BatchNorm2d(wide),
        new nn.ReLU(),
      );
      channels = wide;
    }
    layers.push(new nn.MaxPool2d(2));
  }
  return new nn.Sequential(...layers, new nn.Flatten(), new nn.Linear(channels * 16, 10));
}

await init({ threads: values.threads === 'auto' ? 'auto' : Number(values.threads) });
seed(1);
const model = values.augment ? network(24, 2) : network(32, 1);
const epochs = Number(values.epochs ?? (values.augment ? 24 : 6));
const train = new data.DataLoader(new data.TransformedDataset(chosen, ...(values.augment ? augment : []), normalize), {
  batchSize: 64,
  shuffle: true,
  dropLast: true,
  seed: 1,
});
const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, weightDecay: 5e-2 });
console.log(
  `${chosen.length} pictures, ${held.length} held back, ${model.parameterCount().toLocaleString('en')} parameters`,
);
const { best } = await fit(model, {
  train,
  validation: new data.DataLoader(new data.TransformedDataset(held, normalize), { batchSize: 250 }),
  loss: (output, target) => F.crossEntropy(output, target, { labelSmoothing: values.augment ? 0.1 : 0 }),
  optimizer,
  schedule: new optim.OneCycleLR(optimizer, { maxLr: 3e-3, totalSteps: epochs * train.length }),
  epochs,
  metrics: [metrics.accuracy(), metrics.topK(3)],
  checkpoint: { directory: join(values.directory, values.augment ? 'augmented' : 'plain') },
  log: { html: join(values.directory, values.augment ? 'augmented.html' : 'plain.html'), title: 'CIFAR-10' },
  callbacks: [
    {
      epoch: ({ epoch, loss, validation, seconds }) => {
        const accuracy = validation!.metrics.accuracy.toFixed(3);
        console.log(
          `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  test accuracy ${accuracy}  ${seconds.toFixed(0)} s`,
        );
      },
    },
  ],
});
console.log(`Best: ${best!.value.toFixed(3)} of the test set after epoch ${best!.epoch}.`);
