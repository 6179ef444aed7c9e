// A Worker that trains: four steps, and then many small ones, after each of which it says how much memory it holds.
import * as lib from 'convlet/train';
// @ts-expect-error plain JavaScript
import { train } from '../../everywhere/pages/probe.mjs';

/** Bytes after 20 and after 200 op-by-op steps. */
async function held(): Promise<number[]> {
  const engine = await lib.init();
  const model = new lib.nn.Linear(64, 64);
  const optimizer = new lib.optim.SGD(model.parameters(), { lr: 0.01 });
  const x = lib.variable(new Float32Array(64 * 64).fill(0.5), [64, 64]);
  const bytes: number[] = [];
  for (let i = 1; i <= 200; i++) {
    optimizer.zeroGrad();
    model.forward(x).sum().backward();
    optimizer.step();
    if (i === 20 || i === 200) bytes.push(engine.liveBytes);
  }
  return bytes;
}

export default {
  fetch: async (): Promise<Response> =>
    Response.json({
      finalizers: typeof FinalizationRegistry,
      trained: await train(lib, { variant: 'simd' }),
      held: await held(),
    }),
};
