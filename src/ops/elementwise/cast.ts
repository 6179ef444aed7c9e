import { dtypes } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { checker } from '../check.ts';
import { castTo, gradOf, inputOf, isFloat } from '../core/gradient.ts';
import { defineOp, followLayouts } from '../core/op.ts';

const check = checker('cast');

export const cast = defineOp({
  name: 'cast',
  infer(inputs, { to }) {
    const x = check.required(inputs, 0, 'x');
    if (!Object.hasOwn(dtypes, to)) {
      throw new ConvletError('dtype', `cast: to expects one of ${Object.keys(dtypes).join(', ')}, got ${String(to)}`);
    }
    return [{ dtype: to, shape: x.shape }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs, { to }) {
    const [x] = inputs;
    emit.call('cast', inputs, outputs, { length: outputs[0].size, from: (x as NonNullable<typeof x>).dtype, to });
  },
  /** Between floating-point types the gradient is passed on; integers have none. */
  backward: (g) => [isFloat(inputOf(g)) && isFloat(g.outputs[0]) ? castTo(g, gradOf(g), inputOf(g).dtype) : null],
});
