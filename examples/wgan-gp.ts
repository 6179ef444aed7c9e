/**
 * `npx tsx examples/wgan-gp.ts`: a generator learns to draw what it is shown, 8×8 pictures of one bright spot, against a critic whose slope
 * is held at 1 (Gulrajani et al. 2017, "Improved training of Wasserstein GANs"). The penalty is a gradient of a gradient.
 * Writes samples as a picture, `runs/wgan-gp.png`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { encodePng, type Image } from 'convlet/images';
import {
  compileModel,
  compileStep,
  F,
  grad,
  init,
  nn,
  optim,
  randn,
  seed,
  type Variable,
  variable,
} from 'convlet/train';

const [side, latent, batch, penaltyWeight] = [8, 16, 32, 10];

/** Latent numbers [N, latent] → pictures [N, 1, 8, 8] in 0 … 1. */
export const makeGenerator = () =>
  new nn.Sequential(
    new nn.Linear(latent, 32 * 2 * 2),
    new nn.ReLU(),
    new nn.Unflatten(1, [32, 2, 2]),
    new nn.ConvTranspose2d(32, 16, 4, { stride: 2, padding: 1 }),
    new nn.ReLU(),
    new nn.ConvTranspose2d(16, 1, 4, { stride: 2, padding: 1 }),
    new nn.Sigmoid(),
  );

/** Pictures → one number each, higher for pictures that look real. No batch norm: the penalty is each picture's own. */
export const makeCritic = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 16, 3, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.2),
    new nn.Conv2d(16, 32, 3, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.2),
    new nn.Flatten(),
    new nn.Linear(32 * 2 * 2, 1),
  );

/** Pictures of one spot each, anywhere: [N, 1, 8, 8]. */
export function spots(count: number): Variable {
  const pixels = new Float32Array(count * side * side);
  for (let n = 0; n < count; n++) {
    const [x0, y0] = [2 + Math.random() * 4, 2 + Math.random() * 4];
    for (let i = 0; i < side * side; i++) {
      const distance = (Math.floor(i / side) - y0) ** 2 + ((i % side) - x0) ** 2;
      pixels[n * side * side + i] = Math.exp(-distance / 2);
    }
  }
  return variable(pixels, [count, 1, side, side]);
}

/** Of the critic: what it gives to false pictures less what it gives to real ones, and how far its slope between them is from 1. */
export function criticLoss(critic: nn.Module, real: Variable, fake: Variable): Variable {
  const share = F.rand(real.shape[0], 1, 1, 1);
  const between = real
    .mul(share)
    .add(fake.mul(share.neg().add(1)))
    .detach()
    .requiresGrad_();
  const [slope] = grad(critic.forward(between).sum(), between, { createGraph: true });
  const length = slope.square().sum([1, 2, 3]).add(1e-12).sqrt();
  const penalty = length.sub(1).square().mean().mul(penaltyWeight);
  return critic.forward(fake).mean().sub(critic.forward(real).mean()).add(penalty);
}

/** Trains both; returns the generator and the last distances between real and false pictures that the critic sees. */
export async function train(rounds: number, log: (text: string) => void = console.log) {
  await init();
  seed(1);
  const [generator, critic] = [makeGenerator(), makeCritic()];
  const options = { lr: 1e-3, betas: [0, 0.9] as const };
  const itself = (loss: Variable): Variable => loss;
  const criticStep = compileStep(critic, itself, new optim.Adam(critic.parameters(), options), {
    forward: (real: Variable) => criticLoss(critic, real, generator.forward(F.randn(real.shape[0], latent)).detach()),
  });
  const generatorStep = compileStep(generator, itself, new optim.Adam(generator.parameters(), options), {
    forward: (noise: Variable) => critic.forward(generator.forward(noise)).mean().neg(),
  });
  const losses: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (let i = 0; i < 4; i++) losses.push(criticStep.step(spots(batch)));
    generatorStep.step(randn(batch, latent));
    if (round % Math.max(1, Math.floor(rounds / 10)) === 0) {
      const recent = losses.slice(-40);
      const mean = recent.reduce((a, b) => a + b, 0) / recent.length;
      log(`round ${round} of ${rounds}: the critic's loss is ${mean.toFixed(3)} (0: it cannot tell them apart)`);
    }
  }
  criticStep.dispose();
  generatorStep.dispose();
  return { generator, losses };
}

/** Eight samples side by side. */
export function draw(generator: nn.Module, count = 8): Image {
  const compiled = compileModel(generator, [count, latent]);
  const { data } = compiled.run(randn(count, latent));
  const image: Image = { width: count * side, height: side, channels: 1, data: new Uint8Array(data.length) };
  for (let i = 0; i < data.length; i++) {
    const [n, y, x] = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    image.data[(y * count + n) * side + x] = Math.round(data[i] * 255);
  }
  compiled.dispose();
  return image;
}

if (import.meta.main ?? process.argv[1]?.endsWith('wgan-gp.ts')) {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '600' } } });
  const { generator } = await train(Number(values.rounds));
  mkdirSync('runs', { recursive: true });
  writeFileSync('runs/wgan-gp.png', encodePng(draw(generator)));
  console.log('Eight samples: runs/wgan-gp.png');
}
