// grad() and backward({ createGraph }): values by hand and by PyTorch, gradient penalties eagerly and compiled, memory.
import { expect, test } from 'vitest';
import { checkpoint, grad, noGrad, type Variable, variable } from '../../src/autograd/index.ts';
import { seed } from '../../src/common/random.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import { describeEngines } from '../support/engines.ts';

const leaf = (values: number[]): Variable => variable(values, undefined, { requiresGrad: true });
const close = (got: Variable, expected: readonly number[], tolerance = 1e-5): void => {
  expect(got.size).toBe(expected.length);
  got.data.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected[i])));
  });
};

const critic = () => {
  seed(3);
  return new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.Tanh(),
    new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1 }),
    new nn.InstanceNorm2d(6, { affine: true }),
    new nn.SiLU(),
    new nn.AvgPool2d(2),
    new nn.Flatten(),
    new nn.Linear(6 * 2 * 2, 1),
  );
};
const pictures = (n: number, from: number) =>
  variable(
    Float32Array.from({ length: n * 64 }, (_, i) => Math.sin(from + i * 0.7)),
    [n, 1, 8, 8],
  );

/** WGAN-GP's critic loss; `mixed` requires gradients inside. */
function criticLoss(model: nn.Module, real: Variable, fake: Variable): Variable {
  const mixed = real.mul(0.3).add(fake.mul(0.7)).detach().requiresGrad_();
  const [slope] = grad(model.forward(mixed).sum(), mixed, { createGraph: true });
  const norm = slope.square().sum([1, 2, 3]).add(1e-12).sqrt();
  const penalty = norm.sub(1).square().mean().mul(10);
  return model.forward(fake).mean().sub(model.forward(real).mean()).add(penalty);
}

describeEngines('grad', (use) => {
  const engine = use;
  engine();

  test('derivatives of any order', () => {
    const x = leaf([2, -1, 0.5]);
    const [first] = grad(x.pow(4).sum(), x, { createGraph: true });
    const [second] = grad(first.sum(), x, { createGraph: true });
    const [third] = grad(second.sum(), x);
    close(first, [32, -4, 0.5]);
    close(second, [48, 12, 3]);
    close(third, [48, -24, 12]);
    expect([first.requiresGrad, third.requiresGrad, x.grad]).toEqual([true, false, null]);
  });

  test('backward({ createGraph }) gives gradients with a history, and may be followed by another', () => {
    const x = leaf([3]);
    x.mul(x).mul(x).sum().backward(null, { createGraph: true });
    const slope = x.grad!;
    expect(slope.requiresGrad).toBe(true);
    close(slope, [27]);
    x.grad = null;
    slope.sum().backward();
    close(x.grad!, [18]);
  });

  test('by variables inside of the graph, several outputs, weights of outputs', () => {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    const z = y.square();
    const [byY, byX] = grad([z, y], [y, x], { gradOutputs: [variable([1, 10]), variable([0.5, 0.5])] });
    close(byY, [6.5, 120.5]);
    close(byX, [19.5, 361.5]);
  });

  test('what an input does not lead to', () => {
    const [x, w] = [leaf([1]), leaf([2])];
    expect(grad(x.square().sum(), [x, w], { allowUnused: true })[1]).toBeNull();
    expect(() => grad(x.square().sum(), [x, w])).toThrow(
      /no output depends on input 1 \(shape \[1\]\); give allowUnused: true/,
    );
    expect(() => grad(x.square().sum(), variable([1]))).toThrow(/an input of shape \[1\] does not require gradients/);
    expect(() => grad(variable([1]), x)).toThrow(/does not depend on anything/);
    expect(() => grad(leaf([1, 2]).square(), x)).toThrow(/gradOutputs is needed for an output of shape \[2\]/);
    expect(() => grad(x.square(), x, { createGrap: true } as object)).toThrow(/did you mean createGraph/);
    const y = x.square().sum();
    grad(y, x);
    expect(() => grad(y, x)).toThrow(/backpropagated before/);
  });

  test('inside noGrad nothing is recorded; checkpoint has no second gradient', () => {
    const x = leaf([2]);
    const y = x.pow(3).sum();
    expect(() => noGrad(() => grad(y, x, { createGraph: true }))).toThrow(/which noGrad forbids/);
    expect(() => noGrad(() => y.backward(null, { createGraph: true }))).toThrow(/which noGrad forbids/);
    close(noGrad(() => grad(y, x))[0], [12]);
    const z = checkpoint((a) => a.pow(3), x).sum();
    expect(() => grad(z, x, { createGraph: true })).toThrow(/'checkpoint' has no second gradient/);
  });

  test('a gradient penalty of a critic: its gradient is that of differences', () => {
    const model = critic();
    const [real, fake] = [pictures(2, 1), pictures(2, 9)];
    criticLoss(model, real, fake).backward();
    for (const [name, parameter] of model.namedParameters()) {
      const values = parameter.data;
      const given = parameter.grad!.data;
      for (const at of [0, values.length - 1]) {
        const around = [-1, 1].map((sign) => {
          const moved = values.slice();
          moved[at] += sign * 0.01;
          parameter.set(moved);
          return criticLoss(model, real, fake).item();
        });
        parameter.set(values);
        const difference = (around[1] - around[0]) / 0.02;
        expect(Math.abs(given[at] - difference), `${name}[${at}]`).toBeLessThan(0.03 * (1 + Math.abs(difference)));
      }
    }
  });

  test('compiled, a penalty trains as it does op by op', () => {
    const [eager, model] = [critic(), critic()];
    const [real, fake] = [pictures(2, 1), pictures(2, 9)];
    const byHand = new optim.Adam(eager.parameters(), { lr: 0.01 });
    const step = compileStep(model, (output: Variable) => output, new optim.Adam(model.parameters(), { lr: 0.01 }), {
      inputs: 2,
      forward: (a: Variable, b: Variable) => criticLoss(model, a, b),
    });
    for (let i = 0; i < 3; i++) {
      byHand.zeroGrad();
      const loss = criticLoss(eager, real, fake);
      loss.backward();
      byHand.step();
      const compiled = step.step(real, fake);
      expect(Math.abs(compiled - loss.item())).toBeLessThan(1e-4 * (1 + Math.abs(compiled)));
    }
    step.dispose();
  });

  test('a loop of penalties holds memory flat', () => {
    const on = engine();
    const model = critic();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1e-3 });
    const [real, fake] = [pictures(2, 1), pictures(2, 9)];
    const held: number[] = [];
    for (let i = 0; i < 120; i++) {
      optimizer.zeroGrad();
      criticLoss(model, real, fake).backward();
      optimizer.step();
      if (i % 20 === 19) held.push(on.liveBytes);
    }
    expect(Math.max(...held.slice(1))).toBeLessThanOrEqual(held[0] * 1.1 + 4096);
  });
});
