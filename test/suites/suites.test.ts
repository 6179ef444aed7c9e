import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../src/io/safetensors.ts';
import { floatTensor, model, valueInfo } from '../io/onnx-builder.ts';
import { describeShared } from '../shared.ts';

function suite(name: string, ...args: string[]) {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
    encoding: 'utf8',
  });
  return { status, lines: stdout.trim().split('\n'), stderr };
}

const network = (op: string) =>
  model({
    nodes: [{ op, inputs: ['x'], outputs: ['y'] }],
    inputs: [valueInfo('x', 'float32', [2])],
    outputs: [valueInfo('y', 'float32', [2])],
  });

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'convlet-suites-'));
  const relu = Float32Array.of(0, 3);
  const cases: [name: string, op: string, expected: Float32Array][] = [
    ['good', 'Relu', relu],
    ['bad_value', 'Relu', Float32Array.of(0, 3.01)],
    ['close', 'Relu', Float32Array.of(0.000009, 3.002)],
    ['bad_nan', 'Relu', Float32Array.of(Number.NaN, 3)],
    ['foreign', 'Frobnicate', relu],
  ];
  for (const [name, op, expected] of cases) {
    const set = join(directory, name, 'test_data_set_0');
    mkdirSync(set, { recursive: true });
    writeFileSync(join(directory, name, 'model.onnx'), network(op));
    writeFileSync(join(set, 'input_0.pb'), floatTensor('x', [2], [-1, 3]).finish());
    writeFileSync(join(set, 'output_0.pb'), floatTensor('y', [2], [...expected]).finish());
    writeFileSync(join(directory, `${name}.onnx`), network(op));
    const x = { dtype: 'float32' as const, shape: [2], data: Float32Array.of(-1, 3) };
    const values = new Map([
      ['x', x],
      ['y', { ...x, data: expected }],
    ]);
    writeFileSync(join(directory, `${name}.io.safetensors`), writeSafetensors(values));
  }
  const models = cases.map(([name]) => ({ name, rtol: 1e-3, atol: 1e-5 }));
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ models }));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe.each(['conformance', 'models'])('npm run %s', (name) => {
  it('lists failures, groups what it skips, counts all and exits with 1', () => {
    const { status, lines } = suite(name, directory, '--backend', 'js');
    expect(lines.at(-1)).toBe('2 passed, 2 failed, 1 skipped');
    expect(lines.filter((line) => line.startsWith('FAIL')).map((line) => line.split(':')[0])).toEqual(
      name === 'conformance' ? ['FAIL bad_nan', 'FAIL bad_value'] : ['FAIL bad_value', 'FAIL bad_nan'],
    );
    expect(lines).toContain('skipped 1: operator Frobnicate');
    expect(status).toBe(1);
  });

  it('exits with 0 when nothing failed', () => {
    const { status, lines } = suite(name, directory, '--filter', 'goo');
    expect([status, lines.at(-1)]).toEqual([0, '1 passed, 0 failed, 0 skipped']);
  });

  it('exits with 2 for a missing directory and unknown flags', () => {
    const missing = suite(name, join(directory, 'nowhere'));
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain(`usage: npm run ${name} -- DIR`);
    expect(suite(name, directory, '--frob').status).toBe(2);
  });
});

describeShared('the sets beside the project', (shared) => {
  it.each([
    ['conformance', 'onnx', /^1[0-9]{3} passed, 0 failed, \d\d skipped$/],
    ['models', 'models', /^27 passed, 0 failed, 0 skipped$/],
  ])('%s passes in plain JavaScript', (name, folder, last) => {
    const { lines } = suite(name, join(shared, folder), '--backend', 'js');
    expect(lines.at(-1)).toMatch(last);
  });
});
