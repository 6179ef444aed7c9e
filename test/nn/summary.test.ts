// summary: published counts of networks, shapes, what is shared or frozen, and that nothing of the model changes.
import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend, type Variable } from '../../src/autograd/index.ts';
import { defaultGenerator, seed } from '../../src/common/random.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import { summary } from '../../src/nn/summary.ts';
import { jsBackend } from '../support/js-backend.ts';

beforeAll(() => void useBackend(jsBackend()));

class Block extends nn.Module {
  conv1: InstanceType<typeof nn.Conv2d>;
  bn1: InstanceType<typeof nn.BatchNorm2d>;
  conv2: InstanceType<typeof nn.Conv2d>;
  bn2: InstanceType<typeof nn.BatchNorm2d>;
  downsample: nn.Module | null;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
    this.downsample =
      stride === 1
        ? null
        : new nn.Sequential(new nn.Conv2d(inputs, outputs, 1, { stride, bias: false }), new nn.BatchNorm2d(outputs));
  }

  forward(x: Variable): Variable {
    const y = F.relu(this.bn1.forward(this.conv1.forward(x)));
    return F.relu(this.bn2.forward(this.conv2.forward(y)).add(this.downsample?.forward(x) ?? x));
  }
}

/** torchvision's resnet18. */
class ResNet18 extends nn.Module {
  conv1 = new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false });
  bn1 = new nn.BatchNorm2d(64);
  layers = new nn.ModuleList(
    [64, 128, 256, 512].map((width, i) => {
      const inputs = i === 0 ? 64 : width / 2;
      return new nn.Sequential(new Block(inputs, width, i === 0 ? 1 : 2), new Block(width, width, 1));
    }),
  );
  fc = new nn.Linear(512, 1000);

  forward(x: Variable): Variable {
    x = F.maxPool2d(F.relu(this.bn1.forward(this.conv1.forward(x))), 3, { stride: 2, padding: 1 });
    for (const layer of this.layers) x = layer.forward(x) as Variable;
    return this.fc.forward(F.adaptiveAvgPool2d(x, 1).flatten(1));
  }
}

