// node --expose-gc --min-semi-space-size=64 --import tsx heap-growth.ts HOW RUNS THREADS: bytes of JavaScript heap that RUNS
// runs of a small model take, without a collection between; HOW: 'sync' (runSync) or 'async' (run).
import { getHeapStatistics } from 'node:v8';
import { load } from '../../src/runtime/node.ts';
import { lenet } from '../support/lenet.ts';

const [how, runs, threads] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const model = await load(lenet(), { threads });
const inputs = { x: { data: new Float32Array(784).fill(0.5) } };
const into = { y: new Float32Array(10) };

async function repeat(count: number): Promise<void> {
  if (how === 'sync') for (let i = 0; i < count; i++) model.runSync(inputs, into);
  else for (let i = 0; i < count; i++) await model.run(inputs);
}

await repeat(3000); // the engine compiles what is hot, on its own heap's account
const before = model.memory();
// The least of up to ten, until no run can have left an object: on a busy machine code is optimised late, and what runs until
// then allocates numbers.
let grown = Number.POSITIVE_INFINITY;
for (let i = 0; i < 10 && grown > 8 * runs; i++) {
  globalThis.gc?.();
  await repeat(100);
  const start = getHeapStatistics().used_heap_size;
  await repeat(runs);
  grown = Math.min(grown, getHeapStatistics().used_heap_size - start);
}
const after = model.memory();
console.log(
  JSON.stringify({ grown, memory: after.total - before.total, peak: after.peak - before.peak, y: [...into.y] }),
);
model.dispose();
