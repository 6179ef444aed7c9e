// The command line, as a reader of the README would try it: real processes, exit codes and output.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { abiHash } from '../src/abi/generated/abi.ts';
import { writeNpy } from '../src/io/npy.ts';
import { ProtoWriter } from '../src/io/onnx/protobuf-writer.ts';
import { convlet, espcn, file, mobilenet, prepare, relu, samples, shapes, strange } from './cli/program.ts';
import { model, type NodeSpec, valueInfo } from './io/onnx-builder.ts';
import { root, run } from './runtime/package.ts';

prepare();

describe('inspect', () => {
  test('--kernels: what runs each layer, how it was chosen, what else there was', async () => {
    const { code, stdout } = await convlet('inspect', mobilenet, '--kernels', '--json');
    expect(code).toBe(0);
    const { kernels } = JSON.parse(stdout) as { kernels: { op: string; kernel: string; others: string }[] };
    const convs = kernels.filter(({ op, kernel }) => op === 'conv' && kernel !== 'copy');
    expect(convs.length).toBeGreaterThan(5);
    for (const { kernel, others } of convs) {
      expect(kernel).toMatch(/^\w+: (gemm|depthwise|winograd)/);
      expect(others).toMatch(/cannot: |ms/);
    }
    const text = await convlet('inspect', mobilenet, '--kernels');
    expect(text.stdout).toContain('other ways');
    expect(text.stdout).toContain('not one kernel per channel');
  });

  test('npx convlet inspect: a row per layer, and totals', async () => {
    const { code, stdout } = await run('npx', ['convlet', 'inspect', mobilenet]);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'model   torch_jit  opset ai.onnx 11, IR version 6, made by pytorch 1.13.0',
      'input   input  float32 [1,3,64,64]',
      'output  output  float32 [1,10]',
    ]);
    expect(lines[4].split(/ {2,}/)).toEqual(['layer', 'op', 'output', 'parameters', 'MACs', 'est. ms', 'runs']);
    // 3×3, 3 → 8 channels, stride 2 on 64×64, with bias and the clip of ReLU6: 8·27 + 8 parameters, 32·32·8·27 MACs.
    expect(lines[6].split(/ {2,}/).slice(1, 5)).toEqual(['conv+clip', '[1,8,32,32]', '224', '221,184']);
    const rows = lines.slice(6, lines.indexOf('', 6)).map((line) => line.split(/ {2,}/));
    expect(rows.at(-1)!.slice(1, 5)).toEqual(['matmul', '[1,10]', '12,810', '12,800']);
    expect(rows.at(-1)!.at(-1)).toBe('kernel');
    expect(rows.at(-2)!.slice(1)).toEqual(['reshape', '[1,1280]', '0.000', 'no work']);
    expect(rows.filter(([, op]) => op === 'conv+add').length).toBe(4);
    expect(stdout).toMatch(/^time +\d+\.\d\d ms +\(estimated, one thread; --profile measures\)$/m);
    const count = (text: string | undefined): number => Number((text ?? '').replaceAll(',', ''));
    const weighty = rows.filter((row) => row.length === 7);
    const sum = (column: number): number => weighty.reduce((total, row) => total + count(row[column]), 0);
    expect(stdout).toMatch(/^parameters +46,002 +\(179\.7 KB\)$/m);
    expect(sum(3)).toBe(46_002);
    const macs = /^MACs +([\d,]+)$/m.exec(stdout);
    expect(sum(4)).toBe(count(macs?.[1]));
    expect(stdout).toMatch(/^peak memory [\d.]+ KB +\(activations [\d.]+ KB\)$/m);
  });

  test('--json', async () => {
    const { code, stdout } = await convlet('inspect', mobilenet, '--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    const shape = [1, 3, 64, 64];
    expect(report.inputs).toEqual([{ name: 'input', dtype: 'float32', declared: shape, shape }]);
    expect(report.model).toMatchObject({
      irVersion: 6,
      opsets: { 'ai.onnx': 11 },
      producer: 'pytorch 1.13.0',
      properties: {},
    });
    expect(report.outputs).toEqual([{ name: 'output', dtype: 'float32', shape: [1, 10] }]);
    expect(report.totals).toMatchObject({ parameters: 46_002, dynamic: false });
    expect(report.layers[0]).toMatchObject({ op: 'conv+clip', shape: [1, 8, 32, 32], parameters: 224, macs: 221_184 });
    expect(report.layers[0]).toMatchObject({
      dtype: 'float32',
      runs: 'kernel',
      attributes: { stride: [2, 2], groups: 1 },
    });
    const times = (report.layers as { ms: number }[]).map(({ ms }) => ms);
    expect(report.totals.estimatedMilliseconds).toBeCloseTo(times.reduce((total, ms) => total + ms));
    expect(report.totals.estimatedMilliseconds).toBeGreaterThan(0.02);
  });

  test('--shape sets what the model leaves open', async () => {
    const { code, stdout } = await convlet('inspect', relu(), '--shape', 'x=2x2x5x7');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^the-relu +relu +\[2,2,5,7\] +[\d.]+ +kernel$/m);
  });

  test('metadata, names of dimensions, attributes, and what has no kernel', async () => {
    const path = file('described.onnx');
    const ends = {
      inputs: [valueInfo('x', 'float32', ['N', 2, 8, 8]), valueInfo('mask', 'float64', [3])],
      outputs: [valueInfo('y', 'float32', ['N', 2, 4, 4]), valueInfo('z', 'float64', [3])],
    };
    const nodes: NodeSpec[] = [
      {
        op: 'MaxPool',
        inputs: ['x'],
        outputs: ['y'],
        name: 'pool',
        attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      },
      { op: 'Exp', inputs: ['mask'], outputs: ['z'], name: 'double' },
    ];
    const about = new ProtoWriter().string(1, 'classes').string(2, 'cat\ndog').finish();
    const parts = [model({ nodes, ...ends }), new ProtoWriter().bytes(14, about).finish()];
    writeFileSync(path, Buffer.concat(parts));
    const { code, stdout } = await convlet('inspect', path, '--attributes', '--kernels');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +classes: cat dog$/m);
    expect(stdout).toMatch(/^input {3}x {2}float32 \[N,2,8,8\] as \[1,2,8,8\]$/m);
    expect(stdout).toMatch(/^input {3}mask {2}float64 \[3\]$/m);
    expect(stdout).toMatch(/^output {2}y {2}float32 \[N,2,4,4\]$/m);
    expect(stdout).toMatch(/batch 1, as x leaves it open/);
    expect(stdout).toMatch(/^pool +maxPool +\[1,2,4,4\] .*kernel +.*kernel \[2 2\], stride \[2 2\]/m);
    expect(stdout).toMatch(/^double +exp +float64 \[3\] .*plain JS/m);
    expect(stdout).toMatch(/^double +exp +plain JS: float64$/m);
    expect(stdout).toMatch(/^plain JS +1 of 2 layers/m);
  });

  test('nodes that cannot be run: all of them in a table, and exit code 1', async () => {
    const { code, stdout } = await convlet('inspect', strange());
    expect(code).toBe(1);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('2 nodes cannot be run:');
    expect(lines[2].split(/ {2,}/)).toEqual(['node', 'operator', 'domain', 'opset', 'reason']);
    expect(lines.slice(4).map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
      ['first', 'Wobble', 'ai.onnx', '17'],
      ['y', 'Twist', 'org.example', '0'],
    ]);
    const json = await convlet('inspect', strange(), '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout).unsupported).toMatchObject([
      { node: 'first', opType: 'Wobble', opset: 17 },
      { node: 'y', opType: 'Twist', domain: 'org.example' },
    ]);
  });
});

