import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend, type Variable, variable } from '../../src/autograd/index.ts';
import { seed } from '../../src/common/random.ts';
import * as nn from '../../src/nn/modules.ts';
import { expectClose, expectError } from '../ops/run.ts';
import { jsBackend } from '../support/js-backend.ts';

beforeAll(() => {
  useBackend(jsBackend());
});

class Net extends nn.Module {
  readonly conv = new nn.Conv2d(1, 2, 3, { bias: false });
  readonly bn = new nn.BatchNorm2d(2);
  readonly blocks = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 3)]);
  readonly heads = new nn.ModuleDict({ a: new nn.Linear(3, 1) });
  readonly plain = [new nn.PReLU()];
  readonly scale = new nn.Parameter([1], Float32Array.of(2));
  readonly note = 'not a module';

  forward(x: Variable): Variable {
    return this.bn.forward(this.conv.forward(x)).mul(this.scale);
  }
}

const names = [
  'scale',
  'conv.weight',
  'bn.weight',
  'bn.bias',
  'blocks.0.weight',
  'blocks.0.bias',
  'blocks.1.weight',
  'blocks.1.bias',
  'heads.a.weight',
  'heads.a.bias',
  'plain.0.weight',
];

describe('modules', () => {
  test('parameters and buffers are found by their fields, under PyTorch names', () => {
    const net = new Net();
    expect([...net.namedParameters()].map(([name]) => name)).toEqual(names);
    expect([...net.namedBuffers()].map(([name]) => name)).toEqual([
      'bn.running_mean',
      'bn.running_var',
      'bn.num_batches_tracked',
    ]);
    expect(Object.keys(net.stateDict()).sort()).toEqual(
      [...names, 'bn.running_mean', 'bn.running_var', 'bn.num_batches_tracked'].sort(),
    );
    expect([...net.namedModules()].map(([name]) => name)).toEqual([
      ...['', 'conv', 'bn', 'blocks', 'blocks.0', 'blocks.1', 'heads', 'heads.a', 'plain.0'],
    ]);
  });

  test('a shared parameter counts once and is saved under each name', () => {
    const first = new nn.Linear(3, 3, { bias: false });
    const model = new nn.Sequential(first, first);
    expect(model.parameterCount()).toBe(9);
    class Tied extends nn.Module {
      readonly a = new nn.Embedding(5, 2);
      readonly b = this.a.weight;
      forward(x: Variable): Variable {
        return this.a.forward(x);
      }
    }
    expect(new Tied().parameterCount()).toBe(10);
    expect(Object.keys(new Tied().stateDict())).toEqual(['b', 'a.weight']);
  });

  test('train, eval, apply, requiresGrad_, zeroGrad', () => {
    const net = new Net();
    net.eval();
    expect([...net.modules()].every((module) => !module.training)).toBe(true);
    net.train();
    expect(net.bn.training).toBe(true);
    const order: string[] = [];
    net.apply((module) => void order.push(module.constructor.name));
    expect(order.at(-1)).toBe('Net');
    net.requiresGrad_(false);
    expect(net.parameterCount({ trainable: true })).toBe(0);
    net.requiresGrad_();
    net
      .forward(variable(new Float32Array(25).fill(1), [1, 1, 5, 5]))
      .sum()
      .backward();
    expect(net.scale.grad).not.toBeNull();
    net.zeroGrad();
    expect(net.scale.grad).toBeNull();
  });

  test('a state dict round trip', () => {
    seed(1);
    const [a, b] = [new Net(), new Net()];
    a.forward(variable(Float32Array.from({ length: 25 }, Math.sin), [1, 1, 5, 5]));
    expect(b.loadStateDict(a.stateDict())).toEqual({ missing: [], unexpected: [] });
    const [first, second] = [a.stateDict(), b.stateDict()];
    for (const name of Object.keys(first)) expect(second[name].data, name).toEqual(first[name].data);
    expect(first['bn.num_batches_tracked'].dtype).toBe('int64');
    expect(first['bn.num_batches_tracked'].data[0]).toBe(1);
    // A copy: the model goes on without it.
    a.scale.set([9]);
    expect(first.scale.data[0]).toBe(2);
  });

  test('loading what does not fit lists everything and writes nothing', () => {
    const net = new Net();
    const before = net.conv.weight.data;
    const { 'conv.weight': _, 'bn.bias': __, ...rest } = net.stateDict();
    const wrong = {
      ...rest,
      extra: rest.scale,
      'heads.a.bias': rest['heads.a.weight'],
      'blocks.0.weight': rest['blocks.1.weight'],
      scale: { shape: [1], data: [77] },
    };
    const parts = ['missing: conv.weight, bn.bias', 'unexpected: extra', 'heads.a.bias (expected [1], got [1,3])'];
    expectError('shape', ['Net', ...parts, 'blocks.0.weight (expected [4,4], got [3,4])'], () =>
      net.loadStateDict(wrong),
    );
    expect(net.scale.item()).toBe(2);
    expectError('shape', ['heads.a.bias'], () => net.loadStateDict(wrong, { strict: false }));
    const fits = { scale: wrong.scale, other: rest.scale };
    const result = net.loadStateDict(new Map(Object.entries(fits)), { strict: false });
    expect(result.unexpected).toEqual(['other']);
    expect(result.missing).toContain('conv.weight');
    expect(net.scale.item()).toBe(77);
    expect(net.conv.weight.data).toEqual(before);
  });

  test('summary as PyTorch prints it', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 8, 3, { padding: 1, stride: 2, bias: false }),
      new nn.BatchNorm2d(8),
      new nn.LeakyReLU(0.2),
      new nn.MaxPool2d(2),
      new nn.Sequential({ up: new nn.ConvTranspose2d(8, 4, [2, 3], { outputPadding: 0, groups: 2 }) }),
      new nn.Conv1d(4, 4, 5, { padding: 'same', paddingMode: 'reflect' }),
      new nn.GroupNorm(2, 4),
      new nn.LayerNorm([4, 5]),
      new nn.AdaptiveAvgPool2d([1, null]),
      new nn.Linear(4, 2),
    );
    expect(String(model).split('\n')).toEqual([
      'Sequential(',
      '  (0): Conv2d(1, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)',
      '  (1): BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)',
      '  (2): LeakyReLU(negative_slope=0.2)',
      '  (3): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)',
      '  (4): Sequential(',
      '    (up): ConvTranspose2d(8, 4, kernel_size=(2, 3), stride=(1, 1), groups=2)',
      '  )',
      '  (5): Conv1d(4, 4, kernel_size=(5,), stride=(1,), padding=same, padding_mode=reflect)',
      '  (6): GroupNorm(2, 4, eps=1e-05, affine=True)',
      '  (7): LayerNorm((4, 5), eps=1e-05, elementwise_affine=True)',
      '  (8): AdaptiveAvgPool2d(output_size=(1, None))',
      '  (9): Linear(in_features=4, out_features=2, bias=True)',
      ')',
      '330 parameters',
    ]);
  });

  test('containers', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU()).append(new nn.Linear(3, 1));
    expect(model.length).toBe(3);
    expect(model.at(-1)).toBeInstanceOf(nn.Linear);
    expect(model.forward(variable([[1, 2]])).shape).toEqual([1, 1]);
    expectError('argument', ['Sequential', 'String'], () => new nn.Sequential('relu' as never));
    expectError('unsupported', ['ModuleList'], () => new nn.ModuleList().forward());
    expectError('unknown-name', ["'b'"], () => new nn.ModuleDict({ a: new nn.ReLU() }).get('b'));
  });

  test('wrong arguments of layers', () => {
    expectError('argument', ['Conv2d', 'groups'], () => new nn.Conv2d(3, 4, 3, { groups: 2 }));
    expectError('argument', ['Conv2d', 'inChannels'], () => new nn.Conv2d(0, 4, 3));
    expectError('argument', ['Conv2d', 'kernelSize'], () => new nn.Conv2d(1, 4, [3, 3, 3]));
    expectError('argument', ['GroupNorm'], () => new nn.GroupNorm(3, 4));
    expectError('shape', ['BatchNorm2d', '[2,3,4]'], () =>
      new nn.BatchNorm2d(3).forward(variable(new Float32Array(24), [2, 3, 4])),
    );
    expectError('shape', ['linear', '4 input features'], () => new nn.Linear(4, 1).forward(variable([[1, 2]])));
  });
});

