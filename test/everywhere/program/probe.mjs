// What every bundle of the rows computes: a network on two pictures, pictures themselves, training. Plain JavaScript of the language
// alone, so that every runtime can run it. Its numbers come as text and are compared with those of Node, bit for bit.
import { ConvletError, load } from 'convlet';
import { decodeImage, encodeJpeg, encodePng, imageToTensor, resizeImage } from 'convlet/images';
import { compileStep, F, init, nn, optim, seed, variable } from 'convlet/train';
import { files } from './files.mjs';

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const base64 = (array) => btoa(Array.from(bytesOf(array), (byte) => String.fromCharCode(byte)).join(''));
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const attempt = (act) =>
  act().then(
    () => 'no error',
    (error) => (error instanceof ConvletError ? error.code : String(error)),
  );

async function images() {
  const found = {};
  for (const [name, text] of Object.entries(files.pictures)) {
    const image = await decodeImage(bytes(text), { channels: 3 });
    const again = await decodeImage(encodePng(image));
    found[name] = {
      pixels: base64(image.data),
      png: base64(again.data) === base64(image.data),
      small: base64(resizeImage(image, 10, 12, { antialias: true }).data),
      jpeg: base64(encodeJpeg(image)),
    };
  }
  // Whether sharp decodes here: 'environment' where there is none.
  const [first] = Object.values(files.pictures);
  return { found, sharp: await attempt(() => decodeImage(bytes(first), { decoder: 'sharp' })) };
}

export async function inference(options) {
  const model = await load(bytes(files.model), options);
  const found = {};
  for (const [name, text] of Object.entries(files.pictures)) {
    const image = imageToTensor(await decodeImage(bytes(text), { channels: 3 }));
    const { probabilities } = await model.run({ image });
    found[name] = base64(probabilities.data);
  }
  const { backend, variant } = model;
  model.dispose();
  return { backend, variant, found };
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
const labels = Int32Array.from({ length: 16 }, (_, i) => i % 2);
const pixels = Float32Array.from({ length: 16 * 64 }, (_, i) => {
  const lower = (i % 64) >> 5;
  return ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1 + (lower === labels[i >> 6] ? 1 : 0);
});

/** Four steps, two op by op and two compiled. */
export async function training(options) {
  await init(options);
  seed(1);
  const model = new Net();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const x = variable(pixels, [16, 1, 8, 8]);
  const y = variable(labels);
  const step = compileStep(model, F.crossEntropy, optimizer);
  const losses = [];
  for (let i = 0; i < 4; i++) {
    if (i >= 2) {
      losses.push(step.step(x, y));
      continue;
    }
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  }
  const state = Object.entries(model.stateDict()).map(([name, { data }]) => [name, base64(data)]);
  step.dispose();
  return { losses, state, module: new Net().conv.constructor.name };
}

export async function probe() {
  const report = { images: await images(), inference: {}, training: {} };
  const backends = { simd: { variant: 'simd' }, relaxed: { variant: 'relaxed' }, js: { backend: 'js' } };
  for (const [name, options] of Object.entries(backends)) {
    // What the runtime or its entry lacks is 'environment', and the test knows where that is right.
    if (name === 'relaxed' && (await attempt(() => inference(options))) === 'environment') continue;
    report.inference[name] = await inference(options);
    report.training[name] = await training(options);
  }
  report.inference.default = (await inference({})).variant;
  return report;
}
