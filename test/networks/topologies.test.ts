import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { decodeTensorProto } from '../../src/io/onnx/tensor.ts';
import { load } from '../../src/runtime/node.ts';
import { elementCount } from '../../src/tensor/layout.ts';
import { describeShared } from '../shared.ts';
import { assertClose, engines, wasmEngines } from './engines.ts';

/** Real graphs with constant weights (../shared/onnx-light): input x[i] = i / N. */
describeShared('graphs of well-known networks', (shared) => {
  const root = `${shared}onnx-light/`;
  const names = readdirSync(root)
    .filter((file) => file.endsWith('.onnx'))
    .map((file) => file.slice(0, -5));
  // In plain JS the three large ones take longer than the rest of the suite together.
  const slow = ['light_vgg19', 'light_zfnet512', 'light_densenet121'];
  for (const name of names) {
    for (const { name: engine, options } of slow.includes(name) ? wasmEngines : engines) {
      test(`${engine}: ${name}`, { timeout: 120_000 }, async () => {
        const model = await load(`${root}${name}.onnx`, options);
        try {
          const [input] = model.inputs;
          const shape = input.shape!.map((d) => d ?? 1);
          const count = elementCount(shape);
          const data = Float32Array.from({ length: count }, (_, i) => i / count);
          const [output] = Object.values(await model.run({ [input.name]: { data, shape } }));
          const expected = decodeTensorProto(readFileSync(`${root}${name}_output_0.pb`));
          assertClose(name, output.data, expected.data, 1e-3, 1e-5);
        } finally {
          model.dispose();
        }
      });
    }
  }
});
