// What pages, workers and Node compute alike, as text of their bits. Plain JavaScript of the language alone.

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const base64 = (array) => btoa(Array.from(bytesOf(array), (byte) => String.fromCharCode(byte)).join(''));

/** What `act` gives, or the code and message of its error. */
export const attempt = (act) =>
  Promise.resolve()
    .then(act)
    .catch(({ name, code, message }) => ({ error: code ?? name, message }));

/** No functions of Math whose last bit is the engine's. */
const pixels = (count, seed) =>
  Float32Array.from({ length: count }, (_, i) => ((Math.imul(i + seed, 2654435761) >>> 0) / 2 ** 32) * 2 - 1);

/** Two runs of a network; between them the workers go to sleep. */
export async function infer({ load }, source, options) {
  const model = await load(source, options);
  const { backend, variant, threads, leader } = model;
  const [{ name, shape }] = model.inputs;
  const dims = shape.map((d) => d ?? 1);
  const input = {
    [name]: {
      data: pixels(
        dims.reduce((a, b) => a * b),
        1,
      ),
      shape: dims,
    },
  };
  const runs = [];
  for (let i = 0; i < 2; i++) {
    const outputs = await model.run(input);
    runs.push(Object.values(outputs).map(({ data }) => base64(data)));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  model.dispose();
  return { backend, variant, threads, leader, runs };
}

/** Two eager steps and two compiled ones. */
export async function train({ compileStep, F, init, nn, optim, seed, variable }, options) {
  class Net extends nn.Module {
    conv = new nn.Conv2d(1, 8, 3, { padding: 1 });
    bn = new nn.BatchNorm2d(8);
    fc = new nn.Linear(128, 2);

    forward(x) {
      return this.fc.forward(F.maxPool2d(F.relu(this.bn.forward(this.conv.forward(x))), 2).flatten(1));
    }
  }
  await init(options);
  seed(1);
  const model = new Net();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const x = variable(pixels(16 * 64, 1), [16, 1, 8, 8]);
  const y = variable(Int32Array.from({ length: 16 }, (_, i) => i % 2));
  const losses = [];
  for (let i = 0; i < 2; i++) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  }
  const step = compileStep(model, F.crossEntropy, optimizer);
  for (let i = 0; i < 2; i++) losses.push(step.step(x, y));
  const state = Object.entries(model.stateDict()).map(([name, { data }]) => [name, base64(data)]);
  step.dispose();
  return { losses, state };
}
