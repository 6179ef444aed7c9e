import { CrossEntropyDesc, CrossEntropyGradDesc } from '../../../abi/generated/abi.ts';
import { dtypes } from '../../../common/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import { checkTargets } from '../../js/loss/loss.ts';
import type { CrossEntropyAttrs } from '../../prims/loss.ts';
import { Declined, elementsPerUnit, otherThanFloat32, type WasmPrim } from '../core/prim.ts';

/** Checks the targets before a kernel uses them as indices in memory. */
class CheckTargets implements Step {
  readonly prim = 'crossEntropy';
  readonly kernel = 'check';
  private readonly target: Tensor;
  private readonly attrs: CrossEntropyAttrs;

  constructor(target: Tensor, attrs: CrossEntropyAttrs) {
    this.target = target;
    this.attrs = attrs;
  }

  run(): void {
    checkTargets(this.target, this.attrs);
  }
}

export const crossEntropy: WasmPrim<'crossEntropy'> = ({ inputs, outputs, attrs }, session) => {
  const [y, target, weight] = inputs;
  const { outer, length, inner, ignoreIndex, labelSmoothing } = attrs;
  const other = otherThanFloat32([y, weight], outputs);
  if (other !== null) return other;
  if (dtypes[target!.dtype].array !== Int32Array) return new Declined(`targets in ${target!.dtype}`);
  if (outer * inner === 0) return [];
  const unit = 256;
  const values = {
    y: session.address(y!),
    target: session.address(target!),
    weight: session.addressOrNull(weight),
    loss: session.address(outputs[0]),
    share: session.address(outputs[1]),
    outer,
    length,
    inner,
    ignoreIndex,
    labelSmoothing,
    unit,
  };
  const units = Math.ceil((outer * inner) / unit);
  return [
    new CheckTargets(target!, attrs),
    session.step('crossEntropy', 'crossEntropy', CrossEntropyDesc, values, units),
  ];
};

export const crossEntropyGrad: WasmPrim<'crossEntropyGrad'> = ({ inputs, outputs, attrs }, session) => {
  const [y, target, weight, gy, total] = inputs;
  const { outer, length, inner, ignoreIndex, labelSmoothing, logits, gyStep } = attrs;
  const other = otherThanFloat32([y, weight, gy, total], outputs);
  if (other !== null) return other;
  if (dtypes[target!.dtype].array !== Int32Array) return new Declined(`targets in ${target!.dtype}`);
  if (outer * length * inner === 0) return [];
  const strips = outer * Math.ceil(inner / 4);
  const unit = Math.ceil(elementsPerUnit / (length * Math.min(inner, 4)));
  const values = {
    y: session.address(y!),
    target: session.address(target!),
    weight: session.addressOrNull(weight),
    gy: session.address(gy!),
    total: session.addressOrNull(total),
    gx: session.address(outputs[0]),
    outer,
    length,
    inner,
    ignoreIndex,
    labelSmoothing,
    logits: logits ? 1 : 0,
    gyStep,
    unit,
  };
  const steps = [
    session.step('crossEntropyGrad', 'crossEntropyGrad', CrossEntropyGradDesc, values, Math.ceil(strips / unit)),
  ];
  return [new CheckTargets(target!, attrs), ...steps];
};
