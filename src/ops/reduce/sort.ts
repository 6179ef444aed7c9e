import { dtypes } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker, normalizeAxis, required } from '../check.ts';
import { apply, gradOf, inputOf, zeros } from '../core/gradient.ts';
import { defineOp, followLayouts, type Layouts, type Placed, type TensorInfo } from '../core/op.ts';
import { aroundAxis } from './softmax.ts';

const check = checker('topK');

function numbers(op: string, inputs: readonly (TensorInfo | null)[]): TensorInfo {
  const x = required(op, inputs, 0, 'x');
  if (dtypes[x.dtype].kind === 'bool') throw new ConvletError('dtype', `${op}: x expects numbers, got bool`);
  return x;
}

/** The k largest or smallest along `axis`, best first, the earlier of equals first; NaN counts as the largest. */
export const topK = defineOp({
  name: 'topK',
  infer(inputs, attrs) {
    const x = numbers('topK', inputs);
    const axis = check.axis(attrs.axis, x.shape.length);
    if (!Number.isInteger(attrs.k) || attrs.k < 0 || attrs.k > x.shape[axis]) {
      throw new ConvletError(
        'argument',
        `topK: k expects a whole number in 0…${x.shape[axis]} (axis ${axis} of shape ${shapeText(x.shape)}), got ${attrs.k}`,
      );
    }
    const shape = x.shape.map((d, i) => (i === axis ? attrs.k : d));
    return [
      { dtype: x.dtype, shape },
      { dtype: 'int64', shape },
    ];
  },
  layouts(inputs): Layouts {
    const { layout } = inputs[0] as Placed;
    return { inputs: [layout], outputs: [layout, layout] };
  },
  forward(emit, inputs, outputs, { k, axis, largest }) {
    const x = inputs[0] as Tensor;
    const { outer, length, inner } = aroundAxis(x, check.axis(axis, x.rank));
    emit.call('host', inputs, outputs, {
      name: 'topK',
      run: ([from], [values, indices]) => {
        const { array } = from as Tensor;
        const line = new Float64Array(length);
        const order = new Uint32Array(length);
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            for (let j = 0, at = o * length * inner + i; j < length; j++, at += inner) {
              // Keys are sorted in descending order. NaN becomes ∞ before the sign changes, since −NaN would sort like NaN.
              const v = array[at];
              const rank = Number.isNaN(v) ? Infinity : v;
              line[j] = largest ? rank : -rank;
              order[j] = j;
            }
            best(line, order, k);
            for (let j = 0, at = o * k * inner + i; j < k; j++, at += inner) {
              values.array[at] = array[(o * length + order[j]) * inner + i];
              indices.array[at] = order[j];
            }
          }
        }
      },
    });
  },
  backward(g) {
    const [gy, { shape }] = [gradOf(g), inputOf(g)];
    const attrs = { axis: g.attrs.axis, reduction: 'add' } as const;
    return [apply(g, 'scatterElements', [zeros(g, shape, gy.dtype), g.outputs[1], gy], attrs)];
  },
});

/** Moves the positions of the k largest keys to the front of `order`, best first, the earlier of equals first. */
function best(keys: Float64Array, order: Uint32Array, k: number): void {
  if (k * 8 > order.length) {
    order.sort((p, q) => keys[q] - keys[p] || p - q);
    return;
  }
  // Few of many: insertion into a sorted front. For most elements the first comparison is enough.
  let count = 0;
  for (let j = 0; j < order.length && k > 0; j++) {
    if (count === k && !(keys[j] > keys[order[k - 1]])) continue;
    let at = count < k ? count++ : k - 1;
    for (; at > 0 && keys[j] > keys[order[at - 1]]; at--) order[at] = order[at - 1];
    order[at] = j;
  }
}

const cumulative = {
  cumSum: { start: 0, join: (total: number, v: number) => total + v },
  cumProd: { start: 1, join: (total: number, v: number) => total * v },
};

/** cumSum and cumProd. */
export const cumulativeOps = (['cumSum', 'cumProd'] as const).map((name) => {
  const { start, join } = cumulative[name];
  return defineOp({
    name,
    infer(inputs, { axis }) {
      const x = numbers(name, inputs);
      normalizeAxis(name, axis, x.shape.length);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
    layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
    forward(emit, inputs, outputs, { axis, exclusive, reverse }) {
      const x = inputs[0] as Tensor;
      const { outer, length, inner } = aroundAxis(x, normalizeAxis(name, axis, x.rank));
      emit.call('host', inputs, outputs, {
        name,
        run: ([from], [y]) => {
          const [source, target] = [(from as Tensor).array, y.array];
          const step = reverse ? -inner : inner;
          for (let o = 0; o < outer; o++) {
            for (let i = 0; i < inner; i++) {
              let at = (o * length + (reverse ? length - 1 : 0)) * inner + i;
              let total = start;
              for (let j = 0; j < length; j++, at += step) {
                const next = join(total, source[at]);
                target[at] = exclusive ? total : next;
                total = next;
              }
            }
          }
        },
      });
    },
    backward(g) {
      const gy = gradOf(g);
      if (name === 'cumProd') return [apply(g, 'cumProdGrad', [inputOf(g), gy], g.attrs)];
      return [apply(g, 'cumSum', [gy], { ...g.attrs, reverse: !g.attrs.reverse })];
    },
  });
});
