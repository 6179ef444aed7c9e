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
  /** The tool needs a newer Node than the package does. */
  readonly node24?: boolean;
}

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
];
