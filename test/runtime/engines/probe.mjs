// What test/runtime/engines.test.ts runs on every engine (Node, Deno, Bun), beside an installed convlet: networks on each
// kernel build, with threads and leaders, training, pictures, errors. Arguments: a JSON file of networks ([{ name, model,
// shape, data (base64) }]), a folder of pictures, a folder to write into. Prints one line of JSON, and must then end by
// itself although its last model is not disposed of.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { ConvletError, load } from 'convlet';
import { decodeImage, encodeJpeg, encodePng, imageToTensor, resizeImage } from 'convlet/images';
import { compileStep, data, F, fit, init, nn, optim, seed, variable } from 'convlet/train';

const [, , listFile, pictures, scratch] = process.argv;
const networks = JSON.parse(readFileSync(listFile, 'utf8')).map(({ data: text, ...network }) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return { ...network, data: new Float32Array(bytes.buffer) };
});

const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
/** Bits of arrays in a few characters. */
function bits(...arrays) {
  const hash = createHash('sha256');
  for (const array of arrays) hash.update(bytesOf(array));
  return hash.digest('hex').slice(0, 16);
}
const bitsOf = (outputs) => bits(...Object.values(outputs).map((output) => output.data));
const base64 = (array) => btoa(Array.from(bytesOf(array), (byte) => String.fromCharCode(byte)).join(''));
const attempt = (act) =>
  Promise.resolve()
    .then(act)
    .then(
      () => 'no error',
      (error) => (error instanceof ConvletError ? error.code : String(error)),
    );

/** The kernel builds that this engine can run, best first. */
const variants = [];
for (const variant of ['relaxed', 'simd']) {
  if ((await attempt(async () => (await load(networks[0].model, { variant })).dispose())) === 'no error')
    variants.push(variant);
}

async function inference(variant) {
  const results = {};
  for (const { name, model: file, shape, data } of networks) {
    const result = { runs: {} };
    for (const leader of ['main', 'worker']) {
      for (const threads of [1, 2]) {
        const model = await load(file, { variant, threads, leader });
        const inputs = { [model.inputs[0].name]: { data, shape } };
        const outputs = await model.run(inputs);
        // A later run may meet workers asleep, the first one does not.
        if (threads > 1) await new Promise((resolve) => setTimeout(resolve, 5));
        result.runs[`${leader} ${threads}`] = [bitsOf(outputs), bitsOf(await model.run(inputs))];
        if (leader === 'main') {
          const into = Object.fromEntries(
            Object.entries(outputs).map(([key, { data }]) => [key, data.slice().fill(0)]),
          );
          const fixed = await attempt(() => model.runSync(inputs, into));
          result.runs[`runSync ${threads}`] = fixed === 'no error' ? bits(...Object.values(into)) : fixed;
        }
        if (model.threads !== threads || model.leader !== leader || model.variant !== variant)
          throw new Error(`${name}: ${model.variant}, ${model.threads} threads, leader ${model.leader}`);
        result.values ??= Object.entries(outputs).map(([key, { dtype, shape, data }]) => ({
          ...{ name: key, dtype, shape },
          data: base64(Float32Array.from(data, Number)),
        }));
        model.dispose();
      }
    }
    results[name] = result;
  }
  return results;
}

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 8, 3, { padding: 1 });
  bn = new nn.BatchNorm2d(8);
  fc = new nn.Linear(128, 2);

  forward(x) {
    return this.fc.forward(F.maxPool2d(F.relu(this.bn.forward(this.conv.forward(x))), 2).flatten(1));
  }
}

/** Pictures whose upper or lower half is bright. No functions of Math whose last bit is the engine's. */
const labels = Int32Array.from({ length: 64 }, (_, i) => i % 2);
const pixels = Float32Array.from({ length: 64 * 64 }, (_, i) => {
  const lower = (i % 64) >> 5;
  return ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1 + (lower === labels[i >> 6] ? 1 : 0);
});

