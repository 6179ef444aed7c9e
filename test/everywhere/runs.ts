// How the bundles of each target are run, and what they report.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../runtime/package.ts';
import { type Browser, reportOf, serveFolder } from './chromium.ts';
import type { Row, Target } from './rows.ts';
import { getJson, startNext, startWorker } from './servers.ts';

export interface Bundle {
  readonly row: Row;
  /** What the tool has written. */
  readonly folder: string;
  /** The model and pictures that programs on Node read. */
  readonly assets: string;
  readonly browser: () => Promise<Browser>;
  /** That the tool ran on. */
  readonly node: string;
}

/** What ran the probe, and so what it must have found. */
export type Runtime = 'node' | 'browser' | 'workerd' | 'edge';
export interface Found {
  readonly runtime: Runtime;
  readonly report: unknown;
}

export async function runOnNode(program: string, assets: string, node: string): Promise<unknown> {
  const { code, stdout, stderr } = await run(node, [program, assets], { cwd: assets, timeout: 100_000 });
  if (code !== 0 || stderr !== '') throw new Error(`${program}: status ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

export const runs: { readonly [T in Target]: (bundle: Bundle) => Promise<Found[]> } = {
  async node({ row, folder, assets }) {
    return [{ runtime: 'node', report: await runOnNode(join(folder, row.output!), assets, process.execPath) }];
  },
  async browser({ row, folder, browser }) {
    const page = row.output === 'index.html' ? 'index.html' : 'page.html';
    if (page === 'page.html') {
      const script = `<script type="module" src="./${row.output ?? 'main.js'}"></script>`;
      writeFileSync(join(folder, page), `<!doctype html>\n<meta charset="utf-8">\n${script}\n`);
    }
    const server = await serveFolder(folder);
    try {
      return [{ runtime: 'browser', report: await reportOf(await browser(), `${server.url}/${page}`) }];
    } finally {
      await server.close();
    }
  },
  async workerd({ folder }) {
    const server = await startWorker(folder);
    try {
      return [{ runtime: 'workerd', report: await getJson(server.url) }];
    } finally {
      await server.stop();
    }
  },
  async next({ folder, browser, node }) {
    const server = await startNext(folder, node);
    try {
      const edge = (await getJson(`${server.url}/api/edge`)) as Record<string, object>;
      // The build that the entry lacks, where Next's Node can run it.
      const relaxed =
        node === process.execPath ? {} : ((await getJson(`${server.url}/api/relaxed`)) as Record<string, object>);
      for (const part of Object.keys(relaxed)) Object.assign(edge[part], relaxed[part]);
      return [
        { runtime: 'node', report: await getJson(`${server.url}/probe/node`) },
        { runtime: 'edge', report: edge },
        { runtime: 'browser', report: await reportOf(await browser(), `${server.url}/probe/page`) },
      ];
    } finally {
      await server.stop();
    }
  },
};
