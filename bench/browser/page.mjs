// One thread and several take turns, some runs each.
import { load } from '../convlet/index.js';

const { model, shape, variant, threads, rounds, runs } = JSON.parse(decodeURIComponent(location.search.slice(1)));

async function compare() {
  const one = await load(model, { variant });
  const several = await load(model, { variant, threads });
  const count = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 31 - 1);
  const inputs = { [one.inputs[0].name]: { data, shape } };
  const engines = { one, several };
  const results = { one: await one.run(inputs), several: await several.run(inputs) };
  const bits = (outputs) => Object.values(outputs).map(({ data: values }) => String(new Uint32Array(values.buffer)));
  const same = String(bits(results.one)) === String(bits(results.several));
  const times = { one: [], several: [] };
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 === 0 ? ['one', 'several'] : ['several', 'one'];
    for (const name of order) {
      for (let i = 0; i < runs; i++) {
        const start = performance.now();
        await engines[name].run(inputs);
        const time = performance.now() - start;
        if (round >= 0) times[name].push(time); // the first round warms up
      }
    }
  }
  const leaders = { one: one.leader, several: several.leader };
  return { same, times, leaders, agent: navigator.userAgent };
}
globalThis.report = compare();
