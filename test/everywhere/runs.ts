// How the bundles of each target are run: each gives the probe's report.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../runtime/package.ts';
import { type Browser, reportOf, serveFolder } from './chromium.ts';
import type { Row, Target } from './rows.ts';

export interface Bundle {
  readonly row: Row;
  /** What the tool has written. */
  readonly folder: string;
  /** The model and pictures that programs on Node read. */
  readonly assets: string;
  readonly browser: () => Promise<Browser>;
}

export async function runOnNode(program: string, assets: string, node: string = process.execPath): Promise<unknown> {
  const { code, stdout, stderr } = await run(node, [program, assets], { cwd: assets, timeout: 100_000 });
  if (code !== 0 || stderr !== '') throw new Error(`${program}: status ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

export const runs: { readonly [T in Target]?: (bundle: Bundle) => Promise<unknown> } = {
  node: ({ row, folder, assets }) => runOnNode(join(folder, row.output ?? 'main.js'), assets),
  async browser({ row, folder, browser }) {
    const page = row.output === 'index.html' ? 'index.html' : 'page.html';
    if (page === 'page.html') {
      const script = `<script type="module" src="./${row.output ?? 'main.js'}"></script>`;
      writeFileSync(join(folder, page), `<!doctype html>\n<meta charset="utf-8">\n${script}\n`);
    }
    const server = await serveFolder(folder);
    try {
      return await reportOf(await browser(), `${server.url}/${page}`);
    } finally {
      await server.close();
    }
  },
};
