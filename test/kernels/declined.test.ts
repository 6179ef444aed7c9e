// A call that no kernel takes has a reason, which the step in plain JS shows; for random convolutions there is always an algorithm.
import { describe, expect, test } from 'vitest';
import { type PrimCall, stepText } from '../../src/backend/backend.ts';
import type { ConvAttrs } from '../../src/backend/prims/conv.ts';
import { chooseConv, convAlgorithms, convBy } from '../../src/backend/wasm/conv/conv.ts';
import { Declined } from '../../src/backend/wasm/core/prim.ts';
import { allPrims } from '../../src/backend/wasm/training-prims.ts';
import type { DType } from '../../src/common/dtype.ts';
import { compile } from '../../src/compile/plan.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { newValue } from '../../src/graph/graph.ts';
import type { OpName, Ops } from '../../src/ops/attrs.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { backendOf, Random, seeds, variants } from './harness.ts';

/** What runs an op of one input, as profiles show it. */
function runs<N extends OpName>(op: N, attrs: Ops[N], dtype: DType, shape: readonly number[] = [2, 4, 6, 6]): string[] {
  const builder = new GraphBuilder();
  const x = newValue('x', dtype, shape);
  const [y] = builder.add(op, [x], attrs, op);
  const plan = compile(builder.finish([x], [{ name: 'y', value: y }]), backendOf('simd'));
  try {
    return plan.steps.map(({ step }) => stepText(step));
  } finally {
    plan.dispose();
  }
}

const window = { kernel: [2, 2], stride: [2, 2], padBegin: [0, 0], padEnd: [0, 0], dilation: [1, 1], ceilMode: false };
const maximum = { ...window, indexBase: 'plane', columnMajor: false } as const;

describe('plain JS says why', () => {
  test.each(['float64', 'float16', 'bfloat16'] as const)('%s', (dtype) => {
    expect(runs('exp', {}, dtype)).toContain(`plain JS: ${dtype}`);
    expect(runs('softmax', { axis: 1 }, dtype)).toContain(`plain JS: ${dtype}`);
    expect(runs('maxPool', { ...maximum, indices: false }, dtype)).toContain(`plain JS: ${dtype}`);
  });

  test('whole numbers, functions without a kernel, indices of maxima', () => {
    expect(runs('abs', {}, 'int8')).toEqual(['plain JS: int8']);
    expect(runs('tan', {}, 'float32')).toEqual(["plain JS: activation 'tan'"]);
    expect(runs('maxPool', { ...maximum, indices: true }, 'float32')).toContain('plain JS: indices of maxima');
    expect(runs('lrn', { size: 65, alpha: 1, beta: 1, bias: 1 }, 'float32')).toContain(
      'plain JS: window of 65 channels',
    );
  });

  test('prims that have no kernel at all', () => {
    expect(runs('cast', { to: 'int32' }, 'float32')).toContain('plain JS: a conversion, one pass over memory');
    const without = Object.entries(allPrims.wasm).filter(([, row]) => row instanceof Declined);
    expect(without.map(([name]) => name)).toEqual(['cast', 'host']);
  });

  test('what has a kernel is named by it', () => {
    expect(runs('exp', {}, 'float32')).toEqual(['unary']);
  });
});

describe.each(variants)('%s', (variant) => {
  test.each(seeds(40))('each algorithm lowers a convolution or says why it cannot (seed %i)', (seed) => {
    const random = new Random(seed);
    const [channels, outChannels] = [random.pick([1, 3, 8, 16]), random.pick([1, 4, 8, 24])];
    const depthwise = random.int(0, 3) === 0;
    const kernel = [1, random.pick([1, 3, 7]), random.pick([1, 3, 7])] as const;
    const stride = [1, random.int(1, 2), random.int(1, 2)] as const;
    const size = random.int(7, 12);
    const attrs: ConvAttrs = {
      batch: 1,
      channels,
      outChannels: depthwise ? channels : outChannels,
      groups: depthwise ? channels : 1,
      input: [1, size, size],
      output: [1, Math.ceil((size - kernel[1] + 1) / stride[1]), Math.ceil((size - kernel[2] + 1) / stride[2])],
      kernel,
      stride,
      dilation: [1, 1, 1],
      padBegin: [0, 0, 0],
      activation: null,
    };
    const backend = backendOf(variant);
    const session = backend.session();
    const place = (...shape: number[]) => {
      const tensor = new Tensor('float32', shape, 'row', null);
      tensor.storage = backend.memory.allocate(tensor.byteLength);
      return tensor;
    };
    const x = place(size * size * channels);
    const weight = place(attrs.outChannels, channels / attrs.groups, ...kernel);
    const y = place(attrs.output[1] * attrs.output[2] * attrs.outChannels);
    const call: PrimCall<'conv'> = { prim: 'conv', inputs: [x, weight, null, null], outputs: [y], attrs };
    const told = JSON.stringify({ seed, ...attrs });
    let ways = 0;
    for (const algorithm of convAlgorithms) {
      const cost = algorithm.cost(call, session);
      if (cost instanceof Declined) {
        expect(cost.why, told).toMatch(/\w/);
        continue;
      }
      ways++;
      const steps = convBy(() => ({ ...chooseConv(call, session), taken: algorithm }))(call, session);
      if (steps instanceof Declined) throw new Error(`${algorithm.name}: ${steps.why} ${told}`);
      expect(stepText(steps[steps.length - 1]), told).toContain(algorithm.name);
      expect(steps[steps.length - 1].others, told).toContain(algorithm.name === 'gemm' ? 'depthwise' : 'gemm');
    }
    expect(ways, told).toBeGreaterThan(0);
    session.dispose();
    for (const tensor of [x, weight, y]) tensor.storage!.free();
  });
});