describe('initial values', () => {
  const inside = (x: Variable, bound: number): void => {
    const values = Array.from(x.data);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
    // A uniform distribution on ±bound has the deviation bound/√3.
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    expect(Math.abs(deviation / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.1);
  };

  test('default initialisation of convolutions and linear layers', () => {
    seed(2);
    const conv = new nn.Conv2d(8, 64, 3);
    inside(conv.weight, 1 / Math.sqrt(72));
    const linear = new nn.Linear(100, 400);
    inside(linear.weight, 0.1);
    inside(linear.bias!, 0.1);
    inside(new nn.ConvTranspose2d(16, 32, 3).weight, 1 / Math.sqrt(32 * 9));
  });

  test('a seed gives the same weights', () => {
    const make = (n: number) => {
      seed(n);
      return new nn.Linear(5, 5).weight.data;
    };
    expect(make(7)).toEqual(make(7));
    expect(make(7)).not.toEqual(make(8));
  });

  test('orthogonal rows and columns', () => {
    for (const shape of [
      [4, 9],
      [9, 4],
      [6, 2, 3],
    ]) {
      const w = nn.init.orthogonal(new nn.Parameter(shape), 2);
      const [rows, columns] = [shape[0], w.size / shape[0]];
      const m = w.reshape(rows, columns);
      const product = rows <= columns ? m.matmul(m.transpose(0, 1)) : m.transpose(0, 1).matmul(m);
      const n = Math.min(rows, columns);
      expectClose(
        product.data,
        Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 4 : 0)),
        5,
      );
    }
  });

  test('the others', () => {
    const deviation = (x: Variable): number => Math.sqrt(x.square().mean().item());
    seed(6);
    const w = (): nn.Parameter => new nn.Parameter([60, 40, 3]);
    expect(deviation(nn.init.kaimingNormal(w(), { nonlinearity: 'relu' })) / Math.sqrt(2 / 120)).toBeCloseTo(1, 1);
    expect(
      deviation(nn.init.kaimingUniform(w(), { mode: 'fanOut', nonlinearity: 'relu' })) / Math.sqrt(2 / 180),
    ).toBeCloseTo(1, 1);
    expect(deviation(nn.init.xavierNormal(w(), 3)) / (3 * Math.sqrt(2 / 300))).toBeCloseTo(1, 1);
    expect(deviation(nn.init.xavierUniform(w())) / Math.sqrt(2 / 300)).toBeCloseTo(1, 1);
    const cut = nn.init.truncNormal(w(), 0, 1, -0.5, 0.5);
    expect(cut.abs().max().item()).toBeLessThanOrEqual(0.5);
    expect(nn.init.ones(w()).sum().item()).toBe(7200);
    expectError('shape', ['[3]'], () => nn.init.xavierUniform(new nn.Parameter([3])));
    expectError('argument', ['nonlinearity'], () => nn.init.calculateGain('cube' as never));
  });
});