describe('bench', () => {
  test('prints times, and --profile a row per step', async () => {
    const { code, stdout } = await convlet('bench', espcn, '--seconds', '1', '--profile', '--threads', '1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wasm (simd|relaxed), Node [\d.]+$/m);
    expect(stdout).toMatch(/^median [\d.]+ ms {3}min [\d.]+ ms {3}max [\d.]+ ms {3}\(\d+ runs\)$/m);
    expect(stdout).toMatch(/^input input {2}float32 \[1,1,24,24\]$/m);
    expect(stdout).toMatch(/^mean [\d.]+ ms {3}P90 [\d.]+ ms {3}P95 [\d.]+ ms {3}P99 [\d.]+ ms$/m);
    expect(stdout).toMatch(/^load [\d.]+ ms {3}first run [\d.]+ ms$/m);
    expect(stdout).toMatch(/^peak memory [\d.]+ [KM]B {3}\(of the whole process [\d.]+ MB\)$/m);
    expect(stdout).toMatch(/^[\d.]+ MMACs, [\d.]+ GFLOP\/s at the median$/m);
    expect(stdout).toMatch(/^\/f\/f\.0\/Conv +conv +\w+: (?:gemm|winograd\w+).* +[\d.]+ +[\d.]+ % +[\d.]+$/m);
  });

  test("--json, on the js backend and a shape of one's own", async () => {
    const { code, stdout } = await convlet(
      'bench',
      relu(),
      '--shape',
      'x=1x2x8x8',
      '--backend',
      'js',
      '--seconds',
      '1',
      '--json',
    );
    expect(code).toBe(0);
    const figures = JSON.parse(stdout);
    expect(figures).toMatchObject({ backend: 'js', variant: 'plain', node: process.version });
    expect(figures.runs).toBeGreaterThanOrEqual(3);
    expect(figures.min).toBeGreaterThan(0);
    expect(figures.median).toBeGreaterThanOrEqual(figures.min);
    expect(figures.max).toBeGreaterThanOrEqual(figures.median);
    expect(figures.steps).toMatchObject([{ node: 'the-relu', op: 'relu' }]);
    expect(figures.shapes).toEqual({ x: [1, 2, 8, 8] });
  });

  test('--runs and --warmup, the quantiles in their order, and how it is run', async () => {
    const how = ['--leader', 'worker', '--threads', '2', '--precision', 'exact', '--layout', 'channels-last'];
    const { code, stdout } = await convlet('bench', '--runs', '7', '--warmup', '2', '--json', ...how, espcn);
    expect(code).toBe(0);
    const figures = JSON.parse(stdout);
    expect(figures).toMatchObject({ runs: 7, warmup: 2, leader: 'worker', threads: 2, precision: 'exact' });
    expect(figures).toMatchObject({ layout: 'channels-last', shapes: { input: [1, 1, 24, 24] } });
    const { min, median, p90, p95, p99, max, mean, first, load, memory, processPeak } = figures;
    const order: number[] = [min, median, p90, p95, p99, max];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(mean).toBeGreaterThanOrEqual(min);
    expect(mean).toBeLessThanOrEqual(max);
    expect(Math.min(first, load)).toBeGreaterThan(0);
    expect(memory.peak).toBeGreaterThanOrEqual(memory.activations);
    expect(processPeak).toBeGreaterThan(memory.peak);
    const text = await convlet('bench', '--runs', '3', '--warmup', '0', ...how, espcn);
    const head = /^wasm \w+, 2 threads, off the main thread, exact, channels-last, Node [\d.]+$/m;
    expect(text.stdout).toMatch(head);
    expect(text.stdout).toContain('(3 runs)');
  });
});

describe('wrong input: one line on the standard error, exit code 2', () => {
  const broken = (): string => {
    const path = file('broken.onnx');
    writeFileSync(path, readFileSync(espcn).subarray(0, 3000));
    return path;
  };
  const smallNpy = (): string => {
    writeFileSync(file('small.npy'), writeNpy({ dtype: 'float32', shape: [1, 1, 2, 2], data: new Float32Array(4) }));
    return `input=${file('small.npy')}`;
  };
  const picture = (): string => `image=${join(samples, 'star1.png')}`;
  const cases: [name: string, args: () => string[], message: RegExp][] = [
    ['no such model', () => ['inspect', file('none.onnx')], /^convlet: load: cannot read '.*none\.onnx': ENOENT/],
    ['a directory as model', () => ['inspect', file()], /^convlet: load: cannot read .*EISDIR/],
    ['no model at all', () => ['inspect', join(root, 'package.json')], /^convlet: onnx: /],
    ['a truncated model', () => ['bench', broken()], /^convlet: onnx: /],
    ['an unknown input', () => ['run', espcn, '--input', 'foo=x.npy'], /no input 'foo'; its inputs are input/],
    ['no such input file', () => ['run', espcn, '--input', 'input=x.npy'], /^convlet: ENOENT/],
    ['a directory as input file', () => ['run', espcn, '--input', `input=${file()}`], /^convlet: EISDIR/],
    ['an input without a file', () => ['run', espcn, '--input', 'input'], /--input expects NAME=VALUE, got 'input'/],
    ['an input of another shape', () => ['run', espcn, '--input', smallNpy()], /\[1,1,24,24\], got \[1,1,2,2\]/],
    ['a picture that is none', () => ['run', espcn, '--input', `input=${espcn}`], /expected PNG or JPEG/],
    ['--random', () => ['run', file('none.onnx'), '--random', '-1'], /--random expects a whole number ≥ 0, got '-1'/],
    ['--rtol', () => ['run', file('none.onnx'), '--rtol', 'x'], /--rtol expects a number ≥ 0, got 'x'/],
    ['--fit', () => ['run', file('none.onnx'), '--fit', 'x'], /--fit expects stretch or contain or cover, got 'x'/],
    ['--against', () => ['run', file('none.onnx'), '--against', 'gpu'], /--against expects js or simd or relaxed/],
    ['--labels', () => ['run', shapes, '--random', '1', '--labels', file('none.txt')], /^convlet: ENOENT/],
    [
      '--compare with no output',
      () => ['run', espcn, '--random', '1', '--compare', 'z=a.npy'],
      /OUTPUT=FILE, got 'z=a/,
    ],
    ['a shell that is none', () => ['completion', 'cmd'], /completion expects bash or zsh or fish, got 'cmd'/],
    ['--top', () => ['run', espcn, '--input', smallNpy(), '--top', 'x'], /--top expects a whole number/],
    ['--mean', () => ['run', shapes, '--input', picture(), '--mean', '1,,2'], /--mean expects numbers/],
    ['--std', () => ['run', shapes, '--input', picture(), '--std', '1,2'], /std must be a number or 3 numbers/],
    ['--backend', () => ['bench', espcn, '--backend', 'gpu'], /backend expects wasm or js, got gpu/],
    ['--variant', () => ['bench', espcn, '--variant', 'x'], /variant expects auto or simd or relaxed, got x/],
    ['--threads', () => ['bench', espcn, '--threads', '0'], /--threads expects a whole number ≥ 1, got '0'/],
    ['--seconds', () => ['bench', espcn, '--seconds', '-1'], /--seconds expects a whole number ≥ 1, got '-1'/],
    ['--seconds before the model', () => ['bench', '--seconds', 'x', file('none.onnx')], /--seconds expects a whole/],
    ['--warmup', () => ['bench', espcn, '--warmup', '-1'], /--warmup expects a whole number ≥ 0, got '-1'/],
    ['--runs', () => ['bench', espcn, '--runs', '0'], /--runs expects a whole number ≥ 1, got '0'/],
    ['--leader', () => ['bench', espcn, '--leader', 'me'], /leader expects main or worker, got me/],
    ['--precision', () => ['inspect', espcn, '--precision', 'low'], /precision expects fast or exact, got low/],
    ['a shape twice', () => ['inspect', relu(), '--shape', 'x=1x2', 'x=1x2'], /each name once, got 'x' twice/],
    ['an input twice', () => ['run', espcn, '--input', 'input=a', 'input=b'], /each name once, got 'input' twice/],
    ['a shape that is none', () => ['inspect', relu(), '--shape', 'x=1xx'], /--shape expects a shape like/],
    ['a shape of an unknown input', () => ['bench', relu(), '--shape', 'z=1x2x3x4'], /no input 'z'; its inputs are x/],
    ['a shape that does not fit', () => ['inspect', relu(), '--shape', 'x=1x3x4x4'], /\[.*2.*\].*\[1,3,4,4\]/],
    ['an unknown option', () => ['bench', espcn, '--what'], /^error: unknown option '--what'/],
    ['an unknown command', () => ['frobnicate'], /^error: unknown command 'frobnicate'/],
    ['a missing argument', () => ['inspect'], /^error: missing required argument 'model'/],
  ];

  test.concurrent.each(cases)('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await convlet(...args());
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n').length).toBe(1);
    expect(stderr).not.toMatch(/^ +at /m);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

test('run and bench list all nodes that cannot be run', async () => {
  const { code, stdout, stderr } = await convlet('bench', strange());
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^convlet: 2 nodes cannot be run:\n.*'first' \(Wobble,.*\n.*'y' \(Twist,.*\n$/);
});

test('a reader that closes the pipe early is no error', async () => {
  const command = `"${process.execPath}" build/cli/main.js inspect "${mobilenet}" --json | head -n 1`;
  expect(await run('bash', ['-o', 'pipefail', '-c', command])).toEqual({ code: 0, stdout: '{\n', stderr: '' });
});

test('--version: of package and kernels, and what this machine has; --help', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { code, stdout, stderr } = await convlet('--version');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const kernels = (abiHash >>> 0).toString(16).padStart(8, '0');
  expect(stdout).toMatch(
    new RegExp(
      `^convlet ${version} \\(kernels ${kernels}; (simd|relaxed), up to \\d threads?; Node [\\d.]+, \\w+ \\w+\\)\n$`,
    ),
  );
  const help = await convlet('--help');
  expect(help.code).toBe(0);
  for (const command of ['inspect', 'run', 'bench']) expect(help.stdout).toContain(`  ${command} [options] <model>`);
  for (const command of ['doctor', 'completion']) expect(help.stdout).toContain(`  ${command} `);
});