/** Losses of steps, op by op and compiled, and the weights that they lead to. */
async function training(variant, threads) {
  await init({ variant, threads });
  const run = (compiled) => {
    seed(1);
    const model = new Net();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const step = compileStep(model, F.crossEntropy, optimizer);
    const x = variable(pixels, [64, 1, 8, 8]);
    const y = variable(labels);
    const losses = Float64Array.from({ length: 12 }, () => {
      if (compiled) return step.step(x, y);
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    const weights = Object.values(model.stateDict()).map(({ data }) => data);
    step.dispose();
    return { first: losses[0], last: losses.at(-1), losses: bits(losses), weights: bits(...weights) };
  };
  return { eager: run(false), compiled: run(true) };
}

/** `fit` with a checkpoint, which is written and read by the engine's file functions, and goes on from it. */
async function checkpoints() {
  await init({ threads: 2 });
  const directory = join(scratch, 'run');
  const go = async (epochs) => {
    seed(1);
    const model = new Net();
    const set = new data.TensorDataset({ shape: [64, 1, 8, 8], data: pixels }, [...labels]);
    const { history } = await fit(model, {
      train: new data.DataLoader(set, { batchSize: 16, shuffle: true, seed: 1 }),
      validation: new data.DataLoader(set, { batchSize: 32 }),
      loss: F.crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      epochs,
      checkpoint: { directory },
      resume: true,
      quiet: true,
      log: { csv: join(scratch, 'log.csv') },
    });
    return history.epochs.length;
  };
  const epochs = [await go(1), await go(3)];
  return {
    epochs,
    files: readdirSync(directory).sort(),
    lines: readFileSync(join(scratch, 'log.csv'), 'utf8').trim().split('\n').length,
  };
}

async function images() {
  const decoded = {};
  for (const file of readdirSync(pictures).sort()) {
    if (!/\.(png|jpg)$/.test(file)) continue;
    const image = await decodeImage(readFileSync(join(pictures, file)), { channels: 3 });
    const again = await decodeImage(encodePng(image));
    const small = resizeImage(image, 20, 24, { antialias: true });
    const lossy = await decodeImage(encodeJpeg(image));
    decoded[file] = {
      pixels: bits(image.data),
      png: bits(again.data) === bits(image.data),
      small: bits(small.data),
      tensor: imageToTensor(small).shape,
      jpeg: [lossy.width, lossy.height],
    };
  }
  const classes = join(scratch, 'classes');
  for (const [name, grey] of Object.entries({ dark: 20, light: 220 })) {
    mkdirSync(join(classes, name), { recursive: true });
    const image = { data: new Uint8Array(8 * 8 * 3).fill(grey), width: 8, height: 8, channels: 3 };
    writeFileSync(join(classes, name, 'a.png'), encodePng(image));
    writeFileSync(join(classes, name, 'b.jpg'), encodeJpeg(image));
  }
  // Not disposed of: its threads must not keep the process alive.
  const folder = await data.ImageFolder.open(classes, { size: 4, workers: 2 });
  const batches = [];
  for await (const { input, target } of new data.DataLoader(folder, { batchSize: 2 }))
    batches.push([[...input.shape], [...target.data], Math.round(input.data[0] * 255)]);
  return { decoded, batches };
}

async function errors() {
  const [{ model: file, data: values, shape }] = networks;
  const bytes = readFileSync(file);
  const model = await load(bytes, { threads: 2 });
  const inputs = { [model.inputs[0].name]: { data: values, shape } };
  const found = {
    'a file that is no model': await attempt(() => load(join(pictures, 'labels.json'))),
    'half a file': await attempt(() => load(bytes.subarray(0, bytes.length >> 1))),
    'a path of nothing': await attempt(() => load(join(scratch, 'nothing.onnx'))),
    'a wrong option': await attempt(() => load(bytes, { threads: 0 })),
    'no input': await attempt(() => model.run({})),
    'a wrong shape': await attempt(() =>
      model.run({ [model.inputs[0].name]: { data: values, shape: [values.length] } }),
    ),
    'a right run after that': await attempt(() => model.run(inputs)),
    'no picture': await attempt(() => decodeImage(new Uint8Array(200).fill(65))),
  };
  model.dispose();
  found['after dispose'] = await attempt(() => model.run(inputs));
  const slow = await load(bytes, { leader: 'worker', threads: 2 });
  const running = attempt(() => slow.run(inputs));
  slow.dispose();
  found['disposed while it runs'] = await running;
  return found;
}

/** Bits of the first network's outputs for each kind of source. */
async function sources() {
  const [{ model: file, data: values, shape }] = networks;
  const bytes = readFileSync(file);
  const server = createServer((_, response) => response.end(bytes));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kinds = {
    path: file,
    'file URL': pathToFileURL(file),
    'text of a file URL': pathToFileURL(file).href,
    'http URL': `http://127.0.0.1:${server.address().port}/model.onnx`,
    'data URL': `data:application/octet-stream;base64,${base64(bytes)}`,
    ArrayBuffer: new Uint8Array(bytes).buffer,
  };
  const found = {};
  for (const [kind, source] of Object.entries(kinds)) {
    const model = await load(source);
    found[kind] = bitsOf(await model.run({ [model.inputs[0].name]: { data: values, shape } }));
    model.dispose();
  }
  server.closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
  return found;
}

/** While workers lead a run, timers of the calling thread go on. */
async function eventLoop() {
  const [{ model: file, data: values, shape }] = networks;
  const model = await load(file, { leader: 'worker', threads: 2 });
  const inputs = { [model.inputs[0].name]: { data: values, shape } };
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const runs = [];
  for (let i = 0; i < 200; i++) runs.push(await model.run(inputs));
  clearInterval(timer);
  const all = new Set(runs.map(bitsOf));
  return { ticks: ticks > 0, results: all.size }; // not disposed of
}

const report = { variants, inference: {}, training: {} };
for (const variant of variants) {
  report.inference[variant] = await inference(variant);
  report.training[variant] = { 1: await training(variant, 1), 2: await training(variant, 2) };
}
report.checkpoints = await checkpoints();
report.images = await images();
report.errors = await errors();
report.sources = await sources();
report.eventLoop = await eventLoop();
console.log(JSON.stringify(report));
