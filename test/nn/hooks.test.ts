import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Variable, variable } from '../../src/autograd/index.ts';
import { seed } from '../../src/common/random.ts';
import { compileModel } from '../../src/nn/compile-model.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { F } from '../../src/nn/functional.ts';
import * as nn from '../../src/nn/modules.ts';
import { SGD } from '../../src/optim/sgd.ts';
import { init } from '../../src/runtime/node-train.ts';
import { expectError } from '../ops/run.ts';

beforeAll(() => init());

const handles: nn.HookHandle[] = [];
afterEach(() => {
  for (const handle of handles.splice(0)) handle.remove();
});

function network(): nn.Sequential {
  seed(3);
  return new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1));
}
const input = () => variable([1, -2], [1, 2]);

describe('forward hooks', () => {
  test('are called around forward, in the order of registration, until they are removed', () => {
    const model = network();
    const first = model.at(0)!;
    const plain = model.forward(input()).item();
    const order: string[] = [];
    const add = (name: string): nn.HookHandle =>
      first.registerForwardHook((module, [x], output) => {
        expect(module).toBe(first);
        order.push(`${name} ${(x as Variable).shape} ${(output as Variable).shape}`);
      });
    const a = add('a');
    const pre = first.registerForwardPreHook((_, inputs) => void order.push(`pre ${inputs.length}`));
    const b = add('b');
    expect(model.forward(input()).item()).toBe(plain);
    expect(order.splice(0)).toEqual(['pre 1', 'a 1,2 1,3', 'b 1,2 1,3']);
    a.remove();
    a.remove();
    model.forward(input());
    expect(order.splice(0)).toEqual(['pre 1', 'b 1,2 1,3']);
    pre.remove();
    b.remove();
    expect(model.forward(input()).item()).toBe(plain);
    expect(order).toEqual([]);
    expect(Object.hasOwn(first, 'forward')).toBe(false);
  });

  test('replace inputs and outputs, and gradients go through', () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    layer.weight.set([3, 5]);
    layer.registerForwardPreHook((_, [x]) => (x as Variable).mul(2));
    layer.registerForwardHook((_, __, output) => (output as Variable).add(1));
    const y = layer.forward(input());
    expect(y.item()).toBe(2 * (3 - 10) + 1);
    y.sum().backward();
    expect(Array.from(layer.weight.grad!.data)).toEqual([2, -4]);
    // An array stands for all arguments.
    const scaled = new (class extends nn.Module {
      forward(x: Variable, by: Variable): Variable {
        return x.mul(by);
      }
    })();
    scaled.registerForwardPreHook((_, [x, by]) => [by, (x as Variable).add(by as Variable)]);
    expect(scaled.forward(variable([2]), variable([3])).item()).toBe(15);
  });

  test('leave a forward that is a field as it was', () => {
    class Field extends nn.Module {
      override forward = (x: Variable): Variable => x.mul(7);
    }
    const model = new Field();
    const { forward } = model;
    const handle = model.registerForwardHook((_, __, output) => (output as Variable).neg());
    expect(model.forward(variable([1])).item()).toBe(-7);
    handle.remove();
    expect(model.forward).toBe(forward);
    expect(Object.keys(model)).toContain('forward');
  });

  test('no parameters, buffers, modules or lines of text come with them', () => {
    const model = network();
    const before = [Object.keys(model.stateDict()), [...model.namedModules()].length, String(model)];
    model.at(1)!.registerForwardHook(() => undefined);
    expect([Object.keys(model.stateDict()), [...model.namedModules()].length, String(model)]).toEqual(before);
  });

  test('a compiled model and a compiled step hold what the hooks did when they were traced', () => {
    const model = network();
    const plain = model.forward(input()).item();
    model.registerForwardHook((_, __, output) => (output as Variable).mul(10));
    const compiled = compileModel(model, [1, 2]);
    const { data } = compiled.run(input()) as { data: Float32Array };
    expect(data[0]).toBeCloseTo(10 * plain, 5);
    compiled.dispose();
    const optimizer = new SGD(model.parameters(), { lr: 0 });
    const step = compileStep(model, (output: Variable, y: Variable) => F.mseLoss(output, y), optimizer);
    expect(step.step(input(), variable([0], [1, 1]))).toBeCloseTo((10 * plain) ** 2, 4);
    step.dispose();
  });

  test('an error of a hook or of forward leaves the next call as it was', () => {
    const model = network();
    const plain = model.forward(input()).item();
    const handle = model.registerForwardHook(() => {
      throw new Error('mine');
    });
    expect(() => model.forward(input())).toThrow('mine');
    handle.remove();
    expect(model.forward(input()).item()).toBe(plain);
    expectError('argument', ['registerForwardHook', 'function', '5'], () => model.registerForwardHook(5 as never));
    expectError('argument', ['registerForwardPreHook', 'function'], () => model.registerForwardPreHook(null as never));
  });
});

describe('lists of parameters', () => {
  test('are parameters of the module under their places and names', () => {
    class Net extends nn.Module {
      readonly list = new nn.ParameterList([new nn.Parameter([2]), new nn.Parameter([1, 3])]);
      readonly dict = new nn.ParameterDict({ scale: new nn.Parameter([1], Float32Array.of(4)) });
      forward(x: Variable): Variable {
        return x.mul(this.dict.get('scale'));
      }
    }
    const net = new Net();
    net.list.append(new nn.Parameter([5]));
    net.dict.set('shift', new nn.Parameter([6]));
    expect([...net.namedParameters()].map(([name, { shape }]) => `${name} ${shape}`)).toEqual([
      ...['list.0 2', 'list.1 1,3', 'list.2 5', 'dict.scale 1', 'dict.shift 6'],
    ]);
    expect(net.list.length).toBe(3);
    expect(net.list.at(-1)).toBe(net.list.at(2));
    expect([...net.list].map(({ shape }) => shape)).toEqual([[2], [1, 3], [5]]);
    expect(new Map(net.dict).get('shift')).toBe(net.dict.get('shift'));
    expect(net.dict.has('other')).toBe(false);
    const y = net.forward(variable([1, 2]));
    y.sum().backward();
    expect(net.dict.get('scale').grad!.item()).toBe(3);
    expect(new Net().loadStateDict(net.stateDict(), { strict: false }).unexpected).toEqual(['list.2', 'dict.shift']);
  });

  test('take any name, as it is', () => {
    const dict = new nn.ParameterDict({ set: new nn.Parameter([1]), myScale: new nn.Parameter([2]) });
    dict.set('forward', new nn.Parameter([3]));
    expect([...dict.namedParameters()].map(([name]) => name)).toEqual(['set', 'myScale', 'forward']);
  });

  test('refuse what is no parameter', () => {
    expectError('argument', ['ParameterList', 'nn.Parameter'], () => new nn.ParameterList([variable([1])] as never));
    expectError('argument', ['ParameterList', 'array'], () => new nn.ParameterList(3 as never));
    expectError('argument', ['ParameterDict', 'nn.Parameter'], () => new nn.ParameterDict({ a: 1 } as never));
    expectError('unknown-name', ['ParameterDict', 'a', 'b'], () =>
      new nn.ParameterDict({ a: new nn.Parameter([1]) }).get('b'),
    );
    expectError('unsupported', ['ParameterList'], () => new nn.ParameterList().forward());
  });
});
