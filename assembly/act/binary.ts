import { activate, Kind } from '../common/activation';
import { storeFirst } from '../common/tail';

/** The same numbers as in src/backend/wasm/binary.ts. */
const enum Op {
  add = 0,
  sub = 1,
  mul = 2,
  div = 3,
  max = 4,
  min = 5,
  prelu = 6,
}

/**
 * y = activation(f(a, b)) over rows of `inner` elements, contiguous in y. Along a row each operand is contiguous (step 1) or
 * one value (step 0); from row to row it moves by the strides of up to four outer dimensions (innermost first), in bytes.
 */
@unmanaged
export class BinaryDesc {
  a: usize;
  b: usize;
  y: usize;
  op: i32;
  total: i32;
  /** Elements per work unit, a multiple of 4; rows may begin and end anywhere in it. */
  unit: i32;
  inner: i32;
  aStep: i32;
  bStep: i32;
  n0: i32;
  n1: i32;
  n2: i32;
  a0: i32;
  a1: i32;
  a2: i32;
  a3: i32;
  b0: i32;
  b1: i32;
  b2: i32;
  b3: i32;
  kind: i32;
  alpha: f32;
  beta: f32;
}

export function binary(d: BinaryDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  let left = min(end * d.unit, d.total) - from;
  let y = d.y + (<usize>from << 2);
  const inner = d.inner;
  let row = from / inner;
  let column = from - row * inner;
  while (left > 0) {
    const q1 = row / d.n0;
    const q2 = q1 / d.n1;
    const i3 = q2 / d.n2;
    let i0 = row - q1 * d.n0;
    const i1 = q1 - q2 * d.n1;
    const i2 = q2 - i3 * d.n2;
    let a = d.a + <usize>(i0 * d.a0 + i1 * d.a1 + i2 * d.a2 + i3 * d.a3);
    let b = d.b + <usize>(i0 * d.b0 + i1 * d.b1 + i2 * d.b2 + i3 * d.b3);
    do {
      const length = min(inner - column, left);
      rowOf(d, a + (<usize>(column * d.aStep) << 2), b + (<usize>(column * d.bStep) << 2), y, length);
      column = 0;
      y += <usize>length << 2;
      left -= length;
      a += <usize>d.a0;
      b += <usize>d.b0;
      row++;
      i0++;
    } while (left > 0 && i0 < d.n0);
  }
}

function rowOf(d: BinaryDesc, a: usize, b: usize, y: usize, n: i32): void {
  const op = d.op;
  // The whole row of a long one, pieces of which the first-level cache holds until the activation comes.
  if (d.aStep && d.bStep) {
    if (op == Op.add) loop(Op.add, true, true, a, b, y, n);
    else if (op == Op.mul) loop(Op.mul, true, true, a, b, y, n);
    else if (op == Op.sub) loop(Op.sub, true, true, a, b, y, n);
    else loop(op, true, true, a, b, y, n);
  } else if (d.aStep) {
    if (op == Op.add) loop(Op.add, true, false, a, b, y, n);
    else if (op == Op.mul) loop(Op.mul, true, false, a, b, y, n);
    else loop(op, true, false, a, b, y, n);
  } else {
    loop(op, false, true, a, b, y, n);
  }
  if (d.kind != Kind.identity) activateRow(d, y, n);
}

function activateRow(d: BinaryDesc, y: usize, n: i32): void {
  for (; n > 0; n -= 4) {
    storeFirst(y, activate(d.kind, d.alpha, d.beta, v128.load(y)), n);
    y += 16;
  }
}

// @ts-ignore: decorator
@inline
function loop(op: i32, aVector: bool, bVector: bool, a: usize, b: usize, y: usize, n: i32): void {
  const aValue = v128.load32_splat(a);
  const bValue = v128.load32_splat(b);
  for (; n >= 4; n -= 4) {
    v128.store(y, combine(op, aVector ? v128.load(a) : aValue, bVector ? v128.load(b) : bValue));
    if (aVector) a += 16;
    if (bVector) b += 16;
    y += 16;
  }
  if (n > 0) storeFirst(y, combine(op, aVector ? v128.load(a) : aValue, bVector ? v128.load(b) : bValue), n);
}

// @ts-ignore: decorator
@inline
function combine(op: i32, a: v128, b: v128): v128 {
  switch (op) {
    case Op.add:
      return f32x4.add(a, b);
    case Op.sub:
      return f32x4.sub(a, b);
    case Op.mul:
      return f32x4.mul(a, b);
    case Op.div:
      return f32x4.div(a, b);
    // NaN of either side survives: several instructions on x64, hidden behind the memory.
    case Op.max:
      return f32x4.max(a, b);
    case Op.min:
      return f32x4.min(a, b);
    default:
      return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
  }
}
