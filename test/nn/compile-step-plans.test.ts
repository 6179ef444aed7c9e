// Plans of one compiled step in any order: batches of several shapes and element types, training and evaluation. Losses,
// outputs and parameters are, bit by bit, those of steps that are each compiled anew.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, type Variable, variable } from '../../src/autograd/index.ts';
import { Generator, seed as seedAll } from '../../src/common/random.ts';
import { CompiledForward } from '../../src/nn/compile-model.ts';
import { compileStep } from '../../src/nn/compile-step.ts';
import { Adam } from '../../src/optim/adam.ts';
import { type InitOptions, init } from '../../src/runtime/node-train.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';
import { Random, seeds, variants } from '../kernels/harness.ts';
import { loss, smallNetwork } from '../support/networks.ts';

interface Turn {
  readonly batch: number;
  readonly side: number;
  readonly bytes: boolean;
  readonly training: boolean;
}

/** Bytes are pixels of 0 to 255, as pictures come. */
const scaled = (x: Variable): Variable => (x.dtype === 'uint8' ? x.to('float32').div(255) : x);

function batchOf({ batch, side, bytes }: Turn, number: number): { x: Variable; y: Variable } {
  const random = new Generator(number);
  const pixels = Float32Array.from({ length: batch * side * side }, () => random.below(256));
  const shape = [batch, 1, side, side];
  return {
    x: bytes
      ? variable(tensor(Uint8Array.from(pixels), shape, 'uint8'))
      : variable(
          pixels.map((v) => v / 255 - 0.5),
          shape,
        ),
    y: variable(Int32Array.from({ length: batch }, () => random.below(10))),
  };
}

function turns(seed: number): Turn[] {
  const random = new Random(seed);
  const kinds = Array.from({ length: random.int(3, 6) }, () => ({
    batch: random.pick([1, 3, 8]),
    side: random.pick([6, 10, 17]),
  }));
  return Array.from({ length: 14 }, (_, i) => ({
    ...(i < kinds.length ? kinds[i] : random.pick(kinds)),
    bytes: random.next() < 0.4,
    training: random.next() < 0.7,
  }));
}

/** What a run of turns gives; `anew`: every step is compiled for itself. */
function run(of: readonly Turn[], anew: boolean): unknown[] {
  const model = smallNetwork(0.3);
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const make = () => compileStep(model, loss, optimizer, { forward: (x) => model.forward(scaled(x)) });
  const kept = make();
  seedAll(5);
  const results = of.map((turn, i) => {
    const step = anew ? make() : kept;
    model.train(turn.training);
    const { x, y } = batchOf(turn, i % 5);
    const value = step.step(x, y);
    const result = [value, step.output.shape.join(), step.output.data.join()];
    if (anew) step.dispose();
    return result;
  });
  kept.dispose();
  return [...results, ...Object.values(model.stateDict()).map(({ data }) => data.join())];
}

const settings: InitOptions[] = [
  { backend: 'js' },
  ...variants.flatMap((variant) => [{ variant }, { variant, threads: 2 }]),
];

describe.each(settings)('%j', (setting) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await init(setting);
  });
  afterAll(() => engine.dispose());

  test.each(seeds(3))('steps in any order (CONVLET_SEED=%i)', (seed) => {
    const of = turns(seed);
    const [got, expected] = [run(of, false), run(of, true)];
    expected.forEach((value, i) => {
      expect(got[i], `turn ${i} of ${JSON.stringify(of)}`).toEqual(value);
    });
  });

  test.each(seeds(2))('forward passes in any order, while the model learns (CONVLET_SEED=%i)', (seed) => {
    const model = smallNetwork();
    model.eval();
    const kept = new CompiledForward(model, true);
    for (const [i, turn] of turns(seed).entries()) {
      const { x } = batchOf({ ...turn, bytes: false }, i % 5);
      const fresh = new CompiledForward(model, true);
      const expected = (fresh.run(x) as Tensor).data.slice();
      expect((kept.run(x) as Tensor).data, `turn ${i}`).toEqual(expected);
      fresh.dispose();
      const [head] = model.parameters();
      head.set(head.data.map((v) => v * 0.9));
    }
    kept.dispose();
  });
});
