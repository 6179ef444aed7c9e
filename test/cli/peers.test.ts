// `convlet bench --compare`: other engines where they are installed. The package here is a stand-in with their interface, which
// runs the network with convlet's plain JS.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { int64Tensor, model, valueInfo } from '../io/onnx-builder.ts';
import { type Finished, root, run } from '../runtime/package.ts';
import { espcn, file, prepare } from './program.ts';

prepare();

const installed = (...args: string[]): Promise<Finished> =>
  run(process.execPath, [join(root, 'build/cli/main.js'), 'bench', '--seconds', '1', ...args], { cwd: file() });

beforeAll(() => {
  const convlet = JSON.stringify(pathToFileURL(join(root, 'build/runtime/node.js')).href);
  const put = (name: string, error: string): void => {
    const folder = file(`node_modules/${name}`);
    mkdirSync(folder, { recursive: true });
    const about = { name, version: '9.8.7', type: 'module', exports: './index.mjs' };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(about));
    writeFileSync(
      join(folder, 'index.mjs'),
      `import { load } from ${convlet};
export const env = { wasm: {} };
export class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } }
const given = ({ type, data, dims }) => {
  if (type === 'int64' && !(data instanceof BigInt64Array)) throw new Error('int64 expects BigInt64Array');
  return { data: type === 'int64' ? Array.from(data, Number) : data, shape: dims };
};
export const InferenceSession = {
  async create(path, options) {
    console.error(JSON.stringify({ options, threads: env.wasm.numThreads }));
    const network = await load(path, { backend: 'js' });
    return {
      async run(feeds) {
        const outputs = await network.run(Object.fromEntries(Object.entries(feeds).map(([k, v]) => [k, given(v)])));
        return Object.fromEntries(Object.entries(outputs).map(([k, { shape, data }]) => [k, { dims: shape, data: data.map((v) => v + ${error}) }]));
      },
      async release() { network.dispose(); },
    };
  },
};
`,
    );
  };
  put('onnxruntime-node', '0');
  put('onnxruntime-web', '0.5');
});

describe('bench --compare', () => {
  test('times of both in turns, and whether they agree', async () => {
    const { code, stdout, stderr } = await installed(espcn, '--compare', 'onnxruntime-node,onnxruntime-web', '--json');
    expect(code).toBe(0);
    const { peers, median } = JSON.parse(stdout) as { peers: { [key: string]: number }[]; median: number };
    expect(peers).toMatchObject([
      { name: 'onnxruntime-node', version: '9.8.7' },
      { name: 'onnxruntime-web', version: '9.8.7' },
    ]);
    for (const peer of peers) {
      // Plain JS is much slower than the kernels.
      expect(peer.median).toBeGreaterThan(1.5 * peer.own);
      expect(peer.own).toBeLessThan(20 * median);
      expect(peer.runs).toBeGreaterThanOrEqual(8);
    }
    expect(peers[0].difference).toBeLessThan(1e-4);
    expect(peers[1].difference).toBeGreaterThan(0.01);
    const options = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(options).toMatchObject([
      { options: { executionProviders: ['cpu'], intraOpNumThreads: 1 } },
      { options: { executionProviders: ['wasm'] }, threads: 1 },
    ]);
  });

  test('int64 inputs, and a line for each engine', async () => {
    const path = file('indices.onnx');
    const nodes = [
      { op: 'Reshape', inputs: ['x', 'shape'], outputs: ['flat'] },
      { op: 'Gather', inputs: ['flat', 'i'], outputs: ['y'] },
    ];
    const inputs = [valueInfo('x', 'float32', [2, 3]), valueInfo('i', 'int64', [4])];
    const outputs = [valueInfo('y', 'float32', [4])];
    writeFileSync(path, model({ nodes, inputs, outputs, initializers: [int64Tensor('shape', [1], [6])] }));
    const { code, stdout } = await installed(path, '--compare', 'onnxruntime-node', '--threads', '2');
    expect(code).toBe(0);
    const line =
      /^onnxruntime-node 9\.8\.7: median [\d.]+ ms, [\d.]+ × as (long|fast) \(\d+ runs, in turns with convlet's [\d.]+ ms; outputs within 0 of/m;
    expect(stdout).toMatch(line);
  });

  test('what is not installed, or not known', async () => {
    const away = await run(
      process.execPath,
      [join(root, 'build/cli/main.js'), 'bench', espcn, '--compare', 'onnxruntime-web'],
      {
        cwd: root,
      },
    );
    expect(away.code).toBe(2);
    expect(away.stderr).toBe(
      'convlet: --compare: onnxruntime-web is not installed here: npm install onnxruntime-web\n',
    );
    const unknown = await installed(file('none.onnx'), '--compare', 'tensorflow');
    expect(unknown.stderr).toMatch(
      /^convlet: --compare expects onnxruntime-node or onnxruntime-web .*got 'tensorflow'/,
    );
    expect(unknown.code).toBe(2);
  });
});
