import { storeFirst } from '../common/tail';

/**
 * y = condition ? a : b over rows of `inner` elements of four bytes, contiguous in y; conditions are bytes. Along a row each
 * operand is contiguous (step 1) or one value (step 0); from row to row it moves by the strides of up to four outer
 * dimensions (innermost first), in bytes.
 */
@unmanaged
export class WhereDesc {
  condition: usize;
  a: usize;
  b: usize;
  y: usize;
  total: i32;
  /** Elements per work unit, a multiple of 4; rows may begin and end anywhere in it. */
  unit: i32;
  inner: i32;
  conditionStep: i32;
  aStep: i32;
  bStep: i32;
  n0: i32;
  n1: i32;
  n2: i32;
  c0: i32;
  c1: i32;
  c2: i32;
  c3: i32;
  a0: i32;
  a1: i32;
  a2: i32;
  a3: i32;
  b0: i32;
  b1: i32;
  b2: i32;
  b3: i32;
}

export function where(d: WhereDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  let left = min(end * d.unit, d.total) - from;
  let y = d.y + (<usize>from << 2);
  const inner = d.inner;
  let row = from / inner;
  let column = from - row * inner;
  for (; left > 0; row++) {
    const q1 = row / d.n0;
    const q2 = q1 / d.n1;
    const i3 = q2 / d.n2;
    const i0 = row - q1 * d.n0;
    const i1 = q1 - q2 * d.n1;
    const i2 = q2 - i3 * d.n2;
    const condition = d.condition + <usize>(i0 * d.c0 + i1 * d.c1 + i2 * d.c2 + i3 * d.c3 + column * d.conditionStep);
    const a = d.a + <usize>(i0 * d.a0 + i1 * d.a1 + i2 * d.a2 + i3 * d.a3 + ((column * d.aStep) << 2));
    const b = d.b + <usize>(i0 * d.b0 + i1 * d.b1 + i2 * d.b2 + i3 * d.b3 + ((column * d.bStep) << 2));
    const n = min(inner - column, left);
    selectRow(condition, <usize>d.conditionStep, a, <usize>d.aStep << 4, b, <usize>d.bStep << 4, y, n);
    y += <usize>n << 2;
    left -= n;
    column = 0;
  }
}

/** `step`: bytes per element of the condition; `aStep`, `bStep`: bytes per vector; each may be 0. */
function selectRow(condition: usize, step: usize, a: usize, aStep: usize, b: usize, bStep: usize, y: usize, n: i32): void {
  const zero = i32x4.splat(0);
  const aValue = v128.load32_splat(a);
  const bValue = v128.load32_splat(b);
  const one = i32x4.splat(load<u8>(condition));
  for (; n > 0; n -= 4) {
    const bytes = step ? i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(condition))) : one;
    storeFirst(y, v128.bitselect(bStep ? v128.load(b) : bValue, aStep ? v128.load(a) : aValue, i32x4.eq(bytes, zero)), n);
    condition += step << 2;
    a += aStep;
    b += bStep;
    y += 16;
  }
}
