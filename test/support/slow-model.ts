import * as onnx from '../io/onnx-builder.ts';
import { f } from '../io/onnx-run.ts';
import { Random } from '../kernels/harness.ts';

/** Four 3×3 convolutions of 64 channels at 96×96: 1.4 GMACs, some 50 ms. */
export function slowModel(): Uint8Array<ArrayBuffer> {
  const random = new Random(3);
  const layers = Array.from({ length: 4 }, (_, i) => i);
  return onnx.model({
    initializers: layers.map((i) =>
      onnx.floatTensor(`w${i}`, [64, 64, 3, 3], [...random.floats(64 * 576, -0.06, 0.06)]),
    ),
    nodes: layers.map((i) => ({
      op: 'Conv',
      inputs: [i === 0 ? 'x' : `a${i - 1}`, `w${i}`],
      outputs: [i === 3 ? 'y' : `a${i}`],
      attributes: { pads: [1, 1, 1, 1] },
    })),
    inputs: [f('x', 1, 64, 96, 96)],
    outputs: [f('y', 1, 64, 96, 96)],
  });
}
