// Which bundler makes a bundle for which runtime, with which of its options. Every row is tried with sharp installed and without.

/** What runs the bundle. */
export type Target = 'node' | 'browser' | 'workerd' | 'next';

export interface Row {
  /** Has a script in tools/, which makes of an entry a folder. */
  readonly tool: string;
  readonly target: Target;
  /** What tells this row from others of the tool and target. */
  readonly name: string;
  /** What the script gets: options of the tool's own. */
  readonly options: object;
  /** The bundle's file to run or to load in a page; default main.js. A page of its own is index.html. */
  readonly output?: string;
  /** Packages of this folder that the application has besides, with what they need. */
  readonly packages?: readonly string[];
  /** What the application's package.json says besides. */
  readonly description?: object;
  /** The tool needs a newer Node than the package does. */
  readonly node24?: boolean;
}

/** Parcel reads `exports` of packages only where the application says so. */
const parcel = { '@parcel/resolver-default': { packageExports: true } };

export const rows: readonly Row[] = [
  {
    tool: 'esbuild',
    target: 'node',
    name: 'ESM',
    options: { platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' } },
    output: 'main.mjs',
  },
  {
    tool: 'esbuild',
    target: 'node',
    name: 'CommonJS',
    options: { platform: 'node', format: 'cjs', outExtension: { '.js': '.cjs' } },
    output: 'main.cjs',
  },
  { tool: 'esbuild', target: 'browser', name: 'ESM, chunks', options: { format: 'esm', splitting: true } },
  { tool: 'esbuild', target: 'browser', name: 'one file', options: { format: 'iife' } },

  {
    tool: 'webpack',
    target: 'node',
    name: 'CommonJS',
    options: { target: 'node', output: { filename: 'main.cjs' } },
    output: 'main.cjs',
  },
  {
    tool: 'webpack',
    target: 'node',
    name: 'ESM, not minified',
    options: {
      target: 'node20',
      optimization: { minimize: false },
      experiments: { outputModule: true },
      output: { module: true, chunkFormat: 'module', filename: 'main.mjs' },
    },
    output: 'main.mjs',
  },
  // Without its advice to split what is larger than 244 KiB.
  { tool: 'webpack', target: 'browser', name: 'script', options: { target: 'web', performance: { hints: false } } },
  {
    tool: 'rollup',
    target: 'node',
    name: 'ESM',
    options: {
      resolve: { exportConditions: ['node'], preferBuiltins: true },
      output: { format: 'es', entryFileNames: 'main.mjs' },
    },
    output: 'main.mjs',
  },
  {
    tool: 'rollup',
    target: 'node',
    name: 'CommonJS',
    options: {
      resolve: { exportConditions: ['node'], preferBuiltins: true },
      output: { format: 'cjs', entryFileNames: 'main.cjs', chunkFileNames: '[name]-[hash].cjs' },
    },
    output: 'main.cjs',
  },
  {
    tool: 'rollup',
    target: 'browser',
    name: 'ESM',
    options: { resolve: { browser: true }, output: { format: 'es' } },
  },
  { tool: 'vite', target: 'browser', name: 'page', options: {}, output: 'index.html' },
  {
    tool: 'vite',
    target: 'node',
    name: 'server',
    options: { ssr: { noExternal: true } },
    output: 'node.js',
  },
  { tool: 'parcel', target: 'browser', name: 'page', options: {}, description: parcel, output: 'index.html' },
  {
    tool: 'parcel',
    target: 'node',
    name: 'ESM',
    options: {},
    description: {
      ...parcel,
      targets: { node: { context: 'node', outputFormat: 'esmodule', includeNodeModules: true, distDir: 'dist' } },
    },
    output: 'node.js',
  },
  { tool: 'wrangler', target: 'workerd', name: 'Worker', options: {}, node24: true },
  {
    tool: 'next',
    target: 'next',
    name: 'Turbopack',
    options: { flags: [] },
    packages: ['next', 'react', 'react-dom'],
  },
  {
    tool: 'next',
    target: 'next',
    name: 'webpack',
    options: { flags: ['--webpack'] },
    packages: ['next', 'react', 'react-dom'],
    node24: true,
  },
];
