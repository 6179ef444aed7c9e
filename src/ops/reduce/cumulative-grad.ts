import type { Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { defineOp, followLayouts } from '../core/op.ts';
import { aroundAxis } from './softmax.ts';

const check = checker('cumProdGrad');

/**
 * Gradient of cumProd: gx[k] = Σ gy[i] · Π x[j] over the products i that contain k, where j are their other factors. Each
 * product is computed again (quadratic in the axis), so that there is no division by a zero element.
 */
export const cumProdGrad = defineOp({
  name: 'cumProdGrad',
  infer(inputs, { axis }) {
    const [x, gy] = [check.required(inputs, 0, 'x'), check.required(inputs, 1, 'gy')];
    check.float('x', x);
    check.dtype('gy', gy, x.dtype);
    check.shape('gy', gy, x.shape);
    check.axis(axis, x.shape.length);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { axis, exclusive, reverse }) {
    const { outer, length, inner } = aroundAxis(inputs[0] as Tensor, check.axis(axis, outputs[0].rank));
    emit.call('host', inputs, outputs, {
      name: 'cumProdGrad',
      run: ([xs, gys], [gx]) => {
        const [x, gy, to] = [(xs as Tensor).array, (gys as Tensor).array, gx.array];
        const step = reverse ? -inner : inner;
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            const first = (o * length + (reverse ? length - 1 : 0)) * inner + i;
            let before = 1;
            for (let k = 0, at = first; k < length; k++, at += step) {
              let others = before;
              let sum = exclusive ? 0 : gy[at] * others;
              for (let j = k + 1, next = at + step; j < length; j++, next += step) {
                if (exclusive) sum += gy[next] * others;
                others *= x[next];
                if (!exclusive) sum += gy[next] * others;
              }
              to[at] = sum;
              before *= x[at];
            }
          }
        }
      },
    });
  },
});
