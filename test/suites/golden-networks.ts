// Networks and training runs of the golden set; see golden-variables.ts.
import { noGrad, type Variable, variable } from '../../src/autograd/index.ts';
import { F } from '../../src/nn/functional.ts';
import { crossEntropy } from '../../src/nn/loss.ts';
import * as nn from '../../src/nn/modules.ts';
import type { Optimizer } from '../../src/optim/index.ts';
import { tensor } from '../../src/tensor/tensor.ts';
import { camelKeys, optimizers } from './golden-optim.ts';
import type { VariableContext, VariableOp, VariableOps } from './golden-variables.ts';
import { type Expected, Mismatch } from './suite.ts';

class Residual extends nn.Module {
  c1 = new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1, bias: false });
  b1 = new nn.BatchNorm2d(6);
  c2 = new nn.Conv2d(6, 6, 3, { padding: 1, bias: false });
  b2 = new nn.BatchNorm2d(6);
  sk = new nn.Sequential(new nn.Conv2d(4, 6, 1, { stride: 2, bias: false }), new nn.BatchNorm2d(6));

  forward(x: Variable): Variable {
    const inner = this.c2.forward(F.relu(this.b1.forward(this.c1.forward(x))));
    return F.relu(this.b2.forward(inner).add(this.sk.forward(x)));
  }
}

class InvertedResidual extends nn.Module {
  f = new nn.Sequential(
    new nn.Conv2d(5, 15, 1, { bias: false }),
    new nn.BatchNorm2d(15),
    new nn.ReLU6(),
    new nn.Conv2d(15, 15, 3, { padding: 1, groups: 15, bias: false }),
    new nn.BatchNorm2d(15),
    new nn.ReLU6(),
    new nn.Conv2d(15, 5, 1, { bias: false }),
    new nn.BatchNorm2d(5),
  );

  forward(x: Variable): Variable {
    return x.add(this.f.forward(x));
  }
}

class SqueezeExcite extends nn.Module {
  a = new nn.Conv2d(8, 3, 1);
  b = new nn.Conv2d(3, 8, 1);

  forward(x: Variable): Variable {
    const scale = this.b.forward(F.silu(this.a.forward(F.adaptiveAvgPool2d(x, 1))));
    return x.mul(F.sigmoid(scale));
  }
}

class MiniUNet extends nn.Module {
  d = new nn.Conv2d(2, 4, 3, { padding: 1 });
  m = new nn.Conv2d(4, 8, 3, { padding: 1 });
  u = new nn.ConvTranspose2d(8, 4, 2, { stride: 2 });
  o = new nn.Conv2d(8, 1, 1);

  forward(x: Variable): Variable {
    const down = F.relu(this.d.forward(x));
    const middle = F.relu(this.m.forward(F.maxPool2d(down, 2)));
    return this.o.forward(F.cat([down, this.u.forward(middle)], 1));
  }
}

class Dense extends nn.Module {
  b1 = new nn.BatchNorm2d(5);
  c1 = new nn.Conv2d(5, 3, 3, { padding: 1 });
  b2 = new nn.BatchNorm2d(8);
  c2 = new nn.Conv2d(8, 3, 3, { padding: 1 });

  forward(x: Variable): Variable {
    const y = F.cat([x, this.c1.forward(F.relu(this.b1.forward(x)))], 1);
    return F.avgPool2d(F.cat([y, this.c2.forward(F.relu(this.b2.forward(y)))], 1), 2);
  }
}

class ASPP extends nn.Module {
  c = new nn.ModuleList([1, 2, 3].map((d) => new nn.Conv2d(4, 3, 3, { padding: d, dilation: d })));
  p = new nn.Conv2d(4, 3, 1);

  forward(x: Variable): Variable {
    const size = x.shape.slice(2);
    const pooled = this.p.forward(F.adaptiveAvgPool2d(x, 1));
    const parts = [...this.c].map((conv) => conv.forward(x));
    const all = F.cat([...parts, F.interpolate(pooled, { size })], 1);
    return F.interpolate(all, { scaleFactor: 2, mode: 'bilinear', alignCorners: false });
  }
}

const networks: { readonly [op: string]: () => nn.Module } = {
  residual_block: () => new Residual(),
  inverted_residual: () => new InvertedResidual(),
  se_block: () => new SqueezeExcite(),
  mini_unet: () => new MiniUNet(),
  dense_block: () => new Dense(),
  aspp: () => new ASPP(),
  conv1d_net: () =>
    new nn.Sequential(
      new nn.Conv1d(2, 6, 5, { stride: 2, padding: 2 }),
      new nn.BatchNorm1d(6),
      new nn.LeakyReLU(0.1),
      new nn.MaxPool1d(2),
      new nn.Flatten(),
      new nn.Linear(24, 3),
    ),
  conv3d_net: () =>
    new nn.Sequential(
      new nn.Conv3d(1, 3, 3, { padding: 1 }),
      new nn.BatchNorm3d(3),
      new nn.ELU(),
      new nn.AvgPool3d(2),
      new nn.ConvTranspose3d(3, 2, 2, { stride: 2 }),
    ),
  gn_in_net: () =>
    new nn.Sequential(
      new nn.Conv2d(3, 6, 3, { padding: 1 }),
      new nn.GroupNorm(2, 6),
      new nn.GELU(),
      new nn.Conv2d(6, 4, 3, { stride: 2 }),
      new nn.InstanceNorm2d(4, { affine: true }),
      new nn.Hardswish(),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Linear(4, 2),
    ),
};

