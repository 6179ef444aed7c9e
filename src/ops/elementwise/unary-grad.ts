import { unaryDerivatives } from '../../backend/js/elementwise/unary-grad.ts';
import type { UnaryKind } from '../../backend/prims/elementwise.ts';
import { checker } from '../check.ts';
import { defineOp, followLayouts } from '../core/op.ts';
import { composedUnary } from './unary-composed.ts';

const check = checker('unaryGrad');

export const differentiableKinds = Object.keys(unaryDerivatives) as UnaryKind[];

/** gx = gy·f′ where f is the unary kind; v is its x or its y, as src/backend/js/elementwise/unary-grad.ts says. */
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
  composed(g, [v, gy], { kind, alpha, beta, exclusive = false }) {
    return [composedUnary[kind]!({ g, v: v!, gy: gy!, alpha, beta, exclusive })];
  },
});
