// Sums of products by an equation of labels (NumPy's and torch's einsum, ONNX Einsum) as a chain of matrix products. It applies ops
// through `Builder`, so it serves the importer's graph values and variables.

import { ConvletError, type ConvletErrorCode } from '../../common/error.ts';
import { product } from '../../common/numbers.ts';
import type { OpName, Ops } from '../attrs.ts';

interface Shaped {
  readonly shape: readonly number[];
}

export interface Builder<V extends Shaped> {
  /** The first result of an op. */
  apply<N extends OpName>(op: N, inputs: readonly (V | null)[], attrs: Ops[N]): V;
  /** Code of the error for an invalid equation. */
  readonly code: ConvletErrorCode;
}

const transposed = <V extends Shaped>(on: Builder<V>, x: V, perm: readonly number[]): V =>
  perm.every((axis, i) => axis === i) ? x : on.apply('transpose', [x], { perm });

const reshaped = <V extends Shaped>(on: Builder<V>, x: V, shape: readonly number[]): V =>
  shape.length === x.shape.length && shape.every((d, i) => d === x.shape[i]) ? x : on.apply('reshape', [x], { shape });

/** An operand with a label per axis. Axes of an ellipsis are labelled '.0', '.1', … from the last one. */
interface Term<V> {
  readonly value: V;
  readonly labels: readonly string[];
}

function labelsOf(code: ConvletErrorCode, text: string, rank: number): string[] {
  const parts = text.split('...');
  const invalid = parts.length > 2 || !/^[A-Za-z]*$/.test(parts.join(''));
  if (invalid) throw new ConvletError(code, `equation: term '${text}' is not letters and one ellipsis`);
  const [front, back] = parts.map((part) => [...part]);
  const hidden = back === undefined ? 0 : rank - front.length - back.length;
  const labels = [...front, ...Array.from({ length: hidden }, (_, i) => `.${hidden - 1 - i}`), ...(back ?? [])];
  if (hidden < 0 || labels.length !== rank) {
    throw new ConvletError('shape', `equation: term '${text}' does not fit an input of rank ${rank}`);
  }
  return labels;
}

/** The output of an equation without an arrow: the ellipsis, then the labels that occur only once, in alphabetical order (capitals first). */
function implicitOutput(labels: readonly string[]): string[] {
  const once = labels.filter((label) => label[0] !== '.' && labels.indexOf(label) === labels.lastIndexOf(label));
  return [...ellipsisOf(labels), ...once.sort()];
}

function ellipsisOf(labels: readonly string[]): string[] {
  const hidden = new Set(labels.filter((label) => label[0] === '.'));
  return Array.from({ length: hidden.size }, (_, i) => `.${hidden.size - 1 - i}`);
}

function reorder<V extends Shaped>(on: Builder<V>, term: Term<V>, labels: readonly string[]): Term<V> {
  const perm = labels.map((label) => term.labels.indexOf(label));
  return { value: transposed(on, term.value, perm), labels };
}

/** A label that is twice in one term means the diagonal: every (n+1)-th element of the two axes, merged into one. */
function diagonals<V extends Shaped>(on: Builder<V>, term: Term<V>): Term<V> {
  let { value, labels } = term;
  for (let twice = repeated(labels); twice !== undefined; twice = repeated(labels)) {
    const label = twice;
    const [first, second] = [labels.indexOf(label), labels.lastIndexOf(label)];
    const others = labels.flatMap((_, i) => (i === first || i === second ? [] : [i]));
    const size = value.shape[first];
    const moved = transposed(on, value, [...others, first, second]);
    const flat = reshaped(on, moved, [...moved.shape.slice(0, -2), size * size]);
    const last = flat.shape.length - 1;
    value = on.apply('slice', [flat], {
      starts: flat.shape.map(() => 0),
      steps: flat.shape.map((_, i) => (i === last ? size + 1 : 1)),
      sizes: flat.shape.map((d, i) => (i === last ? size : d)),
    });
    labels = [...others.map((i) => labels[i]), label];
  }
  return { value, labels };
}

const repeated = (labels: readonly string[]) => labels.find((label, i) => labels.indexOf(label) !== i);

function sumOut<V extends Shaped>(on: Builder<V>, term: Term<V>, keep: ReadonlySet<string>): Term<V> {
  const axes = term.labels.flatMap((label, i) => (keep.has(label) ? [] : [i]));
  if (axes.length === 0) return term;
  const value = on.apply('reduceSum', [term.value], { axes, keepDims: false });
  return { value, labels: term.labels.filter((label) => keep.has(label)) };
}

/** One matrix product: labels of both terms that are needed later are batch axes, the others are summed over. */
function contract<V extends Shaped>(on: Builder<V>, left: Term<V>, right: Term<V>, keep: ReadonlySet<string>): Term<V> {
  const a = sumOut(on, left, new Set([...keep, ...right.labels]));
  const b = sumOut(on, right, new Set([...keep, ...left.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => keep.has(label));
  const summed = shared.filter((label) => !keep.has(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const size = (label: string) => Math.max(...[a, b].map((term) => term.value.shape[term.labels.indexOf(label)] ?? 1));
  const matrix = (term: Term<V>, order: string[], front: string[], back: string[]): V => {
    const ordered = reorder(on, term, order);
    // Axes that are summed over must have their full size; the product broadcasts batch axes of size 1.
    const shape = order.map((label, i) => (batch.includes(label) ? ordered.value.shape[i] : size(label)));
    const same = shape.every((d, i) => d === ordered.value.shape[i]);
    const full = same ? ordered.value : on.apply('expand', [ordered.value], { shape });
    return reshaped(on, full, [...shape.slice(0, batch.length), product(front.map(size)), product(back.map(size))]);
  };
  const y = on.apply(
    'matmul',
    [
      matrix(a, [...batch, ...rows, ...summed], rows, summed),
      matrix(b, [...batch, ...summed, ...columns], summed, columns),
      null,
    ],
    { transposeA: false, transposeB: false, alpha: 1, activation: null },
  );
  const labels = [...batch, ...rows, ...columns];
  return { value: reshaped(on, y, labels.map(size)), labels };
}

/** @throws ConvletError `shape` for terms that do not fit their operands, `on.code` for an invalid equation */
export function einsum<V extends Shaped>(on: Builder<V>, text: string, operands: readonly V[]): V {
  const equation = text.replace(/\s+/g, '');
  const [left, right, extra] = equation.split('->');
  const texts = left.split(',');
  if (extra !== undefined || texts.length !== operands.length) {
    throw new ConvletError(on.code, `equation '${equation}' does not fit ${operands.length} inputs`);
  }
  const written = texts.map((term, i) => labelsOf(on.code, term, operands[i].shape.length));
  const all = written.flat();
  const terms = written.map((labels, i) => diagonals(on, { value: operands[i], labels }));
  const hidden = ellipsisOf(all);
  const output =
    right === undefined
      ? implicitOutput(all)
      : labelsOf(on.code, right, right.replace('...', '').length + (right.includes('...') ? hidden.length : 0));
  const known = new Set(all);
  const unknown = output.find((label) => !known.has(label)) ?? repeated(output);
  if (unknown !== undefined) throw new ConvletError(on.code, `equation '${equation}': output label '${unknown}'`);
  let result = terms[0];
  for (let i = 1; i < terms.length; i++) {
    const later = new Set([...output, ...terms.slice(i + 1).flatMap((term) => term.labels)]);
    result = contract(on, result, terms[i], later);
  }
  return reorder(on, sumOut(on, result, new Set(output)), output).value;
}
