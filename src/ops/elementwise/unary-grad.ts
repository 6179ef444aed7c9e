import { unaryDerivatives } from '../../backend/js/elementwise/unary-grad.ts';
import type { UnaryKind } from '../../backend/prims/elementwise.ts';
import { checker } from '../check.ts';
import { defineOp, followLayouts, type OpCase } from '../core/op.ts';
import type { UnaryGradOpAttrs } from './attrs.ts';

const check = checker('unaryGrad');

export const differentiableKinds = Object.keys(unaryDerivatives) as UnaryKind[];

const parameters: { readonly [K in UnaryKind]?: { alpha: number; beta: number } } = {
  clip: { alpha: -1, beta: 2 },
  leakyRelu: { alpha: 0.1, beta: 0 },
  selu: { alpha: 1.6732632423543772, beta: 1.0507009873554805 },
  hardSigmoid: { alpha: 0.2, beta: 0.5 },
  softplus: { alpha: 1.5, beta: 3 },
};

function casesOf(kind: UnaryKind): OpCase<UnaryGradOpAttrs>[] {
  const attrs = { kind, ...(parameters[kind] ?? { alpha: 0.75, beta: 0 }) };
  const range = (
    ['asin', 'acos', 'atanh', 'log1p'].includes(kind) ? [-0.9, 0.9] : kind === 'acosh' ? [1.1, 4] : [0.1, 4]
  ) as readonly [number, number];
  const wide = [-4, 4] as const;
  const signed = ['sqrt', 'rsqrt', 'log', 'reciprocal', 'asin', 'acos', 'atanh', 'log1p', 'acosh'].includes(kind)
    ? range
    : wide;
  return [[1, 5, 3, 7], [33], [], [0, 3]].map((shape) => ({
    attrs,
    inputs: [{ shape, range: signed }, { shape }],
  }));
}

/** gx = gy·f′, f being the unary kind; v is its x or its y, whichever src/backend/js/elementwise/unary-grad.ts says. */
export const unaryGrad = defineOp({
  name: 'unaryGrad',
  infer(inputs, { kind }) {
    const [v, gy] = [check.required(inputs, 0, 'v'), check.required(inputs, 1, 'gy')];
    check.oneOf('kind', kind, differentiableKinds);
    check.float('v', v);
    check.dtype('gy', gy, v.dtype);
    check.shape('gy', gy, v.shape);
    return [{ dtype: v.dtype, shape: v.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { kind, alpha, beta, exclusive = false }) {
    emit.call('unaryGrad', inputs, outputs, { kind, alpha, beta, exclusive, length: outputs[0].size });
  },
  cases: () => [
    ...differentiableKinds.flatMap(casesOf),
    {
      attrs: { kind: 'clip', alpha: 0, beta: 6, exclusive: true },
      inputs: [{ shape: [9], values: [-1, 0, 1, 5, 6, 7, 3, 0, 6] }, { shape: [9] }],
    },
    {
      attrs: { kind: 'clip', alpha: 0, beta: 6 },
      inputs: [{ shape: [9], values: [-1, 0, 1, 5, 6, 7, 3, 0, 6] }, { shape: [9] }],
    },
    {
      attrs: { kind: 'relu', alpha: 0, beta: 0 },
      inputs: [
        { shape: [5], values: [-1, 0, 1, 0, 2] },
        { shape: [5], values: [Infinity, Infinity, Infinity, 1, 2] },
      ],
    },
  ],
});
