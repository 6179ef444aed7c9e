// Models of several inputs and outputs through compileStep, compileModel, fit and evaluate; what a loader gives into functions and
// modules; what is refused with words.
import { expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { seed } from '../../src/common/random.ts';
import { DataLoader, TensorDataset } from '../../src/data/index.ts';
import { compileModel } from '../../src/nn/compile-model.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { F } from '../../src/nn/functional.ts';
import * as metrics from '../../src/nn/metrics.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { fit } from '../../src/train/fit.ts';
import { describeEngines } from '../support/engines.ts';

const values = (count: number, from: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + from));

/** Two inputs as arguments, a record of two outputs. */
class Siamese extends nn.Module<{ distance: Variable; classes: Variable }> {
  body = new nn.Linear(3, 4);
  head = new nn.Linear(4, 2);

  forward(a: Variable, b: Variable) {
    const [x, y] = [this.body.forward(a).tanh(), this.body.forward(b).tanh()];
    return { distance: x.sub(y).square().sum(1), classes: this.head.forward(x.add(y)) };
  }
}

/** One record as input, an array of outputs. */
class Tower extends nn.Module<[Variable, Variable]> {
  left = new nn.Linear(3, 2);
  right = new nn.Linear(2, 2);

  forward({ image, extra }: { image: Variable; extra: Variable }): [Variable, Variable] {
    const y = this.left.forward(image);
    return [y, y.add(this.right.forward(extra))];
  }
}

const siameseLoss = (
  output: { distance: Variable; classes: Variable },
  target: { distance: Variable; label: Variable },
): Variable => F.mseLoss(output.distance, target.distance).add(F.crossEntropy(output.classes, target.label));

const siameseData = () =>
  new TensorDataset(
    [
      { shape: [8, 3], data: values(24, 1) },
      { shape: [8, 3], data: values(24, 2) },
    ],
    {
      distance: { shape: [8], data: values(8, 3) },
      label: { shape: [8], data: Int32Array.from([0, 1, 1, 0, 1, 0, 0, 1]) },
    },
  );

type Pair = [Tensor, Tensor];
type Targets = { distance: Tensor; label: Tensor };
const loaderOf = () => new DataLoader<Pair, Targets>(siameseData(), { batchSize: 4 });

const madeWith = <M extends nn.Module<unknown>>(make: () => M): M => {
  seed(5);
  return make();
};

