import type { AdaptivePoolAttrs, PoolAttrs } from '../../backend/prims/pool.ts';
import type { DType } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { checker, expectDType, expectNumber, expectRank, expectWhole, required } from '../check.ts';
import { apply, expandTo, gradOf, inputOf, scale } from '../core/gradient.ts';
import { channelsLastLayouts, defineOp, type Emitter, type GradContext, type TensorInfo } from '../core/op.ts';
import { axisNames, checkSpatial, extent, mostCells, spatialOf, triple, windowAttrs, windowOutput } from '../window.ts';
import type { MaxPoolAttrs, WindowPoolAttrs } from './attrs.ts';

const ofMaxPool = checker('maxPool');
const ofAveragePool = checker('averagePool');

const floats: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16'];

/** The input of a pool: rank 3 to 5, floats or one of `more`. */
export function poolInput(op: string, inputs: readonly (TensorInfo | null)[], ...more: DType[]): TensorInfo {
  const x = required(op, inputs, 0, 'x');
  expectRank(op, 'x', x, 3, 4, 5);
  expectDType(op, 'x', x, ...floats, ...more);
  return x;
}

/** Output shape of a window pool of an x of `shape`, after checking its attributes. */
export function pooledShape(op: string, shape: readonly number[], attrs: WindowPoolAttrs): number[] {
  const rank = shape.length - 2;
  expectWhole(op, 'kernel', attrs.kernel, rank, 1);
  checkSpatial(op, attrs, rank);
  if (product(attrs.kernel) > mostCells) {
    throw new ConvletError(
      'argument',
      `${op}: kernel expects at most ${mostCells} cells, got ${shapeText(attrs.kernel)}`,
    );
  }
  for (const name of ['padBegin', 'padEnd'] as const) {
    attrs[name].forEach((pad, i) => {
      const span = extent(attrs.kernel[i], attrs.dilation[i]);
      if (pad < span) return;
      const axis = axisNames[rank][i];
      throw new ConvletError(
        'argument',
        `${op}: ${name} of axis ${axis} expects less than the window's ${span} cells, got ${pad}`,
      );
    });
  }
  // Padding has no cells: a window that has nothing else would have no maximum and no mean.
  if (spatialOf(shape).includes(0)) {
    throw new ConvletError('shape', `${op}: x expects no empty spatial axis, got shape ${shapeText(shape)}`);
  }
  return [shape[0], shape[1], ...windowOutput(op, spatialOf(shape), attrs.kernel, attrs, attrs.ceilMode)];
}

/** The attributes of the prim of a pool or of its gradient; `x` and `y` are those of the pool. */
export function poolAttrs(x: TensorInfo, y: TensorInfo, attrs: WindowPoolAttrs, kind: PoolAttrs['kind']): PoolAttrs {
  return {
    ...windowAttrs(x, spatialOf(y.shape), attrs.kernel, attrs),
    kind,
    channels: x.shape[1],
    padEnd: triple(attrs.padEnd, 0),
    countPad: false,
    divisor: 0,
    p: 0,
  };
}

const windowOf = ({ kernel, stride, padBegin, padEnd, dilation, ceilMode }: WindowPoolAttrs): WindowPoolAttrs => ({
  kernel,
  stride,
  padBegin,
  padEnd,
  dilation,
  ceilMode,
});

/** Maximum of each window. x [N,C,…] → y, and with `indices` the indices of the maxima. NaN wins over any number. */
export const maxPool = defineOp({
  name: 'maxPool',
  infer(inputs, attrs) {
    const x = poolInput('maxPool', inputs, 'int8', 'uint8');
    ofMaxPool.oneOf('indexBase', attrs.indexBase, ['plane', 'tensor']);
    const shape = pooledShape('maxPool', x.shape, attrs);
    const y = { dtype: x.dtype, shape };
    return attrs.indices ? [y, { dtype: 'int64', shape }] : [y];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const [x] = inputs;
    const prim = poolAttrs(x!, outputs[0], attrs, 'max');
    const asIs = !attrs.indices || (attrs.indexBase === 'plane' && !attrs.columnMajor);
    if (asIs) {
      emit.call('pool', [x], outputs, prim);
      return;
    }
    const inPlane = emit.temp('int64', outputs[1].shape, outputs[1].layout);
    emit.call('pool', [x], [outputs[0], inPlane], prim);
    translateIndices(emit, inPlane, outputs[1], x!, attrs);
  },
  backward: (g) => [apply(g, 'maxPoolGrad', [inputOf(g), gradOf(g)], windowOf(g.attrs))],
});

