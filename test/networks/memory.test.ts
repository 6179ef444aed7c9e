import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { product } from '../../src/common/numbers.ts';
import { load } from '../../src/runtime/node.ts';
import { model as build, type NodeSpec, rawTensor } from '../io/onnx-builder.ts';
import { f } from '../io/onnx-run.ts';
import { describeShared } from '../shared.ts';

/** The arena of full-size networks (../shared/bench-models) is hardly larger than what must be live at once. */
describeShared('memory plans', async (shared) => {
  const root = `${shared}bench-models/`;
  const { expand } = (await import(`${root}expand.mjs`)) as { expand(skeleton: Uint8Array): Uint8Array };
  // VGG-16's 550 MB of weights take half a minute to make: it has a test of its own below.
  const files = readdirSync(root).filter((file) => file.endsWith('.skeleton.onnx') && !file.startsWith('vgg'));
  for (const file of files) {
    test(file, { timeout: 60_000 }, async () => {
      const model = await load(expand(readFileSync(root + file)), { backend: 'js' });
      try {
        const { arenaBytes, liveBytes } = model.plan().memory;
        expect(arenaBytes).toBeLessThanOrEqual(1.1 * liveBytes);
      } finally {
        model.dispose();
      }
    });
  }
});

/** VGG-16's convolutions and pools, which decide its plan; the linear layers' weights are narrow, and all are zeros. */
function vgg16(): Uint8Array<ArrayBuffer> {
  const initializers: ReturnType<typeof rawTensor>[] = [];
  const nodes: NodeSpec[] = [];
  let x = 'x';
  const add = (op: string, operands: string[], attributes: NodeSpec['attributes'] = {}): void => {
    const y = `y${nodes.length}`;
    nodes.push({ op, inputs: [x, ...operands], outputs: [y], attributes });
    x = y;
  };
  const weight = (name: string, dims: number[]): string => {
    initializers.push(rawTensor(name, 1, dims, new Uint8Array(4 * product(dims))));
    return name;
  };
  let channels = 3;
  for (const [width, count] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ]) {
    for (let i = 0; i < count; i++) {
      const name = `${nodes.length}`;
      add('Conv', [weight(`w${name}`, [width, channels, 3, 3]), weight(`b${name}`, [width])], { pads: [1, 1, 1, 1] });
      add('Relu', []);
      channels = width;
    }
    add('MaxPool', [], { kernel_shape: [2, 2], strides: [2, 2] });
  }
  add('Flatten', []);
  add('MatMul', [weight('fc', [512 * 7 * 7, 10])]);
  return build({ initializers, nodes, inputs: [f('x', 1, 3, 224, 224)], outputs: [f(x, 1, 10)] });
}

test.each(['js', 'wasm'] as const)('the plan of VGG-16 on %s, and what the model holds', async (backend) => {
  const model = await load(vgg16(), { backend });
  try {
    const { arenaBytes, liveBytes } = model.plan().memory;
    // The first pair of convolutions: 64 channels of 224×224 pixels in, as many out.
    expect(liveBytes).toBe(2 * 4 * 64 * 224 * 224);
    expect(arenaBytes).toBeLessThanOrEqual(1.1 * liveBytes);
    expect(model.memory().activations).toBeLessThanOrEqual(1.1 * liveBytes);
  } finally {
    model.dispose();
  }
});
