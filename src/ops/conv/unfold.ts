import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import { checkShape, type Tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { expectIntegers } from '../copy/copy.ts';
import { apply, gradOf, inputOf } from '../core/gradient.ts';
import { defineOp, rowLayouts } from '../core/op.ts';
import { checkSpatial, windowOutput } from '../window.ts';
import type { UnfoldAttrs } from './attrs.ts';

const ofUnfold = checker('unfold');
const ofFold = checker('fold');

type Numbers = readonly number[];

function checkWindow(op: string, attrs: UnfoldAttrs, size: Numbers): number[] {
  expectIntegers(op, 'kernel', attrs.kernel, 2, 1);
  checkSpatial(op, attrs, 2);
  return windowOutput(op, size, attrs.kernel, attrs);
}

/** [N,C,H,W] → [N, C·kH·kW, L]: the cells of every window as a column (im2col, PyTorch's unfold). */
export const unfold = defineOp({
  name: 'unfold',
  infer(inputs, attrs) {
    const x = ofUnfold.required(inputs, 0, 'x');
    ofUnfold.rank('x', x, 4);
    const [n, c, ...size] = x.shape;
    const [oh, ow] = checkWindow('unfold', attrs, size);
    return [{ dtype: x.dtype, shape: [n, c * attrs.kernel[0] * attrs.kernel[1], oh * ow] }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    if (y.size === 0) return;
    const { kernel, stride, dilation, padBegin, padEnd } = attrs;
    const [n, c, h, w] = x.shape;
    const [oh, ow] = windowOutput('unfold', [h, w], kernel, attrs);
    let source = x;
    if ([...padBegin, ...padEnd].some((p) => p > 0)) {
      source = emit.temp(x.dtype, [n, c, h + padBegin[0] + padEnd[0], w + padBegin[1] + padEnd[1]]);
      emit.call('fill', [], [source], { value: 0, length: source.size });
      emit.call('copy', [x], [source], {
        dims: x.shape,
        inputOffset: 0,
        inputStrides: x.strides,
        outputOffset: padBegin[0] * source.strides[2] + padBegin[1],
        outputStrides: source.strides,
      });
    }
    const [sn, sc, sh, sw] = source.strides;
    const dims = [n, c, kernel[0], kernel[1], oh, ow];
    const strides = dims.map((_, i) => product(dims.slice(i + 1)));
    emit.call('copy', [source], [y], {
      dims,
      inputOffset: 0,
      inputStrides: [sn, sc, sh * dilation[0], sw * dilation[1], sh * stride[0], sw * stride[1]],
      outputOffset: 0,
      outputStrides: strides,
    });
  },
  backward: (g) => [apply(g, 'fold', [gradOf(g)], { ...g.attrs, outputSize: inputOf(g).shape.slice(2) })],
});

/** [N, C·kH·kW, L] → [N,C,H,W]: each column is added to the cells of its window (col2im, PyTorch's fold), the transpose of unfold. */
export const fold = defineOp({
  name: 'fold',
  infer(inputs, attrs) {
    const x = ofFold.required(inputs, 0, 'x');
    ofFold.rank('x', x, 3);
    expectIntegers('fold', 'outputSize', attrs.outputSize, 2, 1);
    const [oh, ow] = checkWindow('fold', attrs, attrs.outputSize);
    const [n, rows, columns] = x.shape;
    const cells = attrs.kernel[0] * attrs.kernel[1];
    if (rows % cells !== 0 || columns !== oh * ow) {
      throw new ConvletError(
        'shape',
        `fold: x expects shape [N, C·${cells}, ${oh * ow}] for outputSize ${shapeText(attrs.outputSize)}, got ${shapeText(x.shape)}`,
      );
    }
    return [{ dtype: x.dtype, shape: checkShape('fold', [n, rows / cells, ...attrs.outputSize]) }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const { kernel, stride, dilation, padBegin, outputSize } = attrs;
    const [oh, ow] = windowOutput('fold', outputSize, kernel, attrs);
    const [h, w] = outputSize;
    emit.call('host', inputs, outputs, {
      name: 'fold',
      run: ([x], [y]) => {
        const [from, to] = [(x as Tensor).array, y.array];
        const planes = y.shape[0] * y.shape[1];
        to.fill(0);
        let at = 0;
        for (let plane = 0; plane < planes; plane++) {
          for (let ky = 0; ky < kernel[0]; ky++) {
            for (let kx = 0; kx < kernel[1]; kx++) {
              for (let i = 0; i < oh; i++) {
                const row = i * stride[0] + ky * dilation[0] - padBegin[0];
                if (row < 0 || row >= h) {
                  at += ow;
                  continue;
                }
                const start = (plane * h + row) * w;
                for (let j = 0, column = kx * dilation[1] - padBegin[1]; j < ow; j++, at++, column += stride[1]) {
                  if (column >= 0 && column < w) to[start + column] += from[at];
                }
              }
            }
          }
        }
      },
    });
  },
  backward(g) {
    const { kernel, stride, dilation, padBegin, padEnd } = g.attrs;
    return [apply(g, 'unfold', [gradOf(g)], { kernel, stride, dilation, padBegin, padEnd })];
  },
});
