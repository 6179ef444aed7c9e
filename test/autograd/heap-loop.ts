// node --max-old-space-size=N --import tsx heap-loop.ts STEPS: a training loop that never gives the event loop a turn, so that
// no finalizer runs. Ends with the heap's size, or for lack of memory.
import { useBackend, variable } from '../../src/autograd/index.ts';
import { jsBackend } from '../support/js-backend.ts';

const engine = useBackend(jsBackend());
const w = variable([1, 2], undefined, { requiresGrad: true });
const steps = Number(process.argv[2]);
let live = 0;
for (let i = 0; i < steps; i++) {
  let y = w;
  for (let k = 0; k < 20; k++) y = y.mul(0.9);
  y.sum().backward();
  w.grad = null;
  if (i === 2) live = engine.liveBytes;
}
console.log(JSON.stringify({ grown: engine.liveBytes - live }));
