// `convlet run`: files and random numbers in, what is printed, comparisons.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodePng } from '../../src/io/images/index.ts';
import { readNpy, writeNpy } from '../../src/io/npy.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { int64Tensor, model, valueInfo } from '../io/onnx-builder.ts';
import { assertClose } from '../networks/engines.ts';
import { models } from '../runtime/package.ts';
import { convlet, espcn, file, pair, prepare, samples, shapes } from './program.ts';

prepare();

describe('run', () => {
  test.each(['star1.png', 'circle3.jpg'])('on the picture %s, with labels', async (name) => {
    const labels = file('labels.txt');
    writeFileSync(labels, 'circle\nsquare\ntriangle\nstar\ncross\n');
    const input = `image=${join(samples, name)}`;
    const { code, stdout } = await convlet('run', shapes, '--input', input, '--labels', labels, '--top', '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^probabilities {2}float32 \[1,5\]$/m);
    const rows = stdout.split('\n').filter((line) => /^ *\d/.test(line) && !line.includes(' ms '));
    expect(rows.length).toBe(2);
    const [index, value, label] = rows[0].trim().split(/ +/);
    expect(label).toBe(name.replace(/\d.*/, ''));
    expect(['circle', 'square', 'triangle', 'star', 'cross'][Number(index)]).toBe(label);
    expect(Number(value)).toBeGreaterThan(0.5);
    expect(stdout).toMatch(/^[\d.]+ ms \(wasm, (simd|relaxed);/m);
  });

  test('pictures are scaled to the size of the input, and --scale, --mean, --std and --bgr are applied', async () => {
    const path = file('identity.onnx');
    const shape = [1, 3, 2, 4];
    const nodes = [{ op: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }];
    const initializers = [int64Tensor('shape', [4], shape)];
    const ends = { inputs: [valueInfo('x', 'float32', shape)], outputs: [valueInfo('y', 'float32', shape)] };
    writeFileSync(path, model({ nodes, initializers, ...ends }));
    const data = Uint8Array.from({ length: 8 * 4 * 3 }, (_, i) => [10, 20, 40][i % 3]);
    writeFileSync(file('flat.png'), encodePng({ data, width: 8, height: 4, channels: 3 }));
    const options = ['--scale', '0.5', '--mean', '1,2,3', '--std', '2', '--bgr', '--output', file('scaled')];
    const { code, stderr } = await convlet('run', path, '--input', `x=${file('flat.png')}`, ...options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const output = readNpy(new Uint8Array(readFileSync(file('scaled/y.npy'))));
    expect(output.shape).toEqual(shape);
    expect([0, 8, 16].map((i) => output.data[i])).toEqual([(20 - 1) / 2, (10 - 2) / 2, (5 - 3) / 2]);
  });

  test.each(['wasm', 'js'])('on a .npy file with --backend %s; --output writes .npy files', async (backend) => {
    const tensors = readSafetensors(readFileSync(join(models, 'espcn_bicubic.io.safetensors')));
    writeFileSync(file('input.npy'), writeNpy(tensors.get('input')!));
    const to = file(`out-${backend}`);
    const args = ['--input', `input=${file('input.npy')}`, '--output', to, '--backend', backend];
    const { code, stdout } = await convlet('run', espcn, ...args);
    expect(code).toBe(0);
    expect(stdout).toContain(`(${backend}, `);
    expect(readdirSync(to)).toEqual(['output.npy']);
    const output = readNpy(new Uint8Array(readFileSync(join(to, 'output.npy'))));
    const expected = tensors.get('output')!;
    expect([output.dtype, output.shape]).toEqual(['float32', expected.shape]);
    assertClose('output', output.data as Float32Array, expected.data as Float32Array, 1e-3, 4e-4);
  });

  /** x → x as it is. */
  const identity = (shape: readonly (number | string)[]): string => {
    const path = file(`identity-${shape.join('-')}.onnx`);
    const ends = { inputs: [valueInfo('x', 'float32', shape)], outputs: [valueInfo('y', 'float32', shape)] };
    writeFileSync(path, model({ nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }], ...ends }));
    return path;
  };
  const npy = (name: string, shape: readonly number[], values: readonly number[]): string => {
    writeFileSync(file(name), writeNpy({ dtype: 'float32', shape: [...shape], data: Float32Array.from(values) }));
    return file(name);
  };
  const grey = (name: string, width: number, height: number, values: readonly number[]): string => {
    writeFileSync(file(name), encodePng({ data: Uint8Array.from(values), width, height, channels: 1 }));
    return file(name);
  };

  test('numbers have six digits, and what is no number is counted', async () => {
    const values = npy('values.npy', [1, 6], [1 / 3, 2e-7, 12, Number.NaN, -Infinity, 1e10]);
    const { code, stdout } = await convlet('run', identity([1, 6]), '--input', `x=${values}`, '--top', '3');
    expect(code).toBe(0);
    expect(stdout).toContain('min -Infinity  max 1e+10  mean -Infinity  NaN 1 of 6\n');
    const rows = stdout.split('\n').filter((line) => /^ *\d+ {2}/.test(line));
    expect(rows.map((row) => row.trim().split(/ +/))).toEqual([
      ['5', '1e+10'],
      ['2', '12'],
      ['0', '0.333333'],
    ]);
  });

  test('--json', async () => {
    const values = npy('json.npy', [1, 4], [0.5, Number.NaN, Infinity, -2]);
    const args = ['--input', `x=${values}`, '--json', '--top', '2', '--backend', 'js'];
    const { code, stdout } = await convlet('run', identity([1, 4]), ...args);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ backend: 'js', variant: 'plain', comparisons: [] });
    expect(report.outputs.y).toEqual({
      ...{ dtype: 'float32', shape: [1, 4], min: -2, max: 'Infinity', mean: 'Infinity', nan: 1 },
      top: [
        { index: 2, value: 'Infinity' },
        { index: 0, value: 0.5 },
      ],
      data: [0.5, 'NaN', 'Infinity', -2],
    });
    const large = await convlet('run', identity([1, 10_001]), '--random', '1', '--json');
    expect(JSON.parse(large.stdout).outputs.y.data).toBeUndefined();
  });

  test('--random: the same numbers for a seed, others for each input', async () => {
    const values = async (...args: string[]): Promise<number[]> => {
      const { code, stdout, stderr } = await convlet('run', ...args, '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout).outputs.y.data;
    };
    const first = await values(identity([1, 8]), '--random', '3');
    expect(first.length).toBe(8);
    expect(await values('--random', '3', identity([1, 8]))).toEqual(first);
    const second = await values(identity([1, 8]), '--random', '4');
    expect(second).not.toEqual(first);
    const zeros = npy('zeros.npy', [1, 1, 2, 4], new Array(8).fill(0));
    // The size of b is that of a: N, H and W are known from the file.
    const b = await values(pair(), '--input', `a=${zeros}`, '--random', '3');
    const sum = await values(pair(), '--shape', 'a=1x1x2x4', '--random', '3');
    expect(b).toEqual(second);
    expect(sum).not.toEqual(first.map((value) => 2 * value));
    expect((await convlet('run', pair(), '--random', '3')).stderr).toContain('give --shape a=1x1x480x640 --shape b=');
  });

  test('--compare: the same, another value, another shape', async () => {
    const input = ['--input', `x=${npy('x.npy', [2, 2], [1, 2, 3, 4])}`];
    const near = npy('near.npy', [2, 2], [1, 2, 3.002, 4]);
    const same = await convlet('run', identity([2, 2]), ...input, '--compare', near);
    expect(same.code).toBe(0);
    expect(same.stdout).toContain(`y against ${near}: same, 0 of 4 elements beyond 1e-5 + 0.001 · |expected|`);
    expect(same.stdout).toContain('greatest difference 0.002 at [1,0]: 3, expected 3.0020001; relative 0.000666');
    const strict = await convlet(
      'run',
      identity([2, 2]),
      ...input,
      '--rtol',
      '1e-4',
      '--compare',
      `y=${near}`,
      '--json',
    );
    expect(strict.code).toBe(1);
    const [found] = JSON.parse(strict.stdout).comparisons;
    expect(found).toMatchObject({ output: 'y', same: false, different: 1, at: [1, 0], rtol: 1e-4, atol: 1e-5 });
    const loose = await convlet('run', identity([2, 2]), ...input, '--rtol', '0', '--atol', '0.01', '--compare', near);
    expect(loose.code).toBe(0);
    const other = await convlet('run', identity([2, 2]), ...input, '--compare', npy('other.npy', [4], [1, 2, 3, 4]));
    expect(other.code).toBe(1);
    expect(other.stdout).toContain('DIFFERENT, shape [2,2], expected [4]');
  });

  test('--compare: NaN is like NaN, an infinity like itself, and neither like a number', async () => {
    const at = async (value: number, expected: number): Promise<number> => {
      const input = `x=${npy('odd-x.npy', [1, 1], [value])}`;
      return (await convlet('run', identity([1, 1]), '--input', input, '--compare', npy('odd.npy', [1, 1], [expected])))
        .code;
    };
    expect(await at(Number.NaN, Number.NaN)).toBe(0);
    expect(await at(Infinity, Infinity)).toBe(0);
    expect(await at(-Infinity, Infinity)).toBe(1);
    expect(await at(1, Number.NaN)).toBe(1);
    expect(await at(Number.NaN, 1)).toBe(1);
    expect(await at(1, Infinity)).toBe(1);
  });

  test.each(['js', 'simd'])('--against %s', async (engine) => {
    const { code, stdout } = await convlet('run', espcn, '--random', '5', '--against', engine, '--json');
    expect(code).toBe(0);
    const [found] = JSON.parse(stdout).comparisons;
    expect(found).toMatchObject({ output: 'output', same: true, different: 0 });
    expect(found.against).toBe(engine === 'js' ? 'js plain' : 'wasm simd');
    expect(found.elements).toBeGreaterThan(1000);
    // Plain JS sums in another order: a comparison that is too strict finds it.
    const strict = await convlet('run', espcn, '--random', '5', '--against', 'js', '--rtol', '0', '--atol', '0');
    expect(strict.code).toBe(1);
    expect(strict.stdout).toContain('DIFFERENT');
  });

  test('--fit: stretch, contain with margins, cover without the edges', async () => {
    const picture = `x=${grey('wide.png', 4, 2, [0, 100, 100, 200, 0, 100, 100, 200])}`;
    const values = async (...args: string[]): Promise<number[]> => {
      const { stdout } = await convlet(
        'run',
        identity([1, 1, 4, 4]),
        '--input',
        picture,
        '--scale',
        '1',
        '--json',
        ...args,
      );
      return JSON.parse(stdout).outputs.y.data;
    };
    const row = [0, 100, 100, 200];
    expect(await values()).toEqual([...row, ...row, ...row, ...row]);
    expect(await values('--fit', 'stretch')).toEqual(await values());
    const margin = [9, 9, 9, 9];
    expect(await values('--fit', 'contain', '--pad', '9')).toEqual([...margin, ...row, ...row, ...margin]);
    const covered = await values('--fit', 'cover');
    // Twice as large, the outer two of eight columns on each side cut off.
    const [a, b, c, d] = covered;
    expect(covered).toEqual([0, 1, 2, 3].flatMap(() => [a, b, c, d]));
    expect([b, c]).toEqual([100, 100]);
    expect(a).toBeGreaterThan(50);
    expect(d).toBeLessThan(150);
  });

  test('a picture has its own size where the model leaves it open, or that of --shape', async () => {
    const picture = `x=${grey('open.png', 3, 2, [1, 2, 3, 4, 5, 6])}`;
    const path = identity([1, 1, 'H', 'W']);
    const shape = async (...args: string[]): Promise<number[]> =>
      JSON.parse((await convlet('run', path, '--input', picture, '--json', ...args)).stdout).outputs.y.shape;
    expect(await shape()).toEqual([1, 1, 2, 3]);
    expect(await shape('--shape', 'x=1x1x4x5')).toEqual([1, 1, 4, 5]);
    expect(await shape('--shape', '1x1x6x7', '--random', '1')).toEqual([1, 1, 6, 7]);
  });

  test('a shape that nothing takes is refused', async () => {
    const input = ['--input', `x=${npy('shaped.npy', [1, 1, 2, 3], [1, 2, 3, 4, 5, 6])}`];
    const path = identity([1, 1, 'H', 'W']);
    const other = await convlet('run', path, ...input, '--shape', 'x=1x1x3x2');
    expect(other.code).toBe(2);
    expect(other.stderr).toBe('convlet: --shape x expects [1,1,3,2], the file has [1,1,2,3]\n');
    const unknown = await convlet('run', path, ...input, '--shape', 'z=1x1x2x3');
    expect(unknown.stderr).toBe("convlet: --shape: the model has no input 'z'; its inputs are x\n");
    expect((await convlet('run', path, ...input, '--shape', 'x=1x1x2x3')).code).toBe(0);
  });

  test('an input without a file is named with its type and shape', async () => {
    const { code, stdout, stderr } = await convlet('run', pair(), '--input', `a=${npy('a.npy', [1, 1, 1, 1], [1])}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('convlet: run: no file for b (float32 [N,1,H,W]): give --input b=FILE, or --random SEED\n');
    const none = await convlet('run', shapes);
    expect(none.stderr).toContain('no file for image (float32 [1,3,32,32]): give --input image=FILE');
  });
});
