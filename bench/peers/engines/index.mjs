// Every engine by name: its adapter, the adapter's settings, the flags that Node needs for it, and whether it has no
// threads in Node (tfjs disables them there, LiteRT.js needs a browser's workers) or is native code.
//
// An adapter exports `create({ modelPath, input: { name, shape, data }, outputShape, threads, ...settings })`, which
// resolves to { run, rows, dispose }: `run()` does one inference and reads the result back, in the engine's own layout;
// `rows(result)` is that result as Float32Array in row-major (NCHW) order.
export const engines = {
  convlet: { adapter: 'convlet' },
  'convlet-simd': { adapter: 'convlet', settings: { variant: 'simd' } },
  'convlet-relaxed': { adapter: 'convlet', settings: { variant: 'relaxed' } },
  'convlet-2t': { adapter: 'convlet', settings: { threads: 2 } },
  'convlet-js': { adapter: 'convlet', settings: { backend: 'js' } },
  'onnxruntime-web': { adapter: 'onnxruntime-web' },
  'tfjs-wasm': { adapter: 'tfjs', settings: { backend: 'wasm' }, oneThread: true },
  'tfjs-cpu': { adapter: 'tfjs', settings: { backend: 'cpu' }, oneThread: true },
  litert: { adapter: 'litert', settings: { relaxed: false }, oneThread: true },
  'litert-relaxed': {
    adapter: 'litert',
    settings: { relaxed: true },
    flags: ['--experimental-wasm-relaxed-simd'],
    oneThread: true,
  },
  'onnxruntime-node': { adapter: 'onnxruntime-node', native: true },
};

export const defaultEngines = [
  'convlet',
  'onnxruntime-web',
  'tfjs-wasm',
  'litert',
  'litert-relaxed',
  'onnxruntime-node',
];

/** Flags for an engine on a Node of this major version; later versions have relaxed SIMD enabled. */
export const nodeFlags = (name, major) => (major < 22 ? (engines[name].flags ?? []) : []);

/** Resolves to the engine's `create`, with its settings filled in. */
export async function importEngine(name) {
  const { adapter, settings } = engines[name];
  const { create } = await import(`./${adapter}.mjs`);
  return (given) => create({ ...given, ...settings });
}
