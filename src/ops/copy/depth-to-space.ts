import { ConvletError, shapeText } from '../../common/error.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker, expectRank } from '../check.ts';
import { apply, gradOf } from '../core/gradient.ts';
import { defineOp, followLayouts, type TensorInfo } from '../core/op.ts';
import type { DepthToSpaceAttrs } from './attrs.ts';
import { expectIntegers, sameLayout } from './copy.ts';

const ofDepthToSpace = checker('depthToSpace');
const ofSpaceToDepth = checker('spaceToDepth');
const ofChannelShuffle = checker('channelShuffle');

// Ops that move elements between channels and space, or channels among themselves: one strided copy each.

function expectBlock(
  op: string,
  x: TensorInfo,
  { blockSize, mode }: DepthToSpaceAttrs,
  modes: readonly string[],
): void {
  expectRank(op, 'x', x, 4);
  expectIntegers(op, 'blockSize', [blockSize], 1, 1);
  if (!modes.includes(mode))
    throw new ConvletError('argument', `${op}: mode expects ${modes.join(' or ')}, got ${String(mode)}`);
}

/** Strides of the six axes n, c, h, bh, w, bw of a map whose channels are split into blocks. */
function deepStrides(t: Tensor, b: number, mode: 'DCR' | 'CRD'): number[] {
  const [n, c, h, w] = t.strides;
  const channels = t.shape[1] / (b * b);
  return mode === 'DCR' ? [n, c, h, c * channels * b, w, c * channels] : [n, c * b * b, h, c * b, w, c];
}

function wideStrides(t: Tensor, b: number): number[] {
  const [n, c, h, w] = t.strides;
  return [n, c, h * b, h, w * b, w];
}

/** [N, C·b², H, W] → [N, C, H·b, W·b]. DCR: channels are [b, b, C]; CRD: [C, b, b] (PyTorch's pixel shuffle). */
export const depthToSpace = defineOp({
  name: 'depthToSpace',
  infer(inputs, attrs) {
    const x = ofDepthToSpace.required(inputs, 0, 'x');
    expectBlock('depthToSpace', x, attrs, ['DCR', 'CRD']);
    const [n, c, h, w] = x.shape;
    const b = attrs.blockSize;
    if (c % (b * b) !== 0) {
      throw new ConvletError(
        'shape',
        `depthToSpace: x expects a multiple of ${b * b} channels, got ${c} (shape ${shapeText(x.shape)})`,
      );
    }
    return [{ dtype: x.dtype, shape: [n, c / (b * b), h * b, w * b] }];
  },
  layouts: sameLayout,
  forward(emit, inputs, outputs, { blockSize, mode }) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    const [n, c] = y.shape;
    emit.call('copy', [x], [y], {
      dims: [n, c, x.shape[2], blockSize, x.shape[3], blockSize],
      inputOffset: 0,
      inputStrides: deepStrides(x, blockSize, mode),
      outputOffset: 0,
      outputStrides: wideStrides(y, blockSize),
    });
  },
  backward: (g) => [apply(g, 'spaceToDepth', [gradOf(g)], g.attrs)],
});

/** The inverse of depthToSpace (ONNX has the order DCR; CRD is PyTorch's pixel_unshuffle). */
export const spaceToDepth = defineOp({
  name: 'spaceToDepth',
  infer(inputs, attrs) {
    const x = ofSpaceToDepth.required(inputs, 0, 'x');
    expectBlock('spaceToDepth', x, attrs, ['DCR', 'CRD']);
    const [n, c, h, w] = x.shape;
    const b = attrs.blockSize;
    if (h % b !== 0 || w % b !== 0) {
      throw new ConvletError(
        'shape',
        `spaceToDepth: x expects height and width that are multiples of ${b}, got shape ${shapeText(x.shape)}`,
      );
    }
    return [{ dtype: x.dtype, shape: [n, c * b * b, h / b, w / b] }];
  },
  layouts: sameLayout,
  forward(emit, inputs, outputs, { blockSize, mode }) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    const [n, c] = x.shape;
    emit.call('copy', [x], [y], {
      dims: [n, c, y.shape[2], blockSize, y.shape[3], blockSize],
      inputOffset: 0,
      inputStrides: wideStrides(x, blockSize),
      outputOffset: 0,
      outputStrides: deepStrides(y, blockSize, mode),
    });
  },
  backward: (g) => [apply(g, 'depthToSpace', [gradOf(g)], g.attrs)],
});

/** Channels [groups, C/groups] transposed (ShuffleNet): channel g·(C/groups) + i becomes channel i·groups + g. */
export const channelShuffle = defineOp({
  name: 'channelShuffle',
  infer(inputs, { groups }) {
    const x = ofChannelShuffle.required(inputs, 0, 'x');
    ofChannelShuffle.rank('x', x, 3, 4, 5);
    expectIntegers('channelShuffle', 'groups', [groups], 1, 1);
    if (x.shape[1] % groups !== 0) {
      throw new ConvletError(
        'shape',
        `channelShuffle: groups ${groups} does not divide the ${x.shape[1]} channels of x (shape ${shapeText(x.shape)})`,
      );
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { groups }) {
    const [x, y] = [inputs[0] as Tensor, outputs[0]];
    const each = x.shape[1] / groups;
    const [n, c, ...space] = x.strides;
    const [yn, yc, ...ySpace] = y.strides;
    emit.call('copy', [x], [y], {
      dims: [x.shape[0], ...x.shape.slice(2), each, groups],
      inputOffset: 0,
      inputStrides: [n, ...space, c, c * each],
      outputOffset: 0,
      outputStrides: [yn, ...ySpace, yc * groups, yc],
    });
  },
  backward(g) {
    const gy = gradOf(g);
    return [apply(g, 'channelShuffle', [gy], { groups: gy.shape[1] / g.attrs.groups })];
  },
});
