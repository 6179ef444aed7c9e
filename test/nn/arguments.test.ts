// Arguments as Python's PyTorch takes them, which JavaScript would ignore without a word: each is refused with the right form.
import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend, Variable, variable } from '../../src/autograd/index.ts';
import {
  DataLoader,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  Subset,
  TensorDataset,
  TransformedDataset,
} from '../../src/data/index.ts';
import { F } from '../../src/nn/functional.ts';
import * as metrics from '../../src/nn/metrics.ts';
import * as nn from '../../src/nn/modules.ts';
import * as optim from '../../src/optim/index.ts';
import { jsBackend } from '../support/js-backend.ts';

beforeAll(() => useBackend(jsBackend()));

/** What plain JavaScript lets through. */
// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the subject
const js = (value: unknown) => value as any;
const image = () => variable(new Float32Array(64), [1, 1, 8, 8]);
const params = () => [variable([1], undefined, { requiresGrad: true })];
const sgd = () => new optim.SGD(params(), { lr: 0.1 });
const classes = () => variable(new Int32Array([0]));
const samples = () => new TensorDataset({ shape: [2, 1], data: new Float32Array(2) }, [0, 1]);

const refused: { readonly [call: string]: [() => unknown, string] } = {
  'Conv2d(3, 4, 3, 2, 1)': [() => new (js(nn.Conv2d))(3, 4, 3, 2, 1), 'new Conv2d(3, 4, 3, { stride: 2, padding: 1 })'],
  'Conv2d with pading': [() => new nn.Conv2d(3, 4, 3, js({ pading: 1, stride: 2 })), 'pading: did you mean padding?'],
  'Conv2d by names': [() => new (js(nn.Conv2d))({ in_channels: 3 }), 'new Conv2d(inChannels, outChannels, kernelSize,'],
  'Conv2d with kernel_size': [
    () => new nn.Conv2d(3, 4, 3, js({ kernel_size: 3 })),
    'kernel_size: did you mean the argument',
  ],
  'Conv2d with texts': [() => new nn.Conv2d(3, 4, js('3')), 'kernelSize expects a number or one per axis, got 3'],
  'ConvTranspose2d(1, 1, 2, 2)': [() => new nn.ConvTranspose2d(1, 1, 2, js(2)), '{ stride: 2 }'],
  'Linear(2, 3, false)': [() => new nn.Linear(2, 3, js(false)), 'new Linear(2, 3, { bias: false })'],
  'Linear with bais': [() => new nn.Linear(2, 3, js({ bais: false })), 'bais: did you mean bias?'],
  'MaxPool2d(3, 2)': [() => new nn.MaxPool2d(3, js(2)), 'new MaxPool2d(3, { stride: 2 })'],
  'AvgPool2d with count_include_pad': [() => new nn.AvgPool2d(3, js({ count_include_pad: false })), 'countIncludePad?'],
  'MaxUnpool2d(2, 2)': [() => new nn.MaxUnpool2d(2, js(2)), '{ stride: 2 }'],
  'AdaptiveAvgPool2d(1, 1)': [() => new (js(nn.AdaptiveAvgPool2d))(1, 1), 'new AdaptiveAvgPool2d(1)'],
  'BatchNorm2d(4, 1e-3)': [() => new nn.BatchNorm2d(4, js(1e-3)), 'new BatchNorm2d(4, { eps: 0.001 })'],
  'LayerNorm(4, 1e-6)': [() => new nn.LayerNorm(4, js(1e-6)), 'new LayerNorm(4, { eps: 0.000001 })'],
  'GroupNorm(2, 4, 1e-6)': [() => new nn.GroupNorm(2, 4, js(1e-6)), '{ eps: 0.000001 }'],
  'InstanceNorm2d with afine': [() => new nn.InstanceNorm2d(4, js({ afine: true })), 'afine: did you mean affine?'],
  'RMSNorm(4, 1e-6)': [() => new nn.RMSNorm(4, js(1e-6)), '{ eps: 0.000001 }'],
  'LocalResponseNorm(5, 1e-4)': [() => new nn.LocalResponseNorm(5, js(1e-4)), '{ alpha: 0.0001 }'],
  'Embedding(10, 4, 0)': [() => new nn.Embedding(10, 4, js(0)), 'new Embedding(10, 4, { paddingIdx: 0 })'],
  'ReLU(true)': [() => new (js(nn.ReLU))(true), 'new ReLU()'],
  'ReLU with inplace': [() => new (js(nn.ReLU))({ inplace: true }), 'unknown option inplace; it has none'],
  'LeakyReLU by name': [() => new nn.LeakyReLU(js({ negative_slope: 0.2 })), 'new LeakyReLU(negativeSlope)'],
  'Dropout by name': [() => new nn.Dropout(js({ p: 0.2 })), 'new Dropout(p)'],
  "GELU('Tanh')": [() => new nn.GELU(js('Tanh')), 'approximate expects none or tanh, got Tanh'],
  'Upsample(2)': [() => new nn.Upsample(js(2)), 'new Upsample({ size: 2 })'],
  'Upsample with scale_factor': [() => new nn.Upsample(js({ scale_factor: 2 })), 'scaleFactor?'],
  'CrossEntropyLoss(weight)': [
    () => new nn.CrossEntropyLoss(js(variable([1, 2]))),
    'expects options by name, got Variable',
  ],
  'CrossEntropyLoss with label_smoothing': [
    () => new nn.CrossEntropyLoss(js({ label_smoothing: 0.1 })),
    'labelSmoothing?',
  ],
  'maxPool2d(x, 3, 2)': [() => F.maxPool2d(image(), 3, js(2)), 'maxPool2d(x, 3, { stride: 2 })'],
  'avgPool2d(x, 3, 2)': [() => F.avgPool2d(image(), 3, js(2)), 'avgPool2d(x, 3, { stride: 2 })'],
  'conv2d(x, w, null, 1)': [() => F.conv2d(image(), image(), null, js(1)), 'conv2d(x, weight, bias, { stride: 1 })'],
  'interpolate(x, 2)': [() => F.interpolate(image(), js(2)), 'interpolate(x, { size: 2 })'],
  'unfold(x, 3, 2)': [() => F.unfold(image(), 3, js(2)), 'unfold(x, 3, {'],
  'crossEntropy with label_smoothing': [
    () => F.crossEntropy(variable([[1, 2]]), classes(), js({ label_smoothing: 0.5 })),
    'crossEntropy: unknown option label_smoothing: did you mean labelSmoothing?',
  ],
  'crossEntropy with a weight': [() => F.crossEntropy(variable([[1, 2]]), classes(), js(variable([1, 2]))), 'by name'],
  "mseLoss(x, x, 'sum')": [() => F.mseLoss(image(), image(), js('sum')), "mseLoss(x, target, { reduction: 'sum' })"],
  "spatialPyramidPool2d(…, 'Max')": [
    () => F.spatialPyramidPool2d(image(), [1], js('Max')),
    'spatialPyramidPool2d: mode expects max or average, got Max',
  ],
  'mixedPool2d without alpha': [() => F.mixedPool2d(image(), 2, js(undefined)), 'alpha expects a number or a variable'],
  'leakyRelu by name': [() => F.leakyRelu(image(), js({ negativeSlope: 1 })), 'negativeSlope expects a number'],
  'relu(x, true)': [() => js(F.relu)(image(), true), 'relu: expects no more arguments, got true: relu(x)'],
  'relu with inplace': [() => js(F.relu)(image(), { inplace: true }), 'relu: unknown option inplace; it has none'],
  'silu with inplace': [() => js(F.silu)(image(), { inplace: true }), 'silu: unknown option inplace; it has none'],
  'threshold without value': [() => js(F.threshold)(image(), 1), 'threshold: value expects a number, got undefined'],
  'interpolate with a mode behind': [
    () => js(F.interpolate)(image(), { size: 4 }, 'bilinear'),
    'nothing behind its options',
  ],
  'clamp by name': [() => image().clamp(js({ min: 0 })), 'clamp: min expects a number, got { min }'],
  'sum by name': [() => image().sum(js({ dim: 1 })), 'dim expects an axis or an array of axes, got { dim }'],
  'MaxPool2d()': [
    () => new (js(nn.MaxPool2d))(),
    'kernelSize expects a number or one per axis, got undefined: new MaxPool2d(',
  ],
  'Softmax()': [() => new (js(nn.Softmax))(), 'dim expects a number, got undefined: new Softmax(dim)'],
  'ZeroPad2d(1, 3)': [() => new (js(nn.ZeroPad2d))(1, 3), 'new ZeroPad2d(1)'],
  'Linear(2)': [
    () => new (js(nn.Linear))(2),
    'outFeatures expects a whole number ≥ 1, got undefined: new Linear(2, outFeatures',
  ],
  'ModuleList(a, b)': [() => new (js(nn.ModuleList))(new nn.ReLU(), new nn.ReLU()), 'new ModuleList([a, b])'],
  'Parameter(3)': [() => new nn.Parameter(js(3)), 'Parameter: shape expects an array of dimensions, got 3'],
  'MultiplicativeLR(optimizer, 0.5)': [() => new optim.MultiplicativeLR(sgd(), js(0.5)), 'factor expects a function'],
  'SequentialLR by names': [
    () => new (js(optim.SequentialLR))(sgd(), { schedulers: [] }),
    'an array of schedules, got',
  ],
  'DataLoader of an array': [
    () => new DataLoader(js([1, 2])),
    'dataset expects a data set (length and get), got [1, 2]',
  ],
  'Subset of a number': [() => new Subset(samples(), js(1)), 'indices expects an array of numbers, got 1'],
  'transforms in an array': [() => new TransformedDataset(samples(), js([])), 'transform 1 expects a function, got []'],
  'normalize without std': [() => js(normalize)(0.5), 'std expects a number or one per channel, got undefined'],
  'dropout by name': [() => F.dropout(image(), 0.5, js({ training: false })), 'training expects true or false'],
  'layerNorm by name': [() => F.layerNorm(image(), 8, null, null, js({ eps: 1 })), 'eps expects a number'],
  'variable by name': [() => variable([1], js({ requiresGrad: true })), 'variable(values, shape, options)'],
  'variable with requires_grad': [() => variable([1], [1], js({ requires_grad: true })), 'requiresGrad?'],
  'std with unbiased': [() => image().std(0, js({ unbiased: false })), 'unknown option unbiased'],
  'var(0, false)': [() => image().var(0, js(false)), 'var(0, { keepDim: false })'],
  'SGD with weight_decay': [() => new optim.SGD(params(), js({ lr: 0.1, weight_decay: 0.1 })), 'weightDecay?'],
  'SGD(params, 0.1)': [() => new optim.SGD(params(), js(0.1)), 'new SGD(params, { lr: 0.1 })'],
  'Adam(params, 0.1, [0.9, 0.99])': [
    () => new (js(optim.Adam))(params(), 0.1, [0.9, 0.99]),
    'new Adam(params, { lr: 0.1, betas: [0.9, 0.99] })',
  ],
  'a group with weight_decay': [() => new optim.SGD([js({ params: params(), weight_decay: 1 })]), 'weightDecay?'],
  'StepLR(optimizer, 30)': [() => new optim.StepLR(sgd(), js(30)), 'new StepLR(optimizer, { stepSize: 30 })'],
  'StepLR without options': [() => new (js(optim.StepLR))(sgd()), 'stepSize expects a whole number ≥ 1, got undefined'],
  'CosineAnnealingLR with T_max': [
    () => new optim.CosineAnnealingLR(sgd(), js({ T_max: 3 })),
    'T_max: did you mean tMax?',
  ],
  'OneCycleLR with max_lr': [() => new optim.OneCycleLR(sgd(), js({ max_lr: 3 })), 'max_lr: did you mean maxLr?'],
  'ReduceLROnPlateau(optimizer, "min")': [() => new optim.ReduceLROnPlateau(sgd(), js('min')), "{ mode: 'min' }"],
  'EMA(params, 0.9)': [() => new optim.EMA(params(), js(0.9)), 'new EMA(params, { decay: 0.9 })'],
  'clipGradNorm(params, 1, 2)': [
    () => optim.clipGradNorm(params(), 1, js(2)),
    'clipGradNorm(params, 1, { normType: 2 })',
  ],
  'DataLoader(set, 32, true)': [
    () => new (js(DataLoader))(samples(), 32, true),
    'new DataLoader(dataset, { batchSize: 32, shuffle: true })',
  ],
  'DataLoader with batch_size': [
    () => new DataLoader(samples(), js({ batch_size: 2 })),
    'batch_size: did you mean batchSize?',
  ],
  'randomCrop(32, 4)': [() => randomCrop(32, js(4)), 'randomCrop(32, { padding: 4 })'],
  'randomHorizontalFlip by name': [() => randomHorizontalFlip(js({ p: 0.1 })), 'randomHorizontalFlip(p)'],
  "f1('macro')": [() => metrics.f1(js('macro')), "f1({ average: 'macro' })"],
  'loadStateDict(state, false)': [() => new nn.Linear(1, 1).loadStateDict({}, js(false)), '{ strict: false }'],
  'sum with keepDim by name': [() => image().sum(0, js({ keepDim: false })), 'keepDim expects true or false'],
  'topk by name': [() => image().topk(1, 0, js({ largest: false })), 'largest expects true or false'],
  'variable of a dtype that does not exist': [
    () => variable([1], [1], { dtype: js('float') }),
    'dtype expects float32 or',
  ],
  'normal by name': [() => nn.init.normal(image(), js({ std: 0.02 })), 'normal: mean expects a number, got { std }'],
  'truncNormal by name': [() => nn.init.truncNormal(image(), js({ std: 0.02 })), 'mean expects a number, got { std }'],
  'uniform with a seed': [() => nn.init.uniform(image(), 0, 1, js(3)), 'generator expects a Generator, got 3'],
  'kaimingUniform with fan_out': [() => nn.init.kaimingUniform(image(), js({ mode: 'fan_out' })), 'fanIn or fanOut'],
};

