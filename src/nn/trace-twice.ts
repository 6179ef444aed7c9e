// A compiled step repeats what its trace wrote down: what JavaScript draws inside forward() would be the same in every step. So a
// step is traced twice, and where the two graphs differ something was drawn.

import type { TypedArray } from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import type { Graph, GraphNode, Value } from '../graph/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Where two traces part. `node`: the number of the node, null where it is a result. */
export interface Difference {
  readonly node: number | null;
  readonly what: string;
}

/** The first difference of two graphs of one program, or null. */
export function differenceOf(first: Graph, second: Graph): Difference | null {
  const numbers = new Map<Value, number>();
  const others = new Map<Value, number>();
  const number = (a: Value, b: Value): void => {
    numbers.set(a, numbers.size);
    others.set(b, others.size);
  };
  first.inputs.forEach((value, i) => {
    number(value, second.inputs[i]);
  });
  const count = Math.min(first.nodes.length, second.nodes.length);
  for (let i = 0; i < count; i++) {
    const [a, b] = [first.nodes[i], second.nodes[i]];
    const what = nodeDifference(a, b, (x, y) => numbers.get(x) === others.get(y));
    if (what !== null) return { node: i, what };
    a.outputs.forEach((value, k) => {
      number(value, b.outputs[k]);
    });
  }
  if (first.nodes.length !== second.nodes.length) {
    const [node] = (first.nodes.length > count ? first : second).nodes.slice(count);
    return { node: count, what: `the op '${node.op.name}' was applied in one of two traces only` };
  }
  const result = first.outputs.findIndex(({ value }, i) => !sameValue(value, second.outputs[i]?.value, () => true));
  return result < 0 ? null : { node: null, what: `the result '${first.outputs[result].name}' is a constant` };
}

function nodeDifference(a: GraphNode, b: GraphNode, known: (x: Value, y: Value) => boolean): string | null {
  if (a.op.name !== b.op.name) return `one trace applied '${a.op.name}' where the other applied '${b.op.name}'`;
  for (const [i, x] of a.inputs.entries()) {
    const y = b.inputs[i];
    if (x === y || (x !== null && y !== null && sameValue(x, y, known))) continue;
    const drawn = x?.constant && y?.constant;
    return drawn
      ? `input ${i} of '${a.op.name}', of shape ${shapeText(x.shape)}, is a constant with other elements in each of two traces`
      : `input ${i} of '${a.op.name}' comes from somewhere else in each of two traces`;
  }
  const name = attributeDifference(a.attrs, b.attrs);
  return name === null ? null : `${name} of '${a.op.name}' was another one in each of two traces`;
}

function sameValue(x: Value, y: Value | undefined, known: (x: Value, y: Value) => boolean): boolean {
  if (y === undefined || x.dtype !== y.dtype || shapeText(x.shape) !== shapeText(y.shape)) return false;
  if (x.state !== undefined || y.state !== undefined) return x.state === y.state;
  if (x.constant === null || y.constant === null) return x.constant === y.constant && known(x, y);
  return sameElements(x.constant, y.constant);
}

function sameElements(a: Tensor, b: Tensor): boolean {
  if (a === b || a.storage === b.storage) return true;
  const [x, y]: TypedArray[] = [a.array, b.array];
  for (let i = 0; i < x.length; i++) if (!Object.is(x[i], y[i])) return false;
  return true;
}

/** The name of an attribute that differs, with both values where they are short. */
function attributeDifference(a: unknown, b: unknown, name = 'an attribute'): string | null {
  if (Object.is(a, b)) return null;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return `${name} (${String(a)} and ${String(b)})`;
  }
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of new Set([...Object.keys(x), ...Object.keys(y)])) {
    const found = attributeDifference(x[key], y[key], `the attribute ${key}`);
    if (found !== null) return found;
  }
  return null;
}

/** What the user is told. `where`: the layer whose forward() applied the node, if it is known. */
export function drawnInside(what: string, { what: difference }: Difference, where: string | null): ConvletError {
  return new ConvletError(
    'argument',
    `${what}: ${where === null ? '' : `in ${where}, `}${difference}: what JavaScript draws or decides inside forward() would be the same in every ` +
      'step. Draw with F.rand, F.randn, F.randint or F.bernoulli, which draw anew in each step, give what changes as an ' +
      'operand of the step, or do not compile (fit: compiled: false)',
  );
}
