// The one table of sizes that the package keeps: tests hold it, ARCHITECTURE.md prints it.

export interface Size {
  readonly what: string;
  /** At most so many bytes. */
  readonly bytes: number;
  readonly how: string;
}

export const sizes = {
  javascript: {
    what: "JavaScript of `import { load } from 'convlet'`",
    bytes: 100 * 1024,
    how: 'bundled and minified by esbuild for browsers and for workerd, all files, gzip -9',
  },
  kernels: {
    what: 'each build of the kernels for inference',
    bytes: 28 * 1024,
    how: 'a file of the same bundles (of two builds a page fetches one), gzip -9',
  },
  declarations: {
    what: 'declaration of `convlet`',
    bytes: 32 * 1024,
    how: '`build/index.d.ts` as it is',
  },
  unpacked: {
    what: 'the package as installed, without its dependencies',
    bytes: 2e6,
    how: '`npm pack`, all files',
  },
} as const satisfies { readonly [name: string]: Size };
