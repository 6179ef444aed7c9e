// argv: engine ('bare': none), model as JSON. Prints the milliseconds since the process began, and its peak memory.
const [name, json] = process.argv.slice(2);
const say = process.stdout.write.bind(process.stdout);
let imported = performance.now();
let first = imported;
if (name !== 'bare') {
  const { importEngine } = await import('./engines/index.mjs');
  const create = await importEngine(name);
  imported = performance.now();
  const { path, input, expected, threads } = JSON.parse(json);
  const data = new Float32Array(input.shape.reduce((a, b) => a * b, 1)).fill(0.5);
  const engine = await create({ modelPath: path, input: { ...input, data }, outputShape: expected.output, threads });
  const result = await engine.run();
  first = performance.now();
  if (!(result.length > 0)) throw new Error('no result');
}
say(`${JSON.stringify({ imported, first, peakMB: process.resourceUsage().maxRSS / 1024 })}\n`, () => process.exit());