describe('summary', () => {
  test('parameters and multiply–accumulates of ResNet-18, as torchvision publishes them', () => {
    const found = summary(new ResNet18(), [1, 3, 224, 224]);
    expect(found.parameters).toBe(11_689_512);
    expect(found.trainableParameters).toBe(11_689_512);
    expect(found.macs).toBe(1_814_073_344); // 1.814 G: torchvision's "GFLOPS" 1.81
    expect(found.parameterBytes).toBe(4 * 11_689_512);
    const byName = new Map(found.layers.map((layer) => [layer.name, layer]));
    expect(byName.get('')).toMatchObject({
      type: 'ResNet18',
      depth: 0,
      outputShape: [1, 1000],
      parameters: 0,
      macs: 0,
    });
    expect(byName.get('conv1')).toMatchObject({
      type: 'Conv2d',
      outputShape: [1, 64, 112, 112],
      parameters: 9408,
      macs: 118_013_952,
    });
    expect(byName.get('layers.1.0.downsample.0')).toMatchObject({
      depth: 5,
      outputShape: [1, 128, 28, 28],
      macs: 6_422_528,
    });
    expect(byName.get('layers.3.1.bn2')).toMatchObject({ outputShape: [1, 512, 7, 7], parameters: 1024, macs: 0 });
    expect(byName.get('fc')).toMatchObject({ parameters: 513_000, macs: 512_000 });
    expect(found.macs).toBe(found.layers.reduce((sum, { macs }) => sum + macs, 0));
  });

  test('ops of a forward count for the module whose forward it is', () => {
    class Own extends nn.Module {
      weight = new nn.Parameter([4, 3, 3, 3]);
      inner = new nn.Linear(4, 2, { bias: false });
      forward(x: Variable): Variable {
        return this.inner.forward(F.conv2d(x, this.weight).mean([2, 3]));
      }
    }
    const { layers, macs } = summary(new Own(), [2, 3, 6, 6]);
    expect(layers.map(({ name, parameters, macs: own }) => [name, parameters, own])).toEqual([
      ['', 108, 2 * 4 * 16 * 27],
      ['inner', 8, 2 * 4 * 2],
    ]);
    expect(macs).toBe(2 * 4 * 16 * 27 + 16);
  });

  test('a layer that is called twice: its parameters once, its work twice', () => {
    const shared = new nn.Linear(4, 4);
    const { layers, parameters, macs } = summary(new nn.Sequential(shared, new nn.ReLU(), shared), [3, 4]);
    expect(layers.map(({ type, parameters: own, macs: work, repeated }) => [type, own, work, repeated])).toEqual([
      ['Sequential', 0, 0, false],
      ['Linear', 20, 48, false],
      ['ReLU', 0, 0, false],
      ['Linear', 0, 48, true],
    ]);
    expect([parameters, macs]).toEqual([20, 96]);
  });

  test('several inputs, frozen parameters, and a module that is not called', () => {
    class Two extends nn.Module {
      a = new nn.Linear(3, 5);
      b = new nn.Linear(4, 5);
      unused = new nn.Linear(2, 2);
      forward(x: Variable, y: Variable): Variable {
        return this.a.forward(x).add(this.b.forward(y));
      }
    }
    const model = new Two();
    model.a.requiresGrad_(false);
    const found = summary(model, [
      [2, 3],
      [2, 4],
    ]);
    expect(found).toMatchObject({
      parameters: 20 + 25 + 6,
      trainableParameters: 25 + 6,
      macs: 2 * 15 + 2 * 20,
      inputShapes: [
        [2, 3],
        [2, 4],
      ],
      activationBytes: 2 * 2 * 5 * 4,
    });
    expect(String(found)).toContain('20 of them frozen');
  });

  test('nothing of the model changes', () => {
    seed(1);
    const model = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.BatchNorm2d(2), new nn.Dropout(0.5));
    [...model.children()][1].eval();
    const before = JSON.stringify([Object.entries(model.stateDict()).map(([, { data }]) => [...data])]);
    const random = defaultGenerator.state;
    const own = Object.keys(model);
    summary(model, [2, 1, 5, 5]);
    expect(JSON.stringify([Object.entries(model.stateDict()).map(([, { data }]) => [...data])])).toBe(before);
    expect([...model.modules()].map(({ training }) => training)).toEqual([true, true, false, true]);
    expect(defaultGenerator.state).toEqual(random);
    expect([Object.keys(model), Object.hasOwn(model, 'forward')]).toEqual([own, false]);
    expect([...model.parameters()].every(({ grad }) => grad === null)).toBe(true);
  });

  test('as a table', () => {
    const text = String(summary(new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.ReLU()), [1, 1, 5, 5]));
    expect(text).toBe(`layer  type        output     parameters  MACs
─────  ──────────  ─────────  ──────────  ────
       Sequential  [1,2,3,3]
0      Conv2d      [1,2,3,3]          20   162
1      ReLU        [1,2,3,3]

input [1,1,5,5]
20 parameters (0.00 MB), all of which learn
162 MACs, 0.00 MB of activations`);
  });

  test('what does not fit is said', () => {
    const model = new nn.Sequential(new nn.Linear(3, 2));
    expect(() => summary(model, [1, 4])).toThrow(/linear|Linear/);
    expect(() => summary(model, ['x'] as never)).toThrow(/summary: inputShape/);
    expect(() => summary(F.relu as never, [1, 4])).toThrow(/summary: model expects a module/);
    expect(() => summary(model, [1, 3], { dtyp: 'float32' } as never)).toThrow(/did you mean dtype/);
    expect([...model.modules()].every(({ training }) => training)).toBe(true);
    expect(summary(model, [1, 3]).macs).toBe(6);
  });
});
