// node rollup.mjs ENTRY OUTDIR OPTIONS: with the plugin that finds packages and no other.
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';

const [, , input, dir, options] = process.argv;
const { resolve, output } = JSON.parse(options);
const bundle = await rollup({
  input: { main: input },
  plugins: [nodeResolve(resolve)],
  onLog: (level, log) => level === 'warn' && console.error(log.message),
});
await bundle.write({ dir, ...output });
await bundle.close();
