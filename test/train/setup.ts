// A small task for the tests of training: which quarter of a picture is bright.

import type { Variable } from '../../src/autograd/index.ts';
import { useBackend } from '../../src/autograd/index.ts';
import { Generator, seed } from '../../src/common/random.ts';
import {
  DataLoader,
  randomHorizontalFlip,
  TensorDataset,
  type Transform,
  TransformedDataset,
} from '../../src/data/index.ts';
import { F } from '../../src/nn/functional.ts';
import { accuracy, f1 } from '../../src/nn/metrics.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import type { FitOptions } from '../../src/train/options.ts';
import { jsBackend } from '../support/js-backend.ts';

export const useJs = (): void => void useBackend(jsBackend());

export function quarters(count: number, first = 0): TensorDataset {
  const random = new Generator(first);
  const labels = Array.from({ length: count }, () => random.below(4));
  const data = Float32Array.from({ length: count * 36 }, (_, i) => {
    const [x, y] = [i % 6, Math.floor(i / 6) % 6];
    const bright = (x >= 3 ? 1 : 0) + (y >= 3 ? 2 : 0) === labels[Math.floor(i / 36)];
    return random.normal() + (bright ? 1.2 : 0);
  });
  return new TensorDataset({ shape: [count, 1, 6, 6], data }, labels, { classes: ['nw', 'ne', 'sw', 'se'] });
}

/** A convolution, batch norm, dropout: everything that has a state of its own. */
export class Net extends nn.Module {
  conv = new nn.Conv2d(1, 6, 3, { padding: 1 });
  bn = new nn.BatchNorm2d(6);
  drop = new nn.Dropout(0.2);
  fc: InstanceType<typeof nn.Linear>;

  constructor(classes = 4) {
    super();
    this.fc = new nn.Linear(6 * 9, classes);
  }

  forward(x: Variable): Variable {
    const features = F.maxPool2d(F.relu(this.bn.forward(this.conv.forward(x)) as Variable), 2);
    return this.fc.forward(this.drop.forward(features.flatten(1)) as Variable) as Variable;
  }
}

/** Takes brightness, not place: a flip keeps the label of these classes. */
const jitter: Transform = ({ shape, data }, random) => {
  const shift = random.normal() * 0.1;
  return { shape, data: Float32Array.from(data, (value) => value + shift) };
};

export interface Task {
  readonly model: Net;
  readonly options: FitOptions;
}

/** The same weights and batches every time. */
export function task(more: Partial<FitOptions> = {}): Task {
  seed(11);
  const model = new Net();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const options: FitOptions = {
    train: new DataLoader(new TransformedDataset(quarters(100), jitter, randomHorizontalFlip(0)), {
      batchSize: 16,
      shuffle: true,
      seed: 3,
    }),
    validation: new DataLoader(quarters(60, 1), { batchSize: 25 }),
    loss: F.crossEntropy,
    optimizer,
    schedule: new optim.CosineAnnealingLR(optimizer, { tMax: 4 }),
    epochs: 4,
    metrics: [accuracy(), f1()],
    seed: 5,
    quiet: true,
    ...more,
  };
  return { model, options };
}
