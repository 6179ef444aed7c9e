import { apply1, randomKey, Variable, withoutHistory } from '../../autograd/index.ts';
import { affine } from '../../autograd/methods.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { expectKind, flag, kind, number } from '../../common/options.ts';
import { normalizeAxis } from '../../ops/check.ts';
import { constant } from '../../tensor/tensor.ts';

/** Which elements fall together: each by itself, or all of a channel. */
type DropoutKind = 'element' | 'channel';

function maskOf(x: Variable, p: number, kind: DropoutKind, kept: number): Variable {
  const shape = kind === 'element' ? x.shape : x.shape.map((d, i) => (i < 2 ? d : 1));
  return apply1('dropoutMask', [randomKey()], { shape, p, kept, dropped: 0 });
}

const chance = kind<number>('a number in 0…1', (p) => typeof p === 'number' && p >= 0 && p <= 1);

function checkDropout(op: string, p: number, training: boolean): void {
  expectKind(op, 'p', p, chance);
  expectKind(op, 'training', training, flag);
}

const dropping = (op: string, kind: DropoutKind) => {
  return (x: Variable, p = 0.5, training = true): Variable => {
    checkDropout(op, p, training);
    if (kind === 'channel' && x.rank < 2)
      throw new ConvletError('shape', `${op}: input expects [N,C,…], got shape ${shapeText(x.shape)}`);
    if (!training || p === 0) return x;
    return x.mul(maskOf(x, p, kind, p === 1 ? 0 : 1 / (1 - p)));
  };
};

/** Sets elements to zero with probability p and scales the others by 1/(1 − p). */
export const dropout = dropping('dropout', 'element');
/** Drops whole channels. */
export const dropout1d = dropping('dropout1d', 'channel');
/** As dropout, of whole channels of [N,C,H,W]. */
export const dropout2d = dropping('dropout2d', 'channel');
/** As dropout, of whole channels of [N,C,D,H,W]. */
export const dropout3d = dropping('dropout3d', 'channel');

/** Keeps mean and variance of self-normalising networks (Klambauer et al. 2017): what goes becomes −1.7581, then a·x + b. */
const alphaDropping = (op: string, kind: DropoutKind) => {
  return (x: Variable, p = 0.5, training = true): Variable => {
    checkDropout(op, p, training);
    if (!training || p === 0) return x;
    if (p === 1) return x.mul(0);
    const low = -1.7580993408473766;
    const a = 1 / Math.sqrt((1 - p) * (1 + p * low * low));
    const b = -a * p * low;
    const mask = maskOf(x, p, kind, a);
    return x.mul(mask).add(affine(mask, -low, low * a + b));
  };
};

/** Dropout that keeps mean 0 and variance 1 after SELU (Klambauer et al. 2017). */
export const alphaDropout = alphaDropping('alphaDropout', 'element');
/** As alphaDropout, of whole channels. */
export const featureAlphaDropout = alphaDropping('featureAlphaDropout', 'channel');

/** Rows of weight [count, size] by int indices of any shape. The row `paddingIdx` learns nothing. */
export function embedding(indices: Variable, weight: Variable, paddingIdx?: number): Variable {
  let table = weight;
  if (paddingIdx !== undefined) {
    expectKind('embedding', 'paddingIdx', paddingIdx, number);
    const at = paddingIdx < 0 ? paddingIdx + weight.shape[0] : paddingIdx;
    const learns = Uint8Array.from({ length: weight.shape[0] }, (_, i) => Number(i !== at));
    const mask = constant(learns, [weight.shape[0], 1], 'bool');
    table = apply1('where', [new Variable(mask, mask), weight, withoutHistory(weight)]);
  }
  return apply1('gather', [table, indices], { axis: 0 });
}

/** float32 [..., classes] with a 1 at each index. */
export function oneHot(indices: Variable, classes: number): Variable {
  const values = constant(Float32Array.of(0, 1), [2]);
  return apply1('oneHot', [indices, new Variable(values, values)], { depth: classes, axis: indices.rank });
}

/** Joins variables along an axis. */
export const cat = (parts: readonly Variable[], dim = 0): Variable => {
  if (parts.length === 0) throw new ConvletError('argument', 'cat: expects at least one variable');
  return apply1('concat', parts, { axis: normalizeAxis('cat', dim, parts[0].rank) });
};

/** 1 − cosine distance along `dim`. */
export function cosineSimilarity(a: Variable, b: Variable, dim = 1, eps = 1e-8): Variable {
  expectKind('cosineSimilarity', 'eps', eps, number);
  const dot = a.mul(b).sum(dim);
  return dot.div(a.norm(dim).clamp(eps).mul(b.norm(dim).clamp(eps)));
}
