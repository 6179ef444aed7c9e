// npx tsx bench/browser/main.ts [--browser chromium|firefox] [--model NAME] [--variant V] [--threads N] [--launches N] [--rounds N] [--runs N]:
// one thread and several in a browser page that is cross-origin isolated, in turns. It prints the ratio of their times, and
// fails where their results differ in a bit. See bench/README.md.
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { browsers, launchBrowser } from '../../test/everywhere/browsers.ts';
import { reportOf } from '../../test/everywhere/chromium.ts';
import { serveModules } from '../../test/everywhere/serve-modules.ts';
import { buildPackage } from '../../test/runtime/package.ts';
// @ts-expect-error plain JavaScript
import { defaultBenchModels, expandModels } from '../peers/models.mjs';

const { values: flags } = parseArgs({
  options: {
    browser: { type: 'string', default: 'chromium' },
    model: { type: 'string', default: 'resnet18' },
    models: { type: 'string', default: defaultBenchModels },
    variant: { type: 'string', default: 'auto' },
    threads: { type: 'string', default: '2' },
    launches: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '10' },
    runs: { type: 'string', default: '5' },
  },
});

interface Report {
  readonly same: boolean;
  /** Milliseconds of each run, by threads. */
  readonly times: { readonly one: number[]; readonly several: number[] };
  readonly leaders: { readonly one: string; readonly several: string };
  readonly agent: string;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

const row = browsers.find(({ name }) => name === flags.browser);
if (row === undefined) throw new Error(`--browser expects ${browsers.map(({ name }) => name).join(' or ')}`);
await buildPackage();
const [{ path, input }] = await expandModels(flags.models, [flags.model]);
const server = await serveModules({ networks: dirname(path), bench: new URL('.', import.meta.url).pathname });
const request = {
  model: `../networks/${basename(path)}`,
  shape: input.shape,
  variant: flags.variant,
  threads: Number(flags.threads),
  rounds: Number(flags.rounds),
  runs: Number(flags.runs),
};
const ratios: number[] = [];
try {
  for (let launch = 0; launch < Number(flags.launches); launch++) {
    const browser = await launchBrowser(row);
    try {
      const address = `${server.url}/isolated/bench/page.html?${encodeURIComponent(JSON.stringify(request))}`;
      const { same, times, leaders, agent } = (await reportOf(browser, address)) as Report;
      if (!same) throw new Error('the results of one thread and of several differ');
      if (launch === 0) console.log(`${agent}\n${flags.model}, variant ${flags.variant}; bits equal`);
      const ratio = median(times.one) / median(times.several);
      ratios.push(ratio);
      const text = (name: string, list: number[]) =>
        `${name} ${median(list).toFixed(2)} ms (fastest ${Math.min(...list).toFixed(2)})`;
      console.log(
        `${text(`1 thread (${leaders.one})`, times.one)}, ${text(`${flags.threads} threads (${leaders.several})`, times.several)}: ${ratio.toFixed(3)} times`,
      );
    } finally {
      await browser.close();
    }
  }
} finally {
  await server.close();
}
console.log(
  `${flags.threads} threads: ${median(ratios).toFixed(3)} times as fast as one (median of ${ratios.length} launches)`,
);
