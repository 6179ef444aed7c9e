// Tests of the relaxed SIMD kernels, if this Node does not have relaxed SIMD: on the Node of CONVLET_NODE24, which .ci/run sets, the
// tests of the kernels' families run once more, with that build only. If this process has relaxed SIMD, they run anyway.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { supports } from '../../src/abi/modules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binary = process.env.CONVLET_NODE24;
const here = supports('relaxed');

test.skipIf(here || (binary === undefined && process.env.CI === undefined))(
  'the families with relaxed SIMD, on Node 24',
  async () => {
    expect(binary, 'CONVLET_NODE24, the path of a Node 24').toBeDefined();
    const vitest = 'node_modules/vitest/vitest.mjs';
    const options = ['--exclude', 'test/kernels/relaxed.test.ts', '--maxWorkers', '1', '--reporter', 'json'];
    // This process is a worker of vitest: with its variables the child would take itself for one.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(?:VITEST|TEST$|NODE_ENV$|NODE_OPTIONS$)/.test(name),
    );
    const env = { ...Object.fromEntries(inherited), CONVLET_VARIANT: 'relaxed' };
    const child = spawn(binary!, [vitest, 'run', 'test/kernels', ...options], { cwd: root, env });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      errors += text;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    const report = JSON.parse(out.slice(out.indexOf('{'))) as Report;
    const failed = report.testResults.flatMap(({ name, message, assertionResults }) => [
      ...(message === '' ? [] : [`${name}: ${message}`]),
      ...assertionResults
        .filter((one) => one.status === 'failed')
        .map((one) => `${one.fullName}\n${one.failureMessages}`),
    ]);
    expect(failed.slice(0, 5), errors).toEqual([]);
    expect(status, errors).toBe(0);
    const names = report.testResults.flatMap(({ assertionResults }) => assertionResults.map((one) => one.fullName));
    expect(names.filter((name) => /\brelaxed\b/.test(name)).length).toBeGreaterThan(100);
    expect(names.filter((name) => /\bsimd\b/.test(name))).toEqual([]);
  },
  300_000,
);

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
