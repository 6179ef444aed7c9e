import { crossEntropyGradInputs, crossEntropyInputs } from '../../backend/prims/loss.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  checker,
  expectDType,
  expectFloat,
  expectNumber,
  expectOneOf,
  expectShape,
  expectWhole,
  required,
} from '../check.ts';
import { indexInput } from '../copy/gather.ts';
import { add, apply, castTo, div, inputOf, mul, neg, reshapeTo, scalar, scale, sub } from '../core/gradient.ts';
import { defineOp, type Layouts, type Placed, type TensorInfo } from '../core/op.ts';
import { aroundAxis } from '../reduce/softmax.ts';
import type { CrossEntropyOpAttrs, Reduction } from './attrs.ts';

const checks = checker('crossEntropyGrad');

export const reductions = ['mean', 'sum', 'none'] as const satisfies readonly Reduction[];

/** Classes are axis 1, or the only one. */
const classAxis = (x: TensorInfo): number => (x.shape.length === 1 ? 0 : 1);
const targetShape = (x: TensorInfo): number[] => x.shape.filter((_, i) => i !== classAxis(x));

function check(
  op: string,
  x: TensorInfo,
  target: TensorInfo,
  weight: TensorInfo | null | undefined,
  attrs: CrossEntropyOpAttrs,
): void {
  expectFloat(op, 'x', x);
  if (x.shape.length === 0)
    throw new ConvletError('shape', `${op}: x expects [C], [N,C] or [N,C,…], got ${shapeText(x.shape)}`);
  expectShape(op, 'target', target, targetShape(x));
  if (weight) {
    expectDType(op, 'weight', weight, x.dtype);
    expectShape(op, 'weight', weight, [x.shape[classAxis(x)]]);
  }
  expectOneOf(op, 'reduction', attrs.reduction, reductions);
  expectWhole(op, 'ignoreIndex', [attrs.ignoreIndex], 1, -0x80000000);
  expectNumber(op, 'labelSmoothing', attrs.labelSmoothing, 0);
  if (attrs.labelSmoothing > 1)
    throw new ConvletError('argument', `${op}: labelSmoothing expects a number in 0…1, got ${attrs.labelSmoothing}`);
}

/** Data in its own layout; targets and losses in row order, which is the same for every layout of the data. */
const layouts = (
  inputs: readonly (Placed | null)[],
  outputs: readonly TensorInfo[],
  like: readonly number[],
): Layouts => {
  const { layout } = inputs[0] as Placed;
  return {
    inputs: inputs.map((_, i) => (i === 0 ? layout : 'row')),
    outputs: outputs.map((_, i) => (like.includes(i) ? layout : 'row')),
  };
};

/**
 * Cross entropy of x [N,C,…] (or [C]) with target classes [N,…]: softmaxCrossEntropy of logits (outputs: loss, their
 * log-softmax, total), nllLoss of log-probabilities (outputs: loss, total). total is the sum of the targets' weights; a mean is
 * divided by it (NaN if all targets are ignored). Inputs: x, target, weight [C] or null.
 */
export const crossEntropyOps = (['softmaxCrossEntropy', 'nllLoss'] as const).map((name) => {
  const logits = name === 'softmaxCrossEntropy';
  return defineOp({
    name,
    infer(inputs, attrs) {
      const x = required(name, inputs, 0, 'x');
      check(name, x, indexInput(name, inputs, 1, 'target'), inputs[crossEntropyInputs.weight], attrs);
      const loss = { dtype: x.dtype, shape: attrs.reduction === 'none' ? targetShape(x) : [] };
      const total = { dtype: x.dtype, shape: [] };
      return logits ? [loss, { dtype: x.dtype, shape: x.shape }, total] : [loss, total];
    },
    layouts: (inputs, _, outputs) => layouts(inputs, outputs, logits ? [1] : []),
    forward(emit, inputs, outputs, { reduction, ignoreIndex, labelSmoothing }) {
      const [x, target, weight = null] = inputs as Tensor[];
      const [loss, total] = [outputs[0], outputs[outputs.length - 1]];
      const around = aroundAxis(x, classAxis(x));
      if (logits) emit.call('softmax', [x], [outputs[1]], { ...around, log: true });
      const each = reduction === 'none' ? loss : emit.temp(x.dtype, target.shape);
      const share = emit.temp(x.dtype, target.shape);
      const attrs = { ...around, ignoreIndex, labelSmoothing };
      emit.call('crossEntropy', [logits ? outputs[1] : x, target, weight], [each, share], attrs);
      const sum = (from: Tensor, to: Tensor): void =>
        emit.call('reduce', [from], [to], { kind: 'sum', outer: 1, length: product(target.shape), inner: 1 });
      sum(share, total);
      if (reduction === 'sum') sum(each, loss);
      if (reduction !== 'mean') return;
      const all = emit.temp(x.dtype, []);
      sum(each, all);
      const one = { dims: [], aStrides: [], bStrides: [], activation: null };
      emit.call('binary', [all, total], [loss], { kind: 'div', ...one });
    },
    backward(g) {
      const y = logits ? g.outputs[1] : inputOf(g);
      const total = g.outputs[g.outputs.length - 1];
      const [byLoss, byLogarithm] = [g.grads[0], logits ? g.grads[1] : null];
      const parts: TensorInfo[] = [];
      if (byLoss) {
        const inputs = [y, inputOf(g, 1), g.inputs[crossEntropyInputs.weight] ?? null, byLoss, total];
        parts.push(apply(g, 'crossEntropyGrad', inputs, { ...g.attrs, logits }));
      }
      if (byLogarithm) parts.push(apply(g, 'softmaxGrad', [y, byLogarithm], { axis: classAxis(y), log: true }));
      return [parts.length === 0 ? null : parts.reduce((a, b) => add(g, a, b)), null, null];
    },
  });
});