describeEngines('structures', (use) => {
  use();

  test('the loader stacks each part by itself', async () => {
    for await (const { input, target } of loaderOf()) {
      expect(input.map((part) => part.shape)).toEqual([
        [4, 3],
        [4, 3],
      ]);
      expect([target.distance.shape, target.label.shape, target.label.dtype]).toEqual([[4], [4], 'int64']);
    }
  });

  test('fit, compiled and op by op: the same numbers; metrics of one output', async () => {
    const runs = [];
    for (const compiled of [true, false]) {
      const model = madeWith(() => new Siamese());
      const { history } = await fit(model, {
        train: loaderOf(),
        validation: loaderOf(),
        loss: siameseLoss,
        optimizer: new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
        epochs: 5,
        metrics: [metrics.select(metrics.accuracy(), { output: 'classes', target: 'label' })],
        compiled,
        quiet: true,
      });
      runs.push(history.epochs.map(({ loss, metrics: of, validation }) => ({ loss, of, val: validation!.loss })));
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0][4].loss).toBeLessThan(runs[0][0].loss);
    expect(runs[0][0].of).toHaveProperty('accuracy');
  });

  test('a metric of one tensor is refused where there are several, with the way out', async () => {
    const model = madeWith(() => new Siamese());
    await expect(evaluate(model, loaderOf(), { metrics: [metrics.accuracy()] })).rejects.toThrow(
      /metric 'accuracy' expects one output and one target, there are several \(distance, classes\): metrics\.select/,
    );
    const wrong = metrics.select(metrics.accuracy(), { output: 'clases', target: 'label' });
    await expect(evaluate(model, loaderOf(), { metrics: [wrong] })).rejects.toThrow(
      /there is no output 'clases'; there is distance, classes/,
    );
  });

  test('compileStep and compileModel: a record goes in as it is, an array of outputs comes out', () => {
    const make = () => madeWith(() => new Tower());
    const [eager, model] = [make(), make()];
    const loss = ([a, b]: [Variable, Variable], target: Variable) => F.mseLoss(a, target).add(F.l1Loss(b, target));
    const input = { image: variable(values(6, 1), [2, 3]), extra: { shape: [2, 2], data: values(4, 2) } };
    const target = variable(values(4, 5), [2, 2]);
    const step = compileStep(model, loss, new optim.SGD(model.parameters(), { lr: 0.1 }));
    const byHand = new optim.SGD(eager.parameters(), { lr: 0.1 });
    for (let i = 0; i < 3; i++) {
      byHand.zeroGrad();
      const output = eager.forward({ image: input.image, extra: variable(values(4, 2), [2, 2]) });
      const value = loss(output, target);
      value.backward();
      byHand.step();
      expect(step.step(input, target)).toBe(value.item());
      expect(step.output.map((part) => part.shape)).toEqual([
        [2, 2],
        [2, 2],
      ]);
    }
    const compiled = compileModel(model, { image: [2, 3], extra: [2, 2] });
    const [, second] = compiled.run({ image: values(6, 1), extra: values(4, 2) });
    const expected = model.forward({ image: input.image, extra: variable(values(4, 2), [2, 2]) })[1];
    second.data.forEach((value, i) => {
      expect(Math.abs(value - expected.data[i])).toBeLessThan(1e-6);
    });
    expect(() => compiled.run({ image: values(6, 1) })).toThrow(/run: expects 2 inputs, got 1/);
    compiled.dispose();
    expect(() => compiled.run({ image: values(6, 1), extra: values(4, 2) })).toThrow(/disposed/);
    step.dispose();
  });

  test('a batch of a loader goes straight into modules and functions, eagerly', async () => {
    const data = new TensorDataset({ shape: [4, 3], data: values(12, 1) }, [0, 1, 0, 1]);
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));
    for await (const { input, target } of new DataLoader(data, { batchSize: 2 })) {
      F.crossEntropy(model.forward(input), target).backward();
      F.crossEntropy(new nn.Linear(3, 2).forward({ shape: [2, 3], data: values(6, 0) }), target);
      expect([...F.relu(tensor(new Float32Array([-1, 2]), [2])).data]).toEqual([0, 2]);
      expect([...F.softmax({ shape: [2], data: Float32Array.of(0, 0) }, 0).data]).toEqual([0.5, 0.5]);
    }
    for (const parameter of model.parameters()) expect(parameter.grad).not.toBeNull();
  });

  test('parameters and modules in arrays and objects are found, whatever holds itself', () => {
    class Holder extends nn.Module {
      ws = [new nn.Parameter([2]), new nn.Parameter([2])];
      named = { a: new nn.Linear(3, 2) };
      nest = [[new nn.Linear(3, 2)]];
      settings: Record<string, unknown> = { kernel: [3, 3] };
      forward = (x: Variable) => x;
    }
    const holder = new Holder();
    holder.settings.self = holder.settings;
    expect([...holder.namedParameters()].map(([name]) => name)).toEqual([
      'ws.0',
      'ws.1',
      'named.a.weight',
      'named.a.bias',
      'nest.0.0.weight',
      'nest.0.0.bias',
    ]);
  });

  test('detach() of a parameter sees its updates, eagerly and in a compiled step', () => {
    const make = () => {
      class Anchored extends nn.Module {
        weight = new nn.Parameter([2], Float32Array.of(1, 2));
        forward = (x: Variable) => x.mul(this.weight).add(this.weight.detach().mul(10));
      }
      return new Anchored();
    };
    const [eager, model] = [make(), make()];
    const held = eager.weight.detach();
    const [x, t] = [variable([1, 1]), variable([0, 0])];
    const byHand = new optim.SGD(eager.parameters(), { lr: 0.01 });
    const step = compileStep(model, F.mseLoss, new optim.SGD(model.parameters(), { lr: 0.01 }));
    for (let i = 0; i < 4; i++) {
      byHand.zeroGrad();
      const loss = F.mseLoss(eager.forward(x), t);
      loss.backward();
      byHand.step();
      expect(step.step(x, t)).toBe(loss.item());
      expect([...held.data]).toEqual([...eager.weight.data]);
    }
    held.set([5, 6]);
    expect([...eager.weight.data]).toEqual([5, 6]);
    step.dispose();
  });

  test('a parameter that is frozen after compilation stays as it is', () => {
    const model = new nn.Linear(3, 2);
    const step = compileStep(model, F.mseLoss, new optim.SGD(model.parameters(), { lr: 0.1 }));
    const [x, t] = [variable([[1, 2, 3]]), variable([[1, 2]])];
    step.step(x, t);
    model.weight.requiresGrad_(false);
    const before = [[...model.weight.data], [...model.bias!.data]];
    step.step(x, t);
    expect([...model.weight.data]).toEqual(before[0]);
    expect([...model.bias!.data]).not.toEqual(before[1]);
    step.dispose();
  });

  test('a submodule that is set to evaluation after compilation is', () => {
    const model = new nn.Sequential(new nn.Conv2d(1, 2, 1), new nn.BatchNorm2d(2));
    const norm = model.at(1) as nn.BatchNorm2d;
    const step = compileStep(model, (y: Variable) => y.square().mean(), new optim.SGD(model.parameters(), { lr: 0 }));
    const x = variable(values(8, 1), [2, 1, 2, 2]);
    step.step(x);
    norm.eval();
    const before = [...norm.runningMean!.data];
    const loss = step.step(x);
    expect([...norm.runningMean!.data]).toEqual(before);
    expect(loss).toBeCloseTo(model.forward(x).square().mean().item(), 5);
    step.dispose();
  });

  /** What is said of programs that make no sense. */
  const wrong: { readonly [what: string]: readonly [() => unknown, RegExp] } = {
    'no loss': [
      () => train({ loss: undefined }),
      /fit: loss expects a function of output and target, as F\.crossEntropy/,
    ],
    'a loss that is a number': [
      () => train({ loss: () => 1 }),
      /fit|compileStep: the loss expects to return a variable/,
    ],
    'no optimizer': [() => train({ optimizer: undefined }), /fit: optimizer expects one of optim/],
    "another model's optimizer": [
      () => train({ optimizer: new optim.SGD(new nn.Linear(3, 2).parameters(), { lr: 0.1 }) }),
      /the optimizer has 2 parameters, none of which is of this Linear/,
    ],
    'an array instead of a loader': [() => train({ train: [1, 2] }), /fit: train expects a DataLoader/],
    'a metric that was not called': [
      () => train({ metrics: [metrics.accuracy] }),
      /fit: metrics expects an array of metrics/,
    ],
    'a module instead of parameters': [
      () => new optim.Adam(new nn.Linear(3, 2) as never),
      /Adam: params expects parameters/,
    ],
    'a step without target': [
      () => oneStep(variable([[1, 2, 3]])),
      /step: the loss expects 1 target\(s\) behind 1 input/,
    ],
    'typed arrays without a shape': [
      () => oneStep(new Float32Array(3), new Int32Array(1)),
      /step: operand \[0\] expects/,
    ],
    'a gradient that is an array': [
      () => {
        (variable([1], undefined, { requiresGrad: true }) as { grad: unknown }).grad = [1];
      },
      /grad: expects a variable or null/,
    ],
    'a data set that gives nothing': [
      () => train({ train: new DataLoader({ length: 4, get: () => undefined as never }, { batchSize: 2 }) }),
      /sample 0/,
    ],
    'an operand that is missing': [() => F.conv2d(variable([1]), undefined as never), /conv2d/],
    'a target that is missing': [
      () => F.crossEntropy(variable([[1, 2]]), undefined as never),
      /crossEntropy: expects variables/,
    ],
    'two arguments that are asked for and one given': [
      () => train({ model: new Siamese() }),
      /expects a variable, a tensor or \{ shape, data \}|expects variables/,
    ],
  };
  const train = async ({ model: other, ...given }: Record<string, unknown>) => {
    const model = (other ?? new nn.Linear(3, 2)) as nn.Linear;
    const data = new TensorDataset({ shape: [4, 3], data: values(12, 1) }, [0, 1, 0, 1]);
    return fit(model, {
      train: new DataLoader(data, { batchSize: 2 }),
      loss: F.crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      epochs: 1,
      quiet: true,
      ...given,
    } as never);
  };
  const oneStep = (...batch: unknown[]) => {
    const model = new nn.Linear(3, 2);
    const step = compileStep(model, F.crossEntropy, new optim.SGD(model.parameters(), { lr: 0.1 }));
    try {
      return step.step(...(batch as never[]));
    } finally {
      step.dispose();
    }
  };

  test.each(Object.entries(wrong))('%s: refused with words', async (_, [body, message]) => {
    const error = await (async () => body())().then(
      () => null,
      (reason: Error) => reason,
    );
    expect(error).toMatchObject({ name: 'ConvletError' });
    expect(error!.message).toMatch(message);
  });

  test('a loss that is a module trains', async () => {
    expect((await train({ loss: new nn.CrossEntropyLoss() })).history.epochs).toHaveLength(1);
  });

  test('a step that was disposed of says so', () => {
    const model = new nn.Linear(3, 2);
    const step = compileStep(model, F.mseLoss, new optim.SGD(model.parameters(), { lr: 0.1 }));
    step.step(variable([[1, 2, 3]]), variable([[1, 2]]));
    step.dispose();
    expect(() => step.step(variable([[1, 2, 3]]), variable([[1, 2]]))).toThrow(/disposed of/);
    expect(step.plans).toHaveLength(0);
  });
});