/** Loads the case's parameters and buffers into a network; its parameters then are the case's inputs. */
function load(
  network: nn.Module,
  { case: { inputs }, values, provide }: VariableContext,
  data: readonly string[],
): void {
  const names = inputs.map(({ name }) => name).filter((name) => !data.includes(name));
  network.loadStateDict(Object.fromEntries(names.map((name) => [name, values(name)])));
  for (const [name, parameter] of network.namedParameters()) provide(name, parameter);
  for (const [name, buffer] of network.namedBuffers()) provide(name, buffer);
}

const snapshot = (x: Variable): Expected => ({ dtype: x.dtype, shape: x.shape, data: x.data });

/** One forward pass in training mode, the running statistics after it, and the output in evaluation mode. */
const block =
  (make: () => nn.Module): VariableOp =>
  (context) => {
    const network = make();
    load(network, context, ['x']);
    const x = context.input('x');
    const y = network.forward(x);
    const state = network.stateDict();
    const evaluated = noGrad(() => network.eval().forward(x));
    return context.case.outputs.map(({ name }) => {
      if (name === 'y') return y;
      return name === 'y_eval' ? snapshot(evaluated) : state[name.slice('after:'.length)];
    });
  };

const cnnA = (): nn.Module =>
  new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(2),
    new nn.Flatten(),
    new nn.Linear(64, 10),
  );

const dwB = (): nn.Module =>
  new nn.Sequential(
    new nn.Conv2d(1, 6, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(6),
    new nn.ReLU6(),
    new nn.Conv2d(6, 6, 3, { stride: 2, padding: 1, groups: 6, bias: false }),
    new nn.BatchNorm2d(6),
    new nn.ReLU6(),
    new nn.Conv2d(6, 12, 1),
    new nn.GELU(),
    new nn.AvgPool2d(2),
    new nn.Flatten(),
    new nn.Linear(48, 10),
  );

const gnC = (): nn.Module =>
  new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { stride: 2, padding: 1 }),
    new nn.ELU(),
    new nn.Upsample({ scaleFactor: 2, mode: 'nearest' }),
    new nn.Conv2d(4, 8, 5, { padding: 2 }),
    new nn.GroupNorm(2, 8),
    new nn.SiLU(),
    new nn.AdaptiveMaxPool2d(3),
    new nn.Flatten(),
    new nn.Linear(72, 10),
  );

/** 20 steps; the losses must be PyTorch's within 1e-3, the parameters at the end are the outputs. */
const training =
  (make: () => nn.Module): VariableOp =>
  (context) => {
    const { attrs, values, case: given } = context;
    const network = make();
    load(network, context, ['data', 'target']);
    const { opt, steps, batch, torch: _, ...options } = attrs;
    const Class = optimizers[opt as keyof typeof optimizers] as new (p: Iterable<Variable>, o: object) => Optimizer;
    const optimizer = new Class(network.parameters(), camelKeys(options));
    const [data, target] = [values('data'), values('target')];
    const size = data.data.length / data.shape[0];
    const { losses } = given as unknown as { losses: readonly number[] };
    for (let step = 0; step < steps; step++) {
      const [from, to] = [step * batch, (step + 1) * batch];
      const x = variable(tensor(data.data.slice(from * size, to * size), [batch, ...data.shape.slice(1)]));
      const t = variable(tensor(target.data.slice(from, to), [batch], 'int32'));
      optimizer.zeroGrad();
      const loss = crossEntropy(network.forward(x), t);
      loss.backward();
      optimizer.step();
      const [got, expected] = [loss.item(), losses[step]];
      if (!(Math.abs(got - expected) <= 1e-3 * expected))
        throw new Mismatch(`loss of step ${step}: expects ${expected}, got ${got}`);
    }
    const state = network.stateDict();
    optimizer.zeroGrad();
    optimizer.dispose();
    return given.outputs.map(({ name }) => state[name.slice('final:'.length)]);
  };

export const goldenNetworks: VariableOps = {
  ...Object.fromEntries(Object.entries(networks).map(([op, make]) => [op, block(make)])),
  train_cnnA_sgd: training(cnnA),
  train_cnnA_rmsprop: training(cnnA),
  train_dwB_adam: training(dwB),
  train_gnC_adamw: training(gnC),
};
