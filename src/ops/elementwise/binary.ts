import { type BinaryKind, binaryKinds, whereInputs } from '../../backend/prims/elementwise.ts';
import { dtypes } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { type Layout, memoryOrder } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { broadcastShape, checker, expectDType, required } from '../check.ts';
import { apply, expectNoActivation, gradOf, inputOf, isFloat, scalar, sumTo } from '../core/gradient.ts';
import { defineOp, followLayouts, type OpDef, type TensorInfo } from '../core/op.ts';
import type { BinaryOpAttrs } from './attrs.ts';
import { binaryRule } from './binary-grad.ts';

const checks = checker('where');

export const comparisons: readonly BinaryKind[] = ['equal', 'less', 'lessOrEqual', 'greater', 'greaterOrEqual'];
export const logical: readonly BinaryKind[] = ['and', 'or', 'xor'];
export const bitwise: readonly BinaryKind[] = ['bitwiseAnd', 'bitwiseOr', 'bitwiseXor', 'shiftLeft', 'shiftRight'];
export const floatOnly: readonly BinaryKind[] = ['atan2'];
/** Kinds whose operands may differ in type: the result has the type of the first (ONNX Pow). */
const mixed: readonly BinaryKind[] = ['pow'];

/** The kinds of element types that the operands may have. */
function takes(kind: BinaryKind): readonly string[] {
  if (logical.includes(kind)) return ['bool'];
  if (bitwise.includes(kind)) return ['int'];
  if (floatOnly.includes(kind)) return ['float'];
  return comparisons.includes(kind) ? ['float', 'int', 'bool'] : ['float', 'int'];
}

/** Strides of `t` along the axes of a shape of `rank` axes, aligned at the last axis as in broadcasting; 0 for a repeated axis. */
export function broadcastStrides(t: Tensor, rank: number): number[] {
  const strides = t.strides;
  const missing = rank - t.rank;
  return Array.from({ length: rank }, (_, i) => (i < missing || t.shape[i - missing] === 1 ? 0 : strides[i - missing]));
}

/** `values` (one per logical axis) in the memory order of the axes of `layout`. */
export function inMemoryOrder(values: readonly number[], layout: Layout): number[] {
  return memoryOrder(values.length, layout).map((axis) => values[axis]);
}

/** One op per kind, with the name of the kind. */
export const binaryOps = binaryKinds.map((kind) => {
  const kinds = takes(kind);
  const toBool = comparisons.includes(kind) || logical.includes(kind);
  const check = (name: string, t: TensorInfo): void => {
    if (kinds.includes(dtypes[t.dtype].kind)) return;
    throw new ConvletError('dtype', `${kind}: ${name} expects ${kinds.join(' or ')} elements, got ${t.dtype}`);
  };
  const rule = binaryRule(kind);
  const backward: OpDef<BinaryOpAttrs>['backward'] = (g) => {
    expectNoActivation(kind, g.attrs.activation);
    const operands = [inputOf(g, 0), inputOf(g, 1)];
    const gradients = rule?.(g, operands[0], operands[1], gradOf(g)) ?? [];
    return operands.map((t, i) => (g.wants[i] && isFloat(t) ? sumTo(g, gradients[i](), t.shape) : null));
  };
  return defineOp({
    name: kind,
    infer(inputs) {
      const [a, b] = [required(kind, inputs, 0, 'a'), required(kind, inputs, 1, 'b')];
      check('a', a);
      check('b', b);
      if (!mixed.includes(kind)) expectDType(kind, 'b', b, a.dtype);
      return [{ dtype: toBool ? 'bool' : a.dtype, shape: broadcastShape(kind, a.shape, b.shape) }];
    },
    layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
    forward(emit, inputs, outputs, attrs) {
      const [a, b] = inputs as Tensor[];
      const [y] = outputs;
      emit.call('binary', inputs, outputs, {
        kind,
        dims: inMemoryOrder(y.shape, y.layout),
        aStrides: inMemoryOrder(broadcastStrides(a, y.rank), y.layout),
        bStrides: inMemoryOrder(broadcastStrides(b, y.rank), y.layout),
        activation: attrs.activation ?? null,
      });
    },
    backward: rule === null ? undefined : backward,
  });
});

/** y = condition ? a : b, all three broadcast together. */
export const where = defineOp({
  name: 'where',
  infer(inputs) {
    const [condition, a, b] = Object.entries(whereInputs).map(([name, i]) => checks.required(inputs, i, name));
    checks.dtype('condition', condition, 'bool');
    checks.dtype('b', b, a.dtype);
    return [{ dtype: a.dtype, shape: checks.broadcast(condition.shape, a.shape, b.shape) }];
  },
  layouts: (inputs, _, outputs) => followLayouts(inputs, outputs),
  forward(emit, inputs, outputs) {
    const [y] = outputs;
    const [conditionStrides, aStrides, bStrides] = (inputs as Tensor[]).map((t) =>
      inMemoryOrder(broadcastStrides(t, y.rank), y.layout),
    );
    emit.call('where', inputs, outputs, {
      dims: inMemoryOrder(y.shape, y.layout),
      conditionStrides,
      aStrides,
      bStrides,
    });
  },
  backward(g) {
    const [condition, a, b] = [0, 1, 2].map((i) => inputOf(g, i));
    const gy = gradOf(g);
    const zero = scalar(g, 0, gy.dtype);
    return [
      null,
      g.wants[1] ? sumTo(g, apply(g, 'where', [condition, gy, zero]), a.shape) : null,
      g.wants[2] ? sumTo(g, apply(g, 'where', [condition, zero, gy]), b.shape) : null,
    ];
  },
});
