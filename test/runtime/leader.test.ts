// leader: 'worker': who does the work, what the event loop sees of it, and what happens when things overlap.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { TypedArray } from '../../src/common/dtype.ts';
import { ConvletError } from '../../src/common/error.ts';
import { createLoad, type LoadOptions } from '../../src/runtime/load.ts';
import { seededInputs } from '../../src/runtime/measure.ts';
import { load } from '../../src/runtime/node.ts';
import { webPlatform } from '../../src/runtime/web.ts';
import * as onnx from '../io/onnx-builder.ts';
import { f, i64 } from '../io/onnx-run.ts';
import { Random } from '../kernels/harness.ts';
import { lenet } from '../support/lenet.ts';
import { slowModel } from '../support/slow-model.ts';
import { run } from './package.ts';

const fixture = (name: string) => new URL(`../fixtures/models/${name}.onnx`, import.meta.url);
const image = (seed: number, batch = 1) => ({
  x: { data: new Random(seed).floats(batch * 784), shape: [batch, 1, 28, 28] },
});

/** Milliseconds of `work`, and the longest that the event loop was kept from a timer meanwhile. */
async function delay(work: () => Promise<unknown>): Promise<{ total: number; longest: number }> {
  let last = performance.now();
  let longest = 0;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(tick, 1);
  await sleep(5);
  longest = 0;
  const start = performance.now();
  await work();
  const total = performance.now() - start;
  tick();
  clearInterval(timer);
  return { total, longest };
}

describe('the event loop', () => {
  test.each([1, 2])('goes on during a run of %i worker(s), and not with leader main', async (threads) => {
    using here = await load(slowModel(), { threads });
    using away = await load(slowModel(), { threads, leader: 'worker' });
    const inputs = seededInputs(here, new Map());
    const expected = await here.run(inputs);
    const same = (y: TypedArray) => Buffer.from(y.buffer).equals(Buffer.from(expected.y.data.buffer)); // toEqual takes seconds
    expect(same((await away.run(inputs)).y.data)).toBe(true);
    const into = { y: new Float32Array(expected.y.data.length) };
    const share: { main: number; worker: number } = { main: 1, worker: 1 };
    for (let round = 0; round < 4; round++) {
      const [main, worker] = [
        await delay(() => here.run(inputs, { into })),
        await delay(() => away.run(inputs, { into })),
      ];
      share.main = Math.min(share.main, main.longest / main.total);
      share.worker = Math.min(share.worker, worker.longest / worker.total);
    }
    expect(same(into.y)).toBe(true);
    expect(share.main).toBeGreaterThan(0.8);
    expect(share.worker).toBeLessThan(0.35);
  });
});

