import { ConvletError } from '../../../common/error.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JsPrim } from '../../backend.ts';
import type { CrossEntropyAttrs } from '../../prims/loss.ts';

/** Throws `index-range` if a target is neither a class nor `ignoreIndex`. */
export function checkTargets(
  target: Tensor,
  { length, ignoreIndex }: Pick<CrossEntropyAttrs, 'length' | 'ignoreIndex'>,
): void {
  const { array } = target;
  for (let i = 0; i < array.length; i++) {
    const t = array[i];
    if ((t >= 0 && t < length) || t === ignoreIndex) continue;
    throw new ConvletError(
      'index-range',
      `crossEntropy: target ${t} at position ${i} expects a class in 0…${length - 1} (or ignoreIndex ${ignoreIndex})`,
    );
  }
}

export const crossEntropy: JsPrim<'crossEntropy'> = (inputs, outputs, attrs) => {
  const { outer, length, inner, ignoreIndex, labelSmoothing } = attrs;
  const [y, target, weight] = inputs.map((t) => t?.array);
  const [loss, share] = outputs.map((t) => t.array);
  checkTargets(inputs[1] as Tensor, attrs);
  const each = labelSmoothing / length;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = o * inner + i;
      const t = target![at];
      if (t === ignoreIndex) {
        loss[at] = 0;
        share[at] = 0;
        continue;
      }
      const first = o * length * inner + i;
      const own = weight?.[t] ?? 1;
      let sum = (1 - labelSmoothing) * own * y![first + t * inner];
      if (each !== 0) for (let c = 0; c < length; c++) sum += each * (weight?.[c] ?? 1) * y![first + c * inner];
      loss[at] = -sum;
      share[at] = own;
    }
  }
};

export const crossEntropyGrad: JsPrim<'crossEntropyGrad'> = (inputs, outputs, attrs) => {
  const { outer, length, inner, ignoreIndex, labelSmoothing, logits, gyStep } = attrs;
  const [y, target, weight, gy, total] = inputs.map((t) => t?.array);
  const gx = outputs[0].array;
  const each = labelSmoothing / length;
  const allWeights = weight === undefined ? length : Array.from(weight).reduce((a, b) => a + b, 0);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = o * inner + i;
      const t = target![at];
      const first = o * length * inner + i;
      const own = t === ignoreIndex ? 0 : (weight?.[t] ?? 1);
      const g = t === ignoreIndex ? 0 : gy![at * gyStep] / (total?.[0] ?? 1);
      const spread = logits ? g * ((1 - labelSmoothing) * own + each * allWeights) : 0;
      for (let c = 0; c < length; c++) {
        const k = first + c * inner;
        const aim = each * (weight?.[c] ?? 1) + (c === t ? (1 - labelSmoothing) * own : 0);
        gx[k] = t === ignoreIndex ? 0 : (spread === 0 ? 0 : Math.exp(y![k]) * spread) - g * aim;
      }
    }
  }
};
