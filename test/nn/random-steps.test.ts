// What is drawn inside forward(): by F anew in each step, by JavaScript refused.
import { expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { Generator, seed } from '../../src/common/random.ts';
import { DataLoader, TensorDataset } from '../../src/data/index.ts';
import { compileModel } from '../../src/nn/compile-model.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import { fit } from '../../src/train/fit.ts';
import { describeEngines } from '../support/engines.ts';

const values = (count: number, from: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + from));

const madeWith = <M extends nn.Module<unknown>>(make: () => M): M => {
  seed(5);
  return make();
};

describeEngines('randomness in a compiled step', (use) => {
  use();
  const train = async (noise: (x: Variable) => Variable, compiled: boolean | undefined, epochs = 2) => {
    class Noisy extends nn.Module {
      fc = new nn.Linear(4, 1);
      forward(x: Variable): Variable {
        return this.fc.forward(noise(x));
      }
    }
    const model = madeWith(() => new Noisy());
    const losses: number[] = [];
    await fit(model, {
      train: new DataLoader(
        new TensorDataset({ shape: [8, 4], data: new Float32Array(32) }, { shape: [8, 1], data: new Float32Array(8) }),
        { batchSize: 4 },
      ),
      loss: F.mseLoss,
      optimizer: new optim.SGD(model.parameters(), { lr: 0 }),
      epochs,
      compiled,
      seed: 3,
      quiet: true,
      callbacks: [{ step: ({ loss }) => void losses.push(loss) }],
    });
    return losses;
  };

  test.each([
    ['randn', (x: Variable) => x.add(F.randnLike(x))],
    ['rand', (x: Variable) => x.add(F.rand(...x.shape))],
    ['randint', (x: Variable) => x.add(F.randint(-3, 4, x.shape))],
    ['bernoulli', (x: Variable) => x.add(F.bernoulli(F.randLike(x)))],
    ['normal', (x: Variable) => x.add(F.normal(x, 2))],
    ['dropout', (x: Variable) => F.dropout(x.add(1), 0.5)],
  ] as const)('F.%s: other numbers in every step, the same compiled and op by op', async (_, noise) => {
    const losses = await train(noise, true);
    expect(new Set(losses).size).toBeGreaterThan(2);
    expect(await train(noise, false)).toEqual(losses);
  });

  const generator = new Generator(1);
  test.each([
    [
      'numbers of a generator',
      (x: Variable) => x.add(variable(values(16, generator.normal()), [4, 4])),
      /input 1 of 'add'.*other elements/,
    ],
    ['a factor', (x: Variable) => x.add(1).mul(Math.random()), /attribute alpha.*of 'linear'/],
    [
      'a decision',
      (x: Variable) => ((decision = !decision) ? x.add(1).relu() : x.add(1)),
      /in one of two traces only|where the other applied/,
    ],
  ] as const)('%s drawn in JavaScript: refused, with the layer', async (_, noise, message) => {
    for (const compiled of [undefined, true]) {
      const error = await train(noise, compiled).catch((reason: Error) => reason as Error & { code: string });
      expect(error).toMatchObject({ name: 'ConvletError', code: 'argument' });
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toMatch(/F\.randn/);
    }
    expect((await train(noise, false)).length).toBe(4);
  });
  let decision = false;

  test('the layer is named, and the second trace leaves nothing behind', () => {
    let calls = 0;
    class Noise extends nn.Module {
      forward = (x: Variable) => x.add(variable(values(4, calls++), [1, 4]));
    }
    const noisy = new nn.Sequential(new nn.Linear(4, 4), new Noise(), new nn.Linear(4, 1));
    const optimizer = new optim.SGD(noisy.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = compileStep(noisy, F.mseLoss, optimizer);
    expect(() => step.step(variable(values(4, 0), [1, 4]), variable([[0]]))).toThrow(
      /in layer '1' \(Noise\), input 1 of 'add'/,
    );
    expect(optimizer.paramGroups[0].stepCount).toBe(0);
    for (const parameter of noisy.parameters()) expect(parameter.grad).toBeNull();
    step.dispose();

    const model = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.BatchNorm2d(2), new nn.Dropout(0.5));
    const good = compileStep(model, (y: Variable) => y.sum(), new optim.SGD(model.parameters(), { lr: 0.1 }));
    good.step(variable(values(25, 1), [1, 1, 5, 5]));
    const norm = model.at(1) as nn.BatchNorm2d;
    expect(norm.numBatchesTracked!.item()).toBe(1);
    good.dispose();
  });

  test('a model that draws in evaluation draws anew in each run', () => {
    class Sampler extends nn.Module {
      forward = (x: Variable) => x.add(F.randnLike(x));
    }
    const compiled = compileModel(new Sampler(), [1, 4]);
    const first = [...compiled.run(new Float32Array(4)).data];
    expect([...compiled.run(new Float32Array(4)).data]).not.toEqual(first);
    compiled.dispose();
  });
});