describe.each([1, 2, 3])('leader worker, %i thread(s)', (threads) => {
  const options: LoadOptions = { threads, leader: 'worker' };

  test.each(['mobilenet_v2_tiny', 'unet_bilinear_tiny', 'convnext_tiny_ln', 'ssd_nms_tiny'])(
    '%s: bit-equal to leader main',
    async (name) => {
      using here = await load(fixture(name));
      using away = await load(fixture(name), options);
      expect([away.leader, away.threads, here.leader]).toEqual(['worker', threads, 'main']);
      const inputs = seededInputs(here, new Map());
      const expected = await here.run(inputs);
      for (let i = 0; i < 3; i++) expect(await away.run(inputs)).toEqual(expected);
    },
  );

  test('runs that overlap wait for one another; inputs are read before run returns', async () => {
    using here = await load(lenet('n'));
    using away = await load(lenet('n'), options);
    const shared = new Float32Array(784);
    const expected = [];
    const running = [];
    for (let i = 0; i < 24; i++) {
      const inputs = image(i, 1 + (i % 11)); // more shapes than plans are kept
      expected.push(await here.run(inputs));
      running.push(away.run(inputs));
      shared.set(image(100 + i).x.data);
      const again = { x: { data: shared, shape: [1, 1, 28, 28] } };
      expected.push(await here.run(again));
      running.push(away.run(again));
      shared.fill(Number.NaN);
    }
    expect(await Promise.all(running)).toEqual(expected);
  });

  test('a wrong run among others fails alone', async () => {
    using model = await load(lenet('n'), options);
    const good = await model.run(image(1));
    const results = await Promise.allSettled([
      model.run(image(1)),
      model.run({ x: { data: new Float32Array(3), shape: [3] } }),
      model.run(image(1), { into: { y: new Float32Array(3) } }),
      model.run(image(1)),
    ]);
    expect(results.map((r) => (r.status === 'rejected' ? (r.reason as ConvletError).code : r.value))).toEqual([
      good,
      'shape',
      'shape',
      good,
    ]);
  });

  test('steps in plain JS take their turn, and their errors come as with leader main', async () => {
    const bytes = onnx.model({
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['r'] },
        { op: 'Gather', inputs: ['r', 'i'], outputs: ['g'] },
        { op: 'Cast', inputs: ['g'], outputs: ['d'], attributes: { to: 11 } },
        { op: 'Exp', inputs: ['d'], outputs: ['e'] },
        { op: 'Cast', inputs: ['e'], outputs: ['s'], attributes: { to: 1 } },
        { op: 'Sigmoid', inputs: ['s'], outputs: ['y'] },
      ],
      inputs: [f('x', 4, 3), i64('i', 2)],
      outputs: [f('y', 2, 3)],
    });
    using here = await load(bytes);
    using model = await load(bytes, options);
    const kernels = model.plan().steps.map(({ step }) => step.kernel);
    expect(kernels).toContain('js');
    expect(kernels.some((kernel) => kernel !== 'js')).toBe(true);
    const x = { data: Float32Array.from({ length: 12 }, (_, i) => i / 4 - 1), shape: [4, 3] };
    const good = { x, i: { data: Int32Array.of(0, 3), shape: [2] } };
    const bad = { x, i: { data: Int32Array.of(0, 4), shape: [2] } };
    const expected = await here.run(good);
    const reason = await here.run(bad).catch((error: ConvletError) => error);
    expect(reason).toBeInstanceOf(ConvletError);
    for (let round = 0; round < 3; round++) {
      expect(await model.run(good)).toEqual(expected);
      await expect(model.run(bad)).rejects.toThrow((reason as ConvletError).message);
    }
  });

  test('dispose during a run: that run and those behind it reject, the process goes on', async () => {
    for (let round = 0; round < 5; round++) {
      const model = await load(lenet('n'), options);
      await model.run(image(1, 64));
      const running = [model.run(image(1, 64)), model.run(image(2, 64)), model.run(image(3))];
      if (round > 0) await sleep(round / 4);
      model.dispose();
      const results = await Promise.allSettled(running);
      if (round === 0) expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
      for (const result of results) if (result.status === 'rejected') expect(result.reason.code).toBe('disposed');
      await expect(model.run(image(1))).rejects.toMatchObject({ code: 'disposed' });
      model.dispose();
    }
  });

  test('plan is refused during a run, runSync always', async () => {
    using model = await load(lenet(), options);
    const running = model.run(image(1));
    expect(() => model.plan()).toThrow(/not running/);
    expect(() => model.runSync(image(1), { y: new Float32Array(10) })).toThrow(/leader is 'main'/);
    const { y } = await running;
    const plan = model.plan();
    plan.inputs.get('x')!.array.set(image(1).x.data);
    plan.run();
    expect(plan.outputs.get('y')!.array).toEqual(y.data);
  });
});

test('a program ends after its last run, not before and not later', async () => {
  const args = ['--import', 'tsx', fileURLToPath(new URL('last-run.ts', import.meta.url))];
  const { code, stdout } = await run(process.execPath, args, { timeout: 20_000 });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'done\n' });
});

test('where there are no workers, leader worker is refused', async () => {
  const web = createLoad(webPlatform);
  await expect(web(lenet(), { leader: 'worker' })).rejects.toMatchObject({ code: 'environment' });
  await expect(load(lenet(), { backend: 'js', leader: 'worker' })).rejects.toMatchObject({ code: 'argument' });
  await expect(load(lenet(), { leader: 'both' as never })).rejects.toMatchObject({ code: 'argument' });
});
