import { type Variable, variable } from '../../src/autograd/index.ts';
import { Generator, seed } from '../../src/common/random.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';

/** Cross entropy, composed of ops of the core. */
export const loss = (output: Variable, target: Variable): Variable =>
  F.logSoftmax(output, 1).gather(1, target.unsqueeze(1)).mean().neg();

/** A small network with the parts that need care in a training step: batch norm's buffers, ReLU, pools, dropout. */
export function smallNetwork(dropout = 0): nn.Sequential {
  seed(3);
  return new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 12, 3, { padding: 'same' }),
    new nn.ReLU(),
    new nn.Dropout(dropout),
    new nn.AdaptiveAvgPool2d(2),
    new nn.Flatten(),
    new nn.Linear(48, 10),
  );
}

export interface Batch {
  readonly x: Variable;
  readonly y: Variable;
}

export function batches(count: number, size = 8, side = 10): Batch[] {
  const random = new Generator(77);
  return Array.from({ length: count }, () => ({
    x: variable(
      Float32Array.from({ length: size * side * side }, () => random.normal()),
      [size, 1, side, side],
    ),
    y: variable(Int32Array.from({ length: size }, () => random.below(10))),
  }));
}
