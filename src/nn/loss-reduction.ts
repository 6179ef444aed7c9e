import type { Variable } from '../autograd/index.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import type { Reduction } from '../ops/loss/attrs.ts';

export type { Reduction };

/** The losses' mean or sum, or as they are. */
export function reduced(losses: Variable, reduction: Reduction = 'mean'): Variable {
  if (reduction === 'none') return losses;
  return reduction === 'mean' ? losses.mean() : losses.sum();
}

/** @throws ConvletError `shape` where the target has another shape than the input */
export function expectSameShape(op: string, x: Variable, target: Variable, name = 'target'): void {
  if (shapeText(x.shape) === shapeText(target.shape)) return;
  throw new ConvletError(
    'shape',
    `${op}: ${name} expects the shape of the input ${shapeText(x.shape)}, got ${shapeText(target.shape)}`,
  );
}