/** Gradient of the losses above. Inputs: log-probabilities y, target, weight or null, gy, total. Output: gx like y. */
export const crossEntropyGrad = defineOp({
  name: 'crossEntropyGrad',
  infer(inputs, attrs) {
    const y = checks.required(inputs, 0, 'y');
    check(
      'crossEntropyGrad',
      y,
      indexInput('crossEntropyGrad', inputs, 1, 'target'),
      inputs[crossEntropyInputs.weight],
      attrs,
    );
    const gy = checks.required(inputs, crossEntropyGradInputs.gy, 'gy');
    checks.dtype('gy', gy, y.dtype);
    checks.shape('gy', gy, attrs.reduction === 'none' ? targetShape(y) : []);
    checks.shape('total', checks.required(inputs, crossEntropyGradInputs.total, 'total'), []);
    return [{ dtype: y.dtype, shape: y.shape }];
  },
  layouts: (inputs, _, outputs) => layouts(inputs, outputs, [0]),
  forward(emit, inputs, outputs, { reduction, ignoreIndex, labelSmoothing, logits }) {
    const [y, target, weight, gy, total] = inputs;
    emit.call('crossEntropyGrad', [y, target, weight, gy, reduction === 'mean' ? total : null], outputs, {
      ...aroundAxis(y as Tensor, classAxis(y as Tensor)),
      ignoreIndex,
      labelSmoothing,
      logits,
      gyStep: reduction === 'none' ? 1 : 0,
    });
  },
  composed(g, [y, target, weight, gy, total], { reduction, ignoreIndex, labelSmoothing, logits }) {
    const axis = classAxis(y!);
    const [classes, { dtype }] = [y!.shape[axis], y!];
    const wide = (t: TensorInfo) =>
      reshapeTo(
        g,
        t,
        y!.shape.map((d, i) => (i === axis ? 1 : d)),
      );
    const counts = apply(g, 'not', [apply(g, 'equal', [target, scalar(g, ignoreIndex, target!.dtype)], {})], {});
    const known = apply(g, 'where', [counts, target, scalar(g, 0, target!.dtype)]);
    const ends = castTo(g, g.constant(Float32Array.of(0, 1), [2]), dtype);
    const hot = apply(g, 'oneHot', [known, ends], { depth: classes, axis });
    const own = weight
      ? reshapeTo(
          g,
          weight,
          y!.shape.map((d, i) => (i === axis ? d : 1)),
        )
      : scalar(g, 1, dtype);
    const aims = add(g, scale(g, mul(g, hot, own), 1 - labelSmoothing), scale(g, own, labelSmoothing / classes));
    const given = reduction === 'none' ? wide(gy!) : gy!;
    const each = reduction === 'mean' ? div(g, given, total!) : given;
    const slopes = neg(g, mul(g, mul(g, aims, each), wide(castTo(g, counts, dtype))));
    if (!logits) return [slopes];
    const sums = apply(g, 'reduceSum', [slopes], { axes: [axis], keepDims: true });
    return [sub(g, slopes, mul(g, apply(g, 'exp', [y], {}), sums))];
  },
});