describe('refused with the right form', () => {
  test.each(Object.entries(refused))('%s', (_, [call, text]) => {
    expect(call).toThrow(
      expect.objectContaining({ name: 'ConvletError', code: 'argument', message: expect.stringContaining(text) }),
    );
  });
});

describe('what works', () => {
  test('a share of max and average pooling that learns', () => {
    const x = variable([0, 1, 2, 3], [1, 1, 2, 2]);
    const alpha = variable(0.3, [], { requiresGrad: true });
    const y = F.mixedPool2d(x, 2, alpha);
    expect(y.item()).toBeCloseTo(0.3 * 3 + 0.7 * 1.5, 6);
    y.backward();
    expect(alpha.grad!.item()).toBeCloseTo(1.5, 6);
    expect(F.mixedPool2d(x, 2, 0.3).item()).toBeCloseTo(1.95, 6);
  });

  test('null where PyTorch has None, undefined anywhere', () => {
    const x = image();
    expect(F.maxPool2d(x, 2, { stride: null, padding: undefined }).shape).toEqual([1, 1, 4, 4]);
    expect(F.crossEntropy(variable([[1, 2]]), classes(), { weight: null }).item()).toBeCloseTo(1.3133, 3);
    expect(new nn.BatchNorm2d(1, { momentum: null }).momentum).toBe(null);
    expect(new optim.SGD(params(), { lr: undefined, momentum: 0.5 }).paramGroups[0]).toMatchObject({ lr: 1e-3 });
  });

  test('functions given to map, which calls them with an index too', () => {
    const results = [image(), image()].map(js(F.relu)) as Variable[];
    expect(results.map(({ shape }) => shape)).toEqual([image().shape, image().shape]);
    expect(image().clamp(null, 0).shape).toEqual(image().shape);
  });

  test('layers hand on what F takes', () => {
    const layer = new nn.Conv2d(1, 2, 3, { bias: false, padding: 1, paddingMode: 'reflect' });
    expect(layer.bias).toBe(null);
    expect(layer.forward(image())).toBeInstanceOf(Variable);
    expect(String(layer)).toContain('Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False');
  });
});
