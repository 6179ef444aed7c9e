// node --import tsx threads-exit.ts COUNT: loads, runs and disposes models of two threads, one after the other.
import { load } from '../../src/runtime/node.ts';
import { lenet } from '../support/lenet.ts';

const count = Number(process.argv[2]);
const inputs = { x: { data: new Float32Array(784).fill(0.5) } };
for (let i = 0; i < count; i++) {
  const model = await load(lenet(), { threads: 2 });
  await model.run(inputs);
  model.dispose();
}
console.log(`${count} models`);
