// Methods of variables at the edges of what PyTorch defines.
import { expect, it } from 'vitest';
import { variable } from '../../src/autograd/index.ts';
import { describeEngines } from '../support/engines.ts';

describeEngines('variables at the edges', (use) => {
  it('narrow refuses what does not lie inside', () => {
    use();
    const x = variable([1, 2, 3, 4, 5, 6], [2, 3]);
    expect(x.narrow(1, 1, 2).shape).toEqual([2, 2]);
    expect([...x.narrow(-1, -2, 2).data]).toEqual([2, 3, 5, 6]);
    expect(x.narrow(0, 2, 0).shape).toEqual([0, 3]);
    for (const [start, length] of [
      [1, 3],
      [3, 1],
      [-4, 1],
      [0, -1],
      [0.5, 1],
      [0, 1.5],
    ]) {
      expect(() => x.narrow(1, start, length), `${start}, ${length}`).toThrow(
        expect.objectContaining({ code: 'index-range', message: expect.stringContaining('axis 1 has 3 entries') }),
      );
    }
  });

  it('sign of NaN is 0, and so is its gradient', () => {
    use();
    const x = variable([Number.NaN, -2, 0, 3, Number.POSITIVE_INFINITY], [5], { requiresGrad: true });
    const y = x.sign();
    expect([...y.data]).toEqual([0, -1, 0, 1, 1]);
    y.sum().backward();
    expect([...x.grad!.data]).toEqual([0, 0, 0, 0, 0]);
  });
});
