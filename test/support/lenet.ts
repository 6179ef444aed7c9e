import { product } from '../../src/common/numbers.ts';
import { floatTensor, model } from '../io/onnx-builder.ts';
import { f } from '../io/onnx-run.ts';
import { Random } from '../kernels/harness.ts';

/** Bytes of a small network (LeNet-5's layers, seeded weights): conv, pool, conv, pool, three linear layers, softmax. */
export function lenet(batch: number | string = 1): Uint8Array<ArrayBuffer> {
  const random = new Random(5);
  const weight = (name: string, dims: number[], inputs: number) => {
    const bound = 1 / Math.sqrt(inputs);
    const size = product(dims);
    return floatTensor(name, dims, [...random.floats(size, -bound, bound)]);
  };
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  return model({
    initializers: [
      weight('w1', [6, 1, 5, 5], 25),
      weight('w2', [16, 6, 5, 5], 150),
      weight('w3', [120, 256], 256),
      weight('w4', [84, 120], 120),
      weight('w5', [10, 84], 84),
    ],
    nodes: [
      { op: 'Conv', inputs: ['x', 'w1'], outputs: ['a1'] },
      { op: 'Relu', inputs: ['a1'], outputs: ['b1'] },
      { op: 'MaxPool', inputs: ['b1'], outputs: ['c1'], attributes: pool },
      { op: 'Conv', inputs: ['c1', 'w2'], outputs: ['a2'] },
      { op: 'Relu', inputs: ['a2'], outputs: ['b2'] },
      { op: 'MaxPool', inputs: ['b2'], outputs: ['c2'], attributes: pool },
      { op: 'Flatten', inputs: ['c2'], outputs: ['d'] },
      { op: 'Gemm', inputs: ['d', 'w3'], outputs: ['e'], attributes: { transB: 1 } },
      { op: 'Relu', inputs: ['e'], outputs: ['g'] },
      { op: 'Gemm', inputs: ['g', 'w4'], outputs: ['h'], attributes: { transB: 1 } },
      { op: 'Relu', inputs: ['h'], outputs: ['i'] },
      { op: 'Gemm', inputs: ['i', 'w5'], outputs: ['j'], attributes: { transB: 1 } },
      { op: 'Softmax', inputs: ['j'], outputs: ['y'] },
    ],
    inputs: [f('x', batch, 1, 28, 28)],
    outputs: [f('y', batch, 10)],
  });
}
