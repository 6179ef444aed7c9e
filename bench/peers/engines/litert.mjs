// LiteRT.js is made for browsers and reads .tflite files. It runs in Node if it finds the globals of a web worker.
// tflite.mjs writes the .tflite file from the ONNX graph, beside the model.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { channelsLastShape, toChannelsLast, toRows } from '../layout.mjs';
import { writeTflite } from '../tflite.mjs';

const wasmDir = join(dirname(fileURLToPath(import.meta.resolve('@litertjs/core'))), '../wasm');
const glue = { plain: 'litert_wasm_compat_internal.js', relaxed: 'litert_wasm_internal.js' };

/** Defines the globals that Emscripten's code expects in a worker that loads scripts. */
function pretendWorker() {
  const enter = (file) => Object.assign(globalThis, { __filename: file, __dirname: dirname(file) });
  Object.assign(globalThis, {
    self: globalThis,
    location: { href: `file://${wasmDir}/x.js` },
    require: createRequire(`${wasmDir}/`),
    importScripts(url) {
      const file = url.replace('file://', '');
      enter(file);
      vm.runInThisContext(readFileSync(file, 'utf8'), { filename: file });
    },
  });
  enter(join(wasmDir, 'x.js'));
}

let loading;
async function loadRuntime(relaxed) {
  pretendWorker();
  Object.assign(console, { log() {}, info() {}, warn() {} }); // it reports every delegate
  const litert = await import('@litertjs/core');
  await litert.loadLiteRt(join(wasmDir, glue[relaxed ? 'relaxed' : 'plain']));
  return litert;
}

export async function create({ modelPath, input, outputShape, relaxed }) {
  const file = modelPath.replace(/\.onnx$/, '.tflite');
  if (!existsSync(file)) writeFileSync(file, writeTflite(modelPath, input.shape));
  loading ??= loadRuntime(relaxed);
  const { loadAndCompile, Tensor } = await loading;
  const options = { accelerator: 'wasm', cpuOptions: { numThreads: 1 } };
  const model = await loadAndCompile(new Uint8Array(readFileSync(file)), options);
  const x = new Tensor(toChannelsLast(input.data, input.shape), channelsLastShape(input.shape));
  return {
    async run() {
      const results = await model.run([x]);
      const values = results[0].toTypedArray().slice();
      for (const tensor of results) tensor.delete();
      return values;
    },
    rows: (result) => toRows(result, outputShape),
    dispose() {
      model.delete();
      x.delete();
    },
  };
}
