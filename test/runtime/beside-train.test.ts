// Importing convlet/train changes nothing of what `load` does. This file must not import ops/training.ts statically, nor
// anything that does.
import { expect, test } from 'vitest';
import { supportedVariants } from '../../src/abi/modules.ts';
import { JsBackend } from '../../src/backend/js/backend.ts';
import { jsPrims } from '../../src/backend/js/prims.ts';
import type { PrimName } from '../../src/backend/prims/index.ts';
import { inferenceOps } from '../../src/ops/index.ts';
import { load } from '../../src/runtime/node.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f } from '../io/onnx-run.ts';
import { casesOf, caseValues, runCase, seed } from '../ops/cases.ts';

const [batch, channels, pixels] = [2, 3, 20];
const epsilon = 1e-5;
const momentum = 0.75;

/** A BatchNormalization with training_mode 1: statistics from the batch, new running ones as outputs. */
const bytes = onnx.model(
  {
    nodes: [
      {
        op: 'BatchNormalization',
        inputs: ['x', 'scale', 'bias', 'mean', 'variance'],
        outputs: ['y', 'newMean', 'newVariance'],
        attributes: { training_mode: 1, epsilon: { float: epsilon }, momentum: { float: momentum } },
      },
    ],
    inputs: [f('x', batch, channels, 4, 5)],
    outputs: [f('y', batch, channels, 4, 5), f('newMean', channels), f('newVariance', channels)],
    initializers: [
      onnx.floatTensor('scale', [channels], [1, 2, -0.5]),
      onnx.floatTensor('bias', [channels], [0, 1, -1]),
      onnx.floatTensor('mean', [channels], [0.5, 0, -0.5]),
      onnx.floatTensor('variance', [channels], [1, 2, 3]),
    ],
  },
  15,
);
const x = Float32Array.from({ length: batch * channels * pixels }, (_, i) => Math.sin(i) * 3 + (i % 7));

/** The formula of the ONNX operator in double precision: biased variance, in the running one too. */
function expected(): { y: number[]; newMean: number[]; newVariance: number[] } {
  const y: number[] = new Array(x.length);
  const [scale, bias, mean, variance] = [
    [1, 2, -0.5],
    [0, 1, -1],
    [0.5, 0, -0.5],
    [1, 2, 3],
  ];
  const count = batch * pixels;
  const newMean: number[] = [];
  const newVariance: number[] = [];
  for (let c = 0; c < channels; c++) {
    const places = Array.from({ length: count }, (_, i) => {
      return (Math.floor(i / pixels) * channels + c) * pixels + (i % pixels);
    });
    const m = places.reduce((sum, i) => sum + x[i], 0) / count;
    const v = places.reduce((sum, i) => sum + (x[i] - m) ** 2, 0) / count;
    for (const i of places) y[i] = ((x[i] - m) / Math.sqrt(v + epsilon)) * scale[c] + bias[c];
    newMean.push(mean[c] * momentum + m * (1 - momentum));
    newVariance.push(variance[c] * momentum + v * (1 - momentum));
  }
  return { y, newMean, newVariance };
}

const backends = [{ backend: 'js' }, ...supportedVariants().map((variant) => ({ variant }))] as const;

async function expectRight(): Promise<void> {
  for (const options of backends) {
    const model = await load(bytes, options);
    try {
      const outputs = await model.run({ x: { data: x, shape: [batch, channels, 4, 5] } });
      for (const [name, values] of Object.entries(expected())) {
        const { data } = outputs[name];
        values.forEach((value, i) => {
          expect(Math.abs(Number(data[i]) - value), `${JSON.stringify(options)} ${name}[${i}]`).toBeLessThan(1e-5);
        });
      }
    } finally {
      model.dispose();
    }
  }
}

test('ops of inference are lowered to prims of inference', () => {
  const backend = new JsBackend({ prims: jsPrims });
  const ops = [...inferenceOps.values()];
  expect(ops.length).toBeGreaterThan(50);
  expect(ops.map((op) => op.name)).not.toContain('softmaxGrad');
  for (const op of ops) {
    casesOf(op).forEach((opCase, i) => {
      runCase(backend, op, opCase, caseValues(opCase.inputs, seed + i), 'none', 'row');
    });
  }
});

test('batch norm in training mode, without and with convlet/train in the same process', async () => {
  await expectRight();
  const before = new Map(inferenceOps);
  const prims = Object.keys(jsPrims);
  const train = await import('../../src/runtime/node-train.ts');
  await expectRight();
  expect(inferenceOps).toEqual(before);
  expect(Object.keys(jsPrims)).toEqual(prims);
  (await train.init()).dispose();
  await expectRight();
});

test('a backend of inference has no prims of training, and says so', () => {
  const backend = new JsBackend({ prims: jsPrims });
  const call = { prim: 'softmaxGrad' as PrimName, inputs: [], outputs: [], attrs: {} as never };
  expect(() => backend.session().prepare(call)).toThrow("without the prim 'softmaxGrad'");
});
