import { Kind } from '../common/activation';
import { elementwise } from '../common/elementwise';
import { storeFirst } from '../common/tail';

/** @abi */
const enum BinaryOp {
  add,
  sub,
  mul,
  div,
  max,
  min,
  prelu,
  /** y of this op and of all that follow is bytes, 0 or 1. */
  equal,
  less,
  lessOrEqual,
  greater,
  greaterOrEqual,
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
  const shift: usize = d.op < BinaryOp.equal ? 2 : 0;
  let y = d.y + (<usize>from << shift);
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
      y += <usize>length << shift;
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
  if (op >= BinaryOp.equal) {
    const aStep = <usize>d.aStep << 2;
    const bStep = <usize>d.bStep << 2;
    if (op == BinaryOp.equal) compareRow(BinaryOp.equal, a, aStep, b, bStep, y, n);
    else if (op == BinaryOp.less) compareRow(BinaryOp.less, a, aStep, b, bStep, y, n);
    else if (op == BinaryOp.lessOrEqual) compareRow(BinaryOp.lessOrEqual, a, aStep, b, bStep, y, n);
    else if (op == BinaryOp.greater) compareRow(BinaryOp.less, b, bStep, a, aStep, y, n);
    else compareRow(BinaryOp.lessOrEqual, b, bStep, a, aStep, y, n);
    return;
  }
  // A work unit is so small that the row is still in the first-level cache when the activation is applied.
  if (d.aStep && d.bStep) {
    if (op == BinaryOp.add) loop(BinaryOp.add, true, true, a, b, y, n);
    else if (op == BinaryOp.mul) loop(BinaryOp.mul, true, true, a, b, y, n);
    else if (op == BinaryOp.sub) loop(BinaryOp.sub, true, true, a, b, y, n);
    else loop(op, true, true, a, b, y, n);
  } else if (d.aStep) {
    if (op == BinaryOp.add) loop(BinaryOp.add, true, false, a, b, y, n);
    else if (op == BinaryOp.mul) loop(BinaryOp.mul, true, false, a, b, y, n);
    else loop(op, true, false, a, b, y, n);
  } else {
    loop(op, false, true, a, b, y, n);
  }
  if (d.kind != Kind.identity) elementwise(d.kind, d.alpha, d.beta, y, y, n);
}

/** Four lanes of all ones or zeros. `step`s: bytes per element, 4 or 0. */
// @ts-ignore: decorator
@inline
function compared(op: i32, a: usize, aStep: usize, b: usize, bStep: usize): v128 {
  const u = aStep ? v128.load(a) : v128.load32_splat(a);
  const v = bStep ? v128.load(b) : v128.load32_splat(b);
  if (op == BinaryOp.equal) return f32x4.eq(u, v);
  return op == BinaryOp.less ? f32x4.lt(u, v) : f32x4.le(u, v);
}

// @ts-ignore: decorator
@inline
function compareRow(op: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize, n: i32): void {
  const one = i8x16.splat(1);
  for (; n >= 16; n -= 16) {
    const m0 = compared(op, a, aStep, b, bStep);
    const m1 = compared(op, a + (aStep << 2), aStep, b + (bStep << 2), bStep);
    const m2 = compared(op, a + (aStep << 3), aStep, b + (bStep << 3), bStep);
    const m3 = compared(op, a + aStep * 12, aStep, b + bStep * 12, bStep);
    const low = i16x8.narrow_i32x4_s(m0, m1);
    v128.store(y, v128.and(i8x16.narrow_i16x8_s(low, i16x8.narrow_i32x4_s(m2, m3)), one));
    a += aStep << 4;
    b += bStep << 4;
    y += 16;
  }
  for (; n > 0; n--) {
    store<u8>(y, i32x4.extract_lane(compared(op, a, aStep, b, bStep), 0) & 1);
    a += aStep;
    b += bStep;
    y++;
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
    case BinaryOp.add:
      return f32x4.add(a, b);
    case BinaryOp.sub:
      return f32x4.sub(a, b);
    case BinaryOp.mul:
      return f32x4.mul(a, b);
    case BinaryOp.div:
      return f32x4.div(a, b);
    // f32x4.max keeps a NaN of either side. It is several instructions on x64, but the loop waits for memory anyway.
    case BinaryOp.max:
      return f32x4.max(a, b);
    case BinaryOp.min:
      return f32x4.min(a, b);
    default:
      return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
  }
}