/** Converts row-major indices inside a plane to the base and order of `attrs`. */
function translateIndices(emit: Emitter, from: Tensor, to: Tensor, x: TensorInfo, attrs: MaxPoolAttrs): void {
  const [, channels, ...spatial] = x.shape;
  const [depth, height, width] = triple(spatial);
  const plane = product(spatial);
  const cells = product(spatialOf(to.shape));
  const run = (inputs: readonly (Tensor | null)[], outputs: readonly Tensor[]): void => {
    const source = inputs[0]!.array;
    const target = outputs[0].array;
    for (let i = 0; i < source.length; i++) {
      let index = source[i];
      if (attrs.columnMajor) {
        const w = index % width;
        const h = Math.floor(index / width) % height;
        const d = Math.floor(index / (width * height));
        index = (w * height + h) * depth + d;
      }
      const image = Math.floor(i / (channels * cells)) * channels + (i % channels);
      target[i] = attrs.indexBase === 'tensor' ? image * plane + index : index;
    }
  };
  emit.call('host', [from], [to], { name: 'maxPool indices', run });
}

/** Mean of each window. x [N,C,…] → y. */
export const averagePool = defineOp({
  name: 'averagePool',
  infer(inputs, attrs) {
    const x = poolInput('averagePool', inputs);
    ofAveragePool.whole('divisorOverride', [attrs.divisorOverride], 1, 0);
    return [{ dtype: x.dtype, shape: pooledShape('averagePool', x.shape, attrs) }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const prim = poolAttrs(inputs[0]!, outputs[0], attrs, 'average');
    emit.call('pool', inputs, outputs, { ...prim, countPad: attrs.countIncludePad, divisor: attrs.divisorOverride });
  },
  backward(g) {
    const { countIncludePad, divisorOverride } = g.attrs;
    const attrs = { ...windowOf(g.attrs), inputShape: inputOf(g).shape, countIncludePad, divisorOverride };
    return [apply(g, 'averagePoolGrad', [gradOf(g)], attrs)];
  },
});

/** (Σ |x|^p)^(1/p) of each window (ONNX LpPool). x [N,C,…] → y. */
export const lpPool = defineOp({
  name: 'lpPool',
  infer(inputs, attrs) {
    const x = poolInput('lpPool', inputs);
    checkP('lpPool', attrs.p);
    return [{ dtype: x.dtype, shape: pooledShape('lpPool', x.shape, attrs) }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    emit.call('pool', inputs, outputs, { ...poolAttrs(inputs[0]!, outputs[0], attrs, 'lp'), p: attrs.p });
  },
  backward: (g) => [apply(g, 'lpPoolGrad', [inputOf(g), gradOf(g)], { ...windowOf(g.attrs), p: g.attrs.p })],
});

function checkP(op: string, p: number): void {
  expectNumber(op, 'p', p);
  if (p <= 0) throw new ConvletError('argument', `${op}: p expects a number > 0, got ${p}`);
}

function globalShape(op: string, x: TensorInfo): number[] {
  const spatial = spatialOf(x.shape);
  const empty = spatial.indexOf(0);
  if (empty >= 0) {
    throw new ConvletError(
      'shape',
      `${op}: output would be undefined: axis ${axisNames[spatial.length][empty]} expects ≥ 1 cells, got 0`,
    );
  }
  return [x.shape[0], x.shape[1], ...spatial.map(() => 1)];
}

/** Defines globalAveragePool and globalMaxPool: one window over all spatial axes, [N,C,…] → [N,C,1…]. */
const globalPool = (name: 'globalAveragePool' | 'globalMaxPool', kind: 'average' | 'max') =>
  defineOp({
    name,
    infer(inputs) {
      const x = poolInput(name, inputs);
      return [{ dtype: x.dtype, shape: globalShape(name, x) }];
    },
    layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
    forward(emit, inputs, outputs) {
      emit.call('adaptivePool', inputs, outputs, adaptiveAttrs(inputs[0]!, outputs[0], kind));
    },
    backward: (g) => [kind === 'max' ? adaptiveGrad(g, 'max') : spread(g)],
  });

/** The gradient of a mean over all cells is the same for all of them. */
function spread(g: GradContext<unknown>): TensorInfo {
  const { shape } = inputOf(g);
  return expandTo(g, scale(g, gradOf(g), 1 / product(spatialOf(shape))), shape);
}

function adaptiveGrad(g: GradContext<unknown>, kind: 'average' | 'max'): TensorInfo {
  const x = inputOf(g);
  if (kind === 'max') return apply(g, 'adaptiveMaxPoolGrad', [x, gradOf(g)]);
  return apply(g, 'adaptiveAveragePoolGrad', [gradOf(g)], { inputShape: x.shape });
}

/** As poolAttrs, for pools whose windows fill the input. */
export function adaptiveAttrs(x: TensorInfo, y: TensorInfo, kind: 'average' | 'max'): AdaptivePoolAttrs {
  const [batch, channels, ...spatial] = x.shape;
  return { kind, batch, channels, input: triple(spatial), output: triple(spatialOf(y.shape)) };
}

export const globalAveragePool = globalPool('globalAveragePool', 'average');
export const globalMaxPool = globalPool('globalMaxPool', 'max');

/** One window that is all of x. */
function wholeWindow(x: TensorInfo): WindowPoolAttrs {
  const kernel = spatialOf(x.shape);
  const [zeros, ones] = [kernel.map(() => 0), kernel.map(() => 1)];
  return { kernel, stride: ones, dilation: ones, padBegin: zeros, padEnd: zeros, ceilMode: false };
}

/** (Σ |x|^p)^(1/p) over all spatial axes (ONNX GlobalLpPool), [N,C,…] → [N,C,1…]. */
export const globalLpPool = defineOp({
  name: 'globalLpPool',
  infer(inputs, attrs) {
    const x = poolInput('globalLpPool', inputs);
    checkP('globalLpPool', attrs.p);
    return [{ dtype: x.dtype, shape: globalShape('globalLpPool', x) }];
  },
  layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    const window = wholeWindow(inputs[0]!);
    emit.call('pool', inputs, outputs, { ...poolAttrs(inputs[0]!, outputs[0], window, 'lp'), p: attrs.p });
  },
  backward(g) {
    const x = inputOf(g);
    return [apply(g, 'lpPoolGrad', [x, gradOf(g)], { ...wholeWindow(x), p: g.attrs.p })];
  },
});

/**
 * Defines adaptiveAveragePool and adaptiveMaxPool (PyTorch): output cell o of an axis reduces input cells
 * floor(o·in/out) … ceil((o+1)·in/out) − 1.
 */
const adaptivePool = (name: 'adaptiveAveragePool' | 'adaptiveMaxPool', kind: 'average' | 'max') =>
  defineOp({
    name,
    infer(inputs, attrs) {
      const x = poolInput(name, inputs);
      globalShape(name, x);
      expectWhole(name, 'outputSize', attrs.outputSize, x.shape.length - 2, 1);
      if (attrs.indices && kind === 'average') {
        throw new ConvletError('argument', `${name}: indices expects false, an average has no place`);
      }
      const y = { dtype: x.dtype, shape: [x.shape[0], x.shape[1], ...attrs.outputSize] };
      return attrs.indices ? [y, { dtype: 'int64', shape: y.shape }] : [y];
    },
    layouts: (inputs, _attrs, outputs) => channelsLastLayouts(inputs, outputs),
    forward(emit, inputs, outputs) {
      emit.call('adaptivePool', inputs, outputs, adaptiveAttrs(inputs[0]!, outputs[0], kind));
    },
    backward: (g) => [adaptiveGrad(g, kind)],
  });

export const adaptiveAveragePool = adaptivePool('adaptiveAveragePool', 'average');
export const adaptiveMaxPool = adaptivePool('adaptiveMaxPool', 'max');
