import { elementCount } from '../../../src/tensor/layout.ts';
import type { Random } from '../../kernels/harness.ts';
import { gradCheck, randomShape } from '../../support/gradcheck.ts';

const shuffled = (random: Random, length: number): number[] => {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.int(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
};

/** Some of the axes, ascending. */
const someAxes = (random: Random, rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => i).filter(() => random.next() < 0.5);

for (const kind of ['Sum', 'Mean', 'L2', 'SumSquare', 'LogSumExp', 'Prod', 'L1', 'LogSum', 'Max', 'Min']) {
  gradCheck(`reduce${kind}`, (random) => {
    const shape = randomShape(random);
    const axes = someAxes(random, shape.length);
    const attrs = { axes, keepDims: random.next() < 0.5 };
    // Distinct values, so that no two share an extreme; positive ones for the logarithm.
    const order = shuffled(random, elementCount(shape));
    if (['Max', 'Min', 'L1'].includes(kind))
      return { attrs, inputs: [{ shape, values: order.map((i) => i - order.length / 3 + 0.1) }] };
    return { attrs, inputs: [{ shape, range: kind === 'LogSum' ? [0.2, 2] : [-2, 2] }] };
  });
}

gradCheck(
  'matmul',
  (random) => {
    const [m, n, k] = [random.int(1, 6), random.int(1, 6), random.int(1, 6)];
    const batch = randomShape(random, random.int(0, 2), 3);
    const some = (): number[] => batch.slice(random.int(0, batch.length)).map((d) => (random.next() < 0.3 ? 1 : d));
    const [transposeA, transposeB] = [random.next() < 0.5, random.next() < 0.5];
    const aVector = random.next() < 0.15;
    const bVector = random.next() < 0.15;
    const a = aVector ? [k] : [...(random.next() < 0.5 ? batch : some()), ...(transposeA ? [k, m] : [m, k])];
    const b = bVector ? [k] : [...(random.next() < 0.5 ? batch : some()), ...(transposeB ? [n, k] : [k, n])];
    const bias = random.next() < 0.5 ? { shape: [bVector ? 1 : n] } : null;
    const attrs = { transposeA, transposeB, alpha: random.pick([1, 0.5]), activation: null };
    return { attrs, inputs: [{ shape: a }, { shape: b }, bias] };
  },
  { count: 60 },
);

gradCheck('reshape', (random) => {
  const shape = randomShape(random);
  return {
    attrs: { shape: random.pick([[elementCount(shape)], [...shape].reverse(), [1, ...shape]]) },
    inputs: [{ shape }],
  };
});

gradCheck('transpose', (random) => {
  const shape = randomShape(random);
  return { attrs: { perm: shuffled(random, shape.length) }, inputs: [{ shape }] };
});

gradCheck('concat', (random) => {
  const shape = randomShape(random);
  const axis = random.int(0, shape.length - 1);
  const inputs = Array.from({ length: random.int(1, 4) }, () => ({
    shape: shape.map((d, i) => (i === axis ? random.int(1, 4) : d)),
  }));
  return { attrs: { axis }, inputs };
});

gradCheck('slice', (random) => {
  const shape = randomShape(random, undefined, 7);
  const steps = shape.map(() => random.pick([1, 1, 2, 3, -1, -2]));
  const starts = shape.map((d) => random.int(0, d - 1));
  const sizes = shape.map((d, i) => {
    const room = steps[i] > 0 ? d - 1 - starts[i] : starts[i];
    return random.int(1, 1 + Math.floor(room / Math.abs(steps[i])));
  });
  return { attrs: { starts, steps, sizes }, inputs: [{ shape }] };
});

for (const mode of ['constant', 'reflect', 'edge', 'wrap']) {
  gradCheck('pad', (random) => {
    const shape = randomShape(random, undefined, 5);
    const around = (): number[] => shape.map((d) => random.int(d > 2 ? -1 : 0, 6));
    return { attrs: { begin: around(), end: around(), mode, value: 0.5 }, inputs: [{ shape }] };
  });
}

gradCheck('expand', (random) => {
  const shape = randomShape(random);
  const given = shape.slice(random.int(0, shape.length)).map((d) => (random.next() < 0.5 ? 1 : d));
  return { attrs: { shape }, inputs: [{ shape: given }] };
});

gradCheck('tile', (random) => {
  const shape = randomShape(random, undefined, 4);
  return { attrs: { repeats: shape.map(() => random.int(1, 3)) }, inputs: [{ shape }] };
});

for (const mode of ['DCR', 'CRD']) {
  gradCheck('depthToSpace', (random) => {
    const b = random.int(1, 3);
    const [n, c, h, w] = randomShape(random, 4, 3);
    return { attrs: { blockSize: b, mode }, inputs: [{ shape: [n, c * b * b, h, w] }] };
  });
  gradCheck('spaceToDepth', (random) => {
    const b = random.int(1, 3);
    const [n, c, h, w] = randomShape(random, 4, 3);
    return { attrs: { blockSize: b, mode }, inputs: [{ shape: [n, c, h * b, w * b] }] };
  });
}

gradCheck('channelShuffle', (random) => {
  const groups = random.int(1, 3);
  const [n, c, ...space] = randomShape(random, random.int(3, 5), 3);
  return { attrs: { groups }, inputs: [{ shape: [n, c * groups, ...space] }] };
});

gradCheck('gather', (random) => {
  const shape = randomShape(random);
  const axis = random.int(0, shape.length - 1);
  const indices = {
    shape: randomShape(random, random.int(0, 2), 4),
    dtype: 'int64',
    range: [-shape[axis], shape[axis] - 1],
  } as const;
  return { attrs: { axis }, inputs: [{ shape }, indices] };
});

/** Indices of at most the shape of x except along `axis`; different ones along it where `distinct`. */
function elementIndices(random: Random, shape: readonly number[], axis: number, distinct: boolean) {
  const length = random.int(1, distinct ? shape[axis] : 6);
  const of = shape.map((d, i) => (i === axis ? length : random.int(1, d)));
  const count = elementCount(of);
  const inner = elementCount(of.slice(axis + 1));
  const values = new Array<number>(count);
  for (let start = 0; start < count; start++) {
    if (Math.floor(start / inner) % length !== 0) continue;
    const order = shuffled(random, shape[axis]);
    for (let j = 0; j < length; j++)
      values[start + j * inner] = distinct ? order[j] : random.int(-shape[axis], shape[axis] - 1);
  }
  return { shape: of, dtype: 'int64', values } as const;
}

gradCheck('gatherElements', (random) => {
  const shape = randomShape(random);
  const axis = random.int(0, shape.length - 1);
  return { attrs: { axis }, inputs: [{ shape }, elementIndices(random, shape, axis, false)] };
});

for (const reduction of ['none', 'add']) {
  gradCheck('scatterElements', (random) => {
    const shape = randomShape(random);
    const axis = random.int(0, shape.length - 1);
    const indices = elementIndices(random, shape, axis, reduction === 'none');
    return { attrs: { axis, reduction }, inputs: [{ shape }, indices, { shape: indices.shape }] };
  });

  gradCheck('scatterND', (random) => {
    const shape = randomShape(random);
    const count = random.int(1, shape[0]);
    const order = shuffled(random, shape[0]).slice(0, count);
    const values = reduction === 'none' ? order : order.map(() => random.int(0, shape[0] - 1));
    const indices = { shape: [count, 1], dtype: 'int64', values } as const;
    return { attrs: { reduction }, inputs: [{ shape }, indices, { shape: [count, ...shape.slice(1)] }] };
  });
}

gradCheck('gatherND', (random) => {
  const shape = randomShape(random, random.int(2, 4));
  const batchDims = random.int(0, 1);
  const depth = random.int(1, shape.length - batchDims);
  const least = Math.min(...shape.slice(batchDims, batchDims + depth));
  const indices = {
    shape: [...shape.slice(0, batchDims), random.int(1, 4), depth],
    dtype: 'int64',
    range: [0, least - 1],
  } as const;
  return { attrs: { batchDims }, inputs: [{ shape }, indices] };
});

for (const op of ['cumSum', 'cumProd']) {
  gradCheck(op, (random) => {
    const shape = randomShape(random);
    const attrs = {
      axis: random.int(0, shape.length - 1),
      exclusive: random.next() < 0.5,
      reverse: random.next() < 0.5,
    };
    return { attrs, inputs: [{ shape, range: [-2, 2], avoid: (v) => (Math.abs(v) < 0.4 ? 0 : v) }] };
  });
}

gradCheck('topK', (random) => {
  const shape = randomShape(random);
  const axis = random.int(0, shape.length - 1);
  const attrs = { k: random.int(1, shape[axis]), axis, largest: random.next() < 0.5, sorted: true };
  return { attrs, inputs: [{ shape, values: shuffled(random, elementCount(shape)) }] };
});

gradCheck('trilu', (random) => {
  const shape = randomShape(random, random.int(2, 4));
  return { attrs: { k: random.int(-2, 2), upper: random.next() < 0.5 }, inputs: [{ shape }] };
});

gradCheck('reverseSequence', (random) => {
  const shape = randomShape(random, random.int(2, 4));
  const lengths = { shape: [shape[1]], dtype: 'int64', range: [0, shape[0]] } as const;
  return { attrs: { batchAxis: 1, timeAxis: 0 }, inputs: [{ shape }, lengths] };
});

for (const op of ['unfold', 'fold']) {
  gradCheck(op, (random) => {
    const two = (lo: number, hi: number): number[] => [random.int(lo, hi), random.int(lo, hi)];
    const attrs = { kernel: two(1, 3), stride: two(1, 2), padBegin: two(0, 1), padEnd: two(0, 1), dilation: two(1, 2) };
    const outputSize = two(5, 7);
    const [n, c] = two(1, 2);
    if (op === 'unfold') return { attrs, inputs: [{ shape: [n, c, ...outputSize] }] };
    const windows = outputSize.map(
      (size, i) =>
        Math.floor(
          (size + attrs.padBegin[i] + attrs.padEnd[i] - attrs.dilation[i] * (attrs.kernel[i] - 1) - 1) /
            attrs.stride[i],
        ) + 1,
    );
    return {
      attrs: { ...attrs, outputSize },
      inputs: [{ shape: [n, c * elementCount(attrs.kernel), elementCount(windows)] }],
    };
  });
}

for (const mode of ['linear', 'nearest', 'cubic'] as const) {
  gradCheck(
    'gridSample',
    (random) => {
      const space = mode === 'cubic' ? 2 : random.int(1, 3);
      const [n, c, ...sizes] = [random.int(1, 2), random.int(1, 2), ...randomShape(random, space, 5).map((d) => d + 1)];
      const points = randomShape(random, space, 3);
      const alignCorners = random.next() < 0.5;
      const grid = Array.from({ length: n * elementCount(points) * space }, (_, i) => {
        // A quarter of the way between pixel centres: where taps change and mirrors stand the function has corners.
        const size = sizes[space - 1 - (i % space)];
        const at = random.int(-3, size + 2) + random.pick([0.25, 0.75]);
        return alignCorners ? (2 * at) / (size - 1) - 1 : (2 * at + 1) / size - 1;
      });
      const attrs = { mode, paddingMode: random.pick(['zeros', 'border', 'reflection']), alignCorners };
      return { attrs, inputs: [{ shape: [n, c, ...sizes] }, { shape: [n, ...points, space], values: grid }] };
    },
    { count: 40, tolerance: 5e-5 },
  );
}

gradCheck('affineGrid', (random) => {
  const space = random.int(2, 3);
  const size = [random.int(1, 3), 1, ...randomShape(random, space, 4)];
  return { attrs: { size, alignCorners: random.next() < 0.5 }, inputs: [{ shape: [size[0], space, space + 1] }] };
});
