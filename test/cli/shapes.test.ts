// Which shapes the inputs of a model get, and where options stand.
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { model, valueInfo } from '../io/onnx-builder.ts';
import { convlet, file, pair, prepare, relu } from './program.ts';

prepare();

describe('shapes', () => {
  const names = (stdout: string): unknown => (JSON.parse(stdout) as { inputs: unknown }).inputs;

  test('options may come before the model, several values after one option or each after its own', async () => {
    const given = ['a=1x1x4x5', 'b=1x1x4x5'];
    for (const args of [
      ['--shape', ...given, pair(), '--json'],
      ['--json', '--shape', given[0], '--shape', given[1], pair()],
      [pair(), '--json', '--shape', ...given],
    ]) {
      const { code, stdout, stderr } = await convlet('inspect', ...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(names(stdout)).toMatchObject(['a', 'b'].map((name) => ({ name, shape: [1, 1, 4, 5] })));
    }
  });

  test('a size given once goes for all dimensions of its name', async () => {
    const { stdout } = await convlet('inspect', pair(), '--shape', 'a=2x1x4x5', '--json');
    expect(names(stdout)).toMatchObject([
      { shape: [2, 1, 4, 5] },
      { shape: [2, 1, 4, 5], declared: ['N', 1, 'H', 'W'] },
    ]);
  });

  test('the only input needs no name', async () => {
    const { stdout } = await convlet('inspect', '--shape', '3x2x4x5', relu(), '--json');
    expect(names(stdout)).toMatchObject([{ name: 'x', shape: [3, 2, 4, 5] }]);
  });

  test.each(['inspect', 'bench'])(
    '%s asks for what the model leaves open, with an option that does',
    async (command) => {
      const { code, stdout, stderr } = await convlet(command, relu());
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      const text = `convlet: ${command}: x [N,2,H,W] leaves its size open: give --shape x=1x2x480x640\n`;
      expect(stderr).toBe(text);
      const both = await convlet(command, pair());
      expect(both.stderr).toContain('a [N,1,H,W] and b [N,1,H,W] leave their sizes open');
      expect(both.stderr).toContain('give --shape a=1x1x480x640 --shape b=1x1x480x640');
    },
  );

  test('an input whose rank is open, and one with an odd name', async () => {
    const path = file('anything.onnx');
    const anyShape = valueInfo('any', 'float32', []);
    writeFileSync(
      path,
      model({
        nodes: [{ op: 'Add', inputs: ['the x', 'any'], outputs: ['y'] }],
        inputs: [valueInfo('the x', 'float32', ['T', 5]), anyShape],
        outputs: [valueInfo('y', 'float32', ['T', 5])],
      }),
    );
    const { code, stderr } = await convlet('inspect', path);
    expect(code).toBe(2);
    expect(stderr).toContain("the x [T,5] leaves its size open: give --shape 'the x=1x5'");
    const { stdout } = await convlet('inspect', path, '--shape', 'the x=4x5', '--json');
    expect(names(stdout)).toMatchObject([{ shape: [4, 5] }, { shape: [] }]);
  });
});
