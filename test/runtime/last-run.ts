// Runs a model whose leader is a worker, disposes of nothing, and is at its end.
import { load } from '../../src/runtime/node.ts';
import { lenet } from '../support/lenet.ts';

const model = await load(lenet(), { threads: 2, leader: 'worker' });
for (let i = 0; i < 20; i++) await model.run({ x: { data: new Float32Array(784) } });
console.log('done');
