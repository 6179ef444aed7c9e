import { ConvletError } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { caseSpatial, random } from '../case.ts';
import { checker } from '../check.ts';
import { channelsLastLayouts, defineOp, type OpCase } from '../core/op.ts';
import { checkSpatial, spatialInput, spatialOf, windowAttrs, windowOutput } from '../window.ts';
import type { ConvWeightGradOpAttrs } from './attrs.ts';

const check = checker('convWeightGrad');

/**
 * Gradient of conv by its weight: gw[o, c, k] = Σ over images and outputs i of x[i·stride + k·dilation − pad, c] · gy[i, o].
 * Inputs: x [N,C,…], gy [N,O,…] (the gradient by conv's output). Output: gw [O,C/groups,k…].
 */
export const convWeightGrad = defineOp({
  name: 'convWeightGrad',
  infer(inputs, attrs) {
    const x = spatialInput('convWeightGrad', inputs);
    const gy = check.required(inputs, 1, 'gy');
    const rank = x.shape.length - 2;
    check.sameDType('gy', gy, x);
    checkSpatial('convWeightGrad', attrs, rank);
    check.whole('kernel', attrs.kernel, rank, 1);
    check.whole('groups', [attrs.groups], 1, 1);
    const outChannels = gy.shape[1] ?? 0;
    for (const [name, channels] of Object.entries({ x: x.shape[1], gy: outChannels })) {
      if (channels % attrs.groups === 0) continue;
      throw new ConvletError(
        'argument',
        `convWeightGrad: groups expects a divisor of the ${channels} channels of ${name}, got ${attrs.groups}`,
      );
    }
    const output = windowOutput('convWeightGrad', spatialOf(x.shape), attrs.kernel, attrs);
    check.shape('gy', gy, [x.shape[0], outChannels, ...output]);
    return [{ dtype: x.dtype, shape: [outChannels, x.shape[1] / attrs.groups, ...attrs.kernel] }];
  },
  layouts: (inputs) => ({ ...channelsLastLayouts(inputs, [], [0, 1]), outputs: ['row'] }),
  forward(emit, [x, gy], outputs, attrs) {
    emit.call('convWeightGrad', [x, gy], outputs, {
      ...windowAttrs(x!, spatialOf(gy!.shape), attrs.kernel, attrs),
      channels: x!.shape[1],
      outChannels: gy!.shape[1],
      groups: attrs.groups,
    });
  },
  macs: (inputs, _outputs, attrs) =>
    product(inputs[1]!.shape) * (inputs[0]!.shape[1] / attrs.groups) * product(attrs.kernel),
  cases: () => convWeightGradCases(),
});

function convWeightGradCases(): OpCase<ConvWeightGradOpAttrs>[] {
  const make = (
    x: number[],
    outChannels: number,
    kernel: number[],
    given: Partial<ConvWeightGradOpAttrs> = {},
  ): OpCase<ConvWeightGradOpAttrs> => {
    const attrs = { groups: 1, kernel, ...caseSpatial(x.length - 2), ...given };
    const output = windowOutput('convWeightGrad', x.slice(2), kernel, attrs);
    return { attrs, inputs: [random(...x), random(x[0], outChannels, ...output)] };
  };
  const pad = (n: number, rank = 2) => ({ padBegin: new Array(rank).fill(n), padEnd: new Array(rank).fill(n) });
  return [
    make([1, 1, 1, 1], 1, [1, 1]),
    make([2, 8, 9, 7], 12, [1, 1]),
    make([3, 16, 5, 6], 40, [1, 1], { stride: [2, 3] }),
    make([4, 1, 13, 11], 6, [5, 5], pad(2)),
    make([2, 3, 11, 13], 8, [3, 3], { ...pad(1), stride: [2, 2] }),
    make([2, 3, 23, 21], 16, [7, 7], { ...pad(3), stride: [2, 2] }),
    make([3, 6, 9, 9], 16, [5, 5]),
    make([2, 16, 12, 12], 16, [3, 3], pad(1)),
    make([1, 33, 9, 15], 23, [3, 3], pad(1)),
    make([1, 4, 8, 8], 6, [3, 3], { padBegin: [0, 2], padEnd: [1, 0] }),
    make([2, 6, 10, 11], 5, [3, 2], { ...pad(2), dilation: [2, 3] }),
    make([1, 8, 9, 9], 12, [3, 3], { ...pad(1), groups: 4 }),
    make([2, 6, 5, 5], 6, [5, 5], { ...pad(4), groups: 2, stride: [3, 2] }),
    make([2, 8, 13, 11], 8, [3, 3], { ...pad(1), groups: 8 }),
    make([2, 21, 12, 10], 21, [5, 5], { ...pad(2), groups: 21, stride: [2, 2] }),
    make([1, 19, 9, 8], 19, [3, 3], { ...pad(2), groups: 19, dilation: [2, 2] }),
    make([1, 4, 7, 7], 12, [3, 3], { ...pad(1), groups: 4 }),
    make([2, 3, 17], 8, [5], { ...pad(2, 1), stride: [2] }),
    make([1, 12, 20], 12, [3], { ...pad(1, 1), groups: 12 }),
    make([1, 3, 5, 6, 7], 4, [3, 3, 3], { ...pad(1, 3), stride: [1, 2, 1] }),
    make([2, 4, 4, 5, 6], 4, [2, 1, 3], { groups: 2, dilation: [2, 1, 1] }),
    make([5, 40, 1, 1], 70, [1, 1]),
    make([3, 2, 2, 2], 2, [5, 5], pad(2)),
    make([2, 70, 6, 5], 65, [2, 2], { stride: [2, 2] }),
  ];
}
