import { extent } from '../../../src/ops/window.ts';
import type { Random } from '../../kernels/harness.ts';
import { gradCheck } from '../../support/gradcheck.ts';

const each = (rank: number, f: (axis: number) => number): number[] => Array.from({ length: rank }, (_, i) => f(i));

/** Window geometry of 1 to 3 axes, and inputs large enough for one window at least. */
function geometry(random: Random) {
  const rank = random.pick([1, 2, 2, 2, 3]);
  const most = rank === 3 ? 2 : 3;
  const kernel = each(rank, () => random.int(1, most));
  const dilation = each(rank, () => random.pick([1, 1, 2]));
  const stride = each(rank, () => random.int(1, 3));
  const padBegin = each(rank, () => random.int(0, 2));
  const padEnd = each(rank, () => random.int(0, 2));
  const size = each(rank, (i) => {
    const least = Math.max(1, extent(kernel[i], dilation[i]) - padBegin[i] - padEnd[i]);
    return least + random.int(0, rank === 3 ? 2 : 5);
  });
  return { rank, kernel, size, attrs: { stride, padBegin, padEnd, dilation, activation: null } };
}

/** Groups, and channels on both sides: also one per group (depthwise), and more than a register tile. */
function channels(random: Random): { groups: number; ins: number; outs: number } {
  const kind = random.pick(['one', 'one', 'groups', 'depthwise']);
  if (kind === 'depthwise') {
    const groups = random.pick([2, 3, 5, 17]);
    return { groups, ins: groups, outs: groups };
  }
  const groups = kind === 'groups' ? random.int(2, 3) : 1;
  const count = (): number => groups * random.pick([1, 2, 3, 4, 5, 8, 13]);
  return { groups, ins: count(), outs: count() };
}

gradCheck(
  'conv',
  (random) => {
    const { rank, kernel, size, attrs } = geometry(random);
    const { groups, ins, outs } = channels(random);
    const x = [random.int(1, 3), ins, ...size];
    const weight = [outs, ins / groups, ...kernel];
    const spatial = each(
      rank,
      (i) =>
        Math.floor(
          (size[i] + attrs.padBegin[i] + attrs.padEnd[i] - extent(kernel[i], attrs.dilation[i])) / attrs.stride[i],
        ) + 1,
    );
    const residual = random.next() < 0.3 ? { shape: [x[0], outs, ...spatial] } : null;
    const bias = random.next() < 0.6 ? { shape: [outs] } : null;
    return { attrs: { ...attrs, groups }, inputs: [{ shape: x }, { shape: weight }, bias, residual] };
  },
  { count: 60 },
);

gradCheck(
  'convTranspose',
  (random) => {
    const { rank, kernel, attrs } = geometry(random);
    const { groups, ins, outs } = channels(random);
    const { stride, dilation, padBegin, padEnd } = attrs;
    const outputPadding = each(rank, (i) => random.int(0, Math.max(stride[i], dilation[i]) - 1));
    const size = each(rank, (i) => {
      const shrink = padBegin[i] + padEnd[i] - extent(kernel[i], dilation[i]) - outputPadding[i];
      return Math.max(1, Math.ceil((shrink + 1) / stride[i]) + 1) + random.int(0, 2);
    });
    const x = [random.int(1, 2), ins, ...size];
    const weight = [ins, outs / groups, ...kernel];
    const bias = random.next() < 0.6 ? { shape: [outs] } : null;
    return { attrs: { ...attrs, groups, outputPadding }, inputs: [{ shape: x }, { shape: weight }, bias] };
  },
  { count: 60 },
);
