import { unaryDerivatives } from '../../backend/js/elementwise/unary-grad.ts';
import { type Activation, type UnaryKind, unaryKinds } from '../../backend/prims/elementwise.ts';
import { type DType, dtypes } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { required } from '../check.ts';
import { apply, gradOf, inputOf, neg, scale } from '../core/gradient.ts';
import { defineOp, followLayouts, type GradContext, type OpDef, type TensorInfo } from '../core/op.ts';
import type { UnaryOpAttrs } from './attrs.ts';

/** Default parameters of the kinds that have parameters: those of PyTorch or ONNX. */
export const unaryDefaults: { readonly [K in UnaryKind]?: { readonly alpha: number; readonly beta: number } } = {
  clip: { alpha: -Infinity, beta: Infinity },
  leakyRelu: { alpha: 0.01, beta: 0 },
  elu: { alpha: 1, beta: 0 },
  selu: { alpha: 1.6732632423543772, beta: 1.0507009873554805 },
  celu: { alpha: 1, beta: 0 },
  thresholdedRelu: { alpha: 1, beta: 0 },
  hardSigmoid: { alpha: 0.2, beta: 0.5 },
  softplus: { alpha: 1, beta: 20 },
  hardShrink: { alpha: 0.5, beta: 0 },
  softShrink: { alpha: 0.5, beta: 0 },
  shrink: { alpha: 0.5, beta: 0 },
  threshold: { alpha: 0, beta: 0 },
  isInf: { alpha: 1, beta: 1 },
  linear: { alpha: 1, beta: 0 },
};

/** The activation `kind` with the given parameters, and defaults for the others. */
export function activation(kind: UnaryKind, attrs: UnaryOpAttrs = {}): Activation {
  const defaults = unaryDefaults[kind];
  return { kind, alpha: attrs.alpha ?? defaults?.alpha ?? 0, beta: attrs.beta ?? defaults?.beta ?? 0 };
}

type Kind = (typeof dtypes)[DType]['kind'];

/** The kinds of element types that a unary kind takes; one that is missing takes floating-point types only. */
export const takes: { readonly [K in UnaryKind]?: readonly Kind[] } = {
  identity: ['float', 'int', 'bool'],
  not: ['bool'],
  bitwiseNot: ['int'],
  ...Object.fromEntries(
    (
      [
        'relu',
        'clip',
        'abs',
        'neg',
        'square',
        'sign',
        'floor',
        'ceil',
        'round',
        'trunc',
        'shrink',
        'threshold',
        'thresholdedRelu',
        'linear',
      ] as const
    ).map((kind) => [kind, ['float', 'int']]),
  ),
};

export const tests: readonly UnaryKind[] = ['isNaN', 'isInf'];

/** Kinds whose gradient needs neither their argument nor their value. */
const simple: { readonly [K in UnaryKind]?: (g: GradContext<UnaryOpAttrs>, alpha: number) => TensorInfo } = {
  identity: (g) => gradOf(g),
  neg: (g) => neg(g, gradOf(g)),
  linear: (g, alpha) => scale(g, gradOf(g), alpha),
};

function backwardOf(kind: UnaryKind): OpDef<UnaryOpAttrs>['backward'] {
  const rule = simple[kind];
  if (rule !== undefined) return (g) => [rule(g, activation(kind, g.attrs).alpha)];
  const derivative = unaryDerivatives[kind];
  if (derivative === undefined) return undefined;
  return (g) => {
    const v = derivative.of === 'x' ? inputOf(g) : g.outputs[0];
    const { exclusive = false } = g.attrs;
    return [apply(g, 'unaryGrad', [v, gradOf(g)], { ...activation(kind, g.attrs), exclusive })];
  };
}

/** One op per kind, with the name of the kind. */
export const unaryOps = unaryKinds.map((kind) => {
  const kinds = takes[kind] ?? ['float'];
  return defineOp({
    name: kind,
    infer(inputs) {
      const x = required(kind, inputs, 0, 'x');
      if (!kinds.includes(dtypes[x.dtype].kind)) {
        throw new ConvletError('dtype', `${kind}: x expects ${kinds.join(' or ')} elements, got ${x.dtype}`);
      }
      return [{ dtype: tests.includes(kind) ? 'bool' : x.dtype, shape: x.shape }];
    },
    layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
    forward(emit, inputs, outputs, attrs) {
      emit.call('unary', inputs, outputs, { ...activation(kind, attrs), length: outputs[0].size });
    },
    backward: backwardOf(kind),
  });
});
