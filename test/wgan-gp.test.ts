// The example of a gradient penalty: a few rounds of it.
import { expect, test } from 'vitest';
import { draw, makeCritic, train } from '../examples/wgan-gp.ts';

test('the critic learns, the generator is drawn', async () => {
  const said: string[] = [];
  const { generator, losses } = await train(60, (text) => said.push(text));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  // It begins with slopes far from 1, and soon tells real from false.
  expect(mean(losses.slice(0, 8))).toBeGreaterThan(mean(losses.slice(-40)) + 1);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(said.length).toBe(10);
  const { data, width, height } = draw(generator);
  expect([width, height, new Set(data).size > 10]).toEqual([64, 8, true]);
  // The generator's step leaves no gradient in the critic, nor the critic's in the generator.
  for (const parameter of makeCritic().parameters()) expect(parameter.grad).toBeNull();
  for (const parameter of generator.parameters()) expect(parameter.grad).toBeNull();
});
