// node --import tsx threads-count.ts MODELS THREADS: how many threads the process has before, with and after so many models.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from '../../src/runtime/node.ts';
import { lenet } from '../support/lenet.ts';

const [models, threads] = process.argv.slice(2).map(Number);
const inputs = { x: { data: new Float32Array(784).fill(0.5) } };
const count = (): number => readdirSync('/proc/self/task').length;

const start = async (leader: 'main' | 'worker') => {
  const model = await load(lenet(), { threads, leader });
  await model.run(inputs);
  return model;
};

/** Threads that have been told to end take a moment. */
async function settled(at: number): Promise<number> {
  for (let waited = 0; count() > at && waited < 8000; waited += 20) await sleep(20);
  return count();
}

// What the runtime starts once for all: helpers of the first worker.
const nothing = count();
(await start('main')).dispose();
await settled(nothing);
const before = count();
const alive = [];
for (let i = 0; i < models; i++) alive.push(await start(i % 2 === 0 ? 'main' : 'worker'));
const during = count();
for (const model of alive) model.dispose();
console.log(JSON.stringify({ before, during, after: await settled(before) }));
