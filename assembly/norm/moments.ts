// Batch normalisation in training: statistics of the columns of x [rows, channels], and its gradient. A stretch is as many rows as
// fit in the first-level cache. Each is summed twice (mean, then deviations from it), so memory is read once and nothing cancels.
// The moments of the stretches are combined in a fixed order (Chan, Golub & LeVeque 1979).
import { high, join, low } from '../common/doubles';
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';

/**
 * partial[stretch][plane][channels, whole vectors]; planes: mean, Σ (x − mean)², and Σ (x − mean), which is the rounding error of the
 * mean. With gy: mean, Σ (x − mean)², Σ gy·(x − mean), then Σ (x − mean) and Σ gy (f64, two planes each).
 */
@unmanaged
export class MomentsDesc {
  x: usize;
  /** 0 without a gradient. */
  gy: usize;
  /** Fixed means from which deviations are measured; 0: the means of each stretch. */
  mean: usize;
  partial: usize;
  rows: i32;
  channels: i32;
  /** Rows per stretch. */
  stretch: i32;
  /** Bytes of a plane, and of a stretch's planes. */
  planeBytes: u32;
  stretchBytes: u32;
}

/** Unit of work: a stretch. */
export function moments(d: MomentsDesc, begin: i32, end: i32): void {
  const pitch = <usize>d.channels << 2;
  for (let unit = begin; unit < end; unit++) {
    const first = unit * d.stretch;
    const rows = min(d.stretch, d.rows - first);
    const to = d.partial + <usize>d.stretchBytes * unit;
    const x = d.x + pitch * first;
    const gy = d.gy + pitch * first;
    for (let c: usize = 0; c < pitch; c += 16) {
      if (d.gy) columnGrad(d, x + c, gy + c, to + c, rows, pitch, c);
      else column(x + c, to + c, rows, pitch, d.planeBytes);
    }
  }
}

/** The mean of four columns, in two chains of additions. */
// @ts-ignore: decorator
@inline
function meanOf(x: usize, rows: i32, pitch: usize): v128 {
  let a = f32x4.splat(0);
  let b = a;
  let n = rows;
  for (; n > 1; n -= 2) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x + pitch));
    x += pitch << 1;
  }
  if (n) a = f32x4.add(a, v128.load(x));
  return f32x4.div(f32x4.add(a, b), f32x4.splat(<f32>rows));
}

function column(x: usize, to: usize, rows: i32, pitch: usize, plane: usize): void {
  const mean = meanOf(x, rows, pitch);
  let squares = f32x4.splat(0);
  let rest = squares;
  // Summed in blocks, so that the error does not grow with the rows of a stretch: few channels make long stretches.
  while (rows > 0) {
    let n = min(rows, 64);
    rows -= n;
    let a = f32x4.splat(0);
    let b = a;
    let apart = a;
    for (; n > 1; n -= 2) {
      const u = f32x4.sub(v128.load(x), mean);
      const v = f32x4.sub(v128.load(x + pitch), mean);
      a = fma(u, u, a);
      b = fma(v, v, b);
      apart = f32x4.add(apart, f32x4.add(u, v));
      x += pitch << 1;
    }
    if (n) {
      const u = f32x4.sub(v128.load(x), mean);
      a = fma(u, u, a);
      apart = f32x4.add(apart, u);
      x += pitch;
    }
    squares = f32x4.add(squares, f32x4.add(a, b));
    rest = f32x4.add(rest, apart);
  }
  v128.store(to, mean);
  v128.store(to + plane, squares);
  v128.store(to + 2 * plane, rest);
}

/** Moments of four columns; `to` is their place in the first plane. */
function columnGrad(d: MomentsDesc, x: usize, gy: usize, to: usize, rows: i32, pitch: usize, c: usize): void {
  const plane = <usize>d.planeBytes;
  const mean = d.mean ? v128.load(d.mean + c) : meanOf(x, rows, pitch);
  let squares = f32x4.splat(0);
  let dot = squares;
  // Σ gy is summed in doubles, and the mean is corrected to more than f32: their errors would be added to every element of gx. The
  // gradient of a bias before the normalisation is 0; with such an error it is not, and an optimizer that divides gradients by their
  // size would amplify the error.
  let sumLow = f64x2.splat(0);
  let sumHigh = sumLow;
  let restLow = sumLow;
  let restHigh = sumLow;
  for (let n = rows; n > 0; n--) {
    const u = f32x4.sub(v128.load(x), mean);
    const g = v128.load(gy);
    squares = fma(u, u, squares);
    restLow = f64x2.add(restLow, low(u));
    restHigh = f64x2.add(restHigh, high(u));
    sumLow = f64x2.add(sumLow, low(g));
    sumHigh = f64x2.add(sumHigh, high(g));
    dot = fma(g, u, dot);
    x += pitch;
    gy += pitch;
  }
  v128.store(to, mean);
  v128.store(to + plane, squares);
  v128.store(to + 2 * plane, dot);
  const rests = to + 3 * plane + c;
  v128.store(rests, restLow);
  v128.store(rests, restHigh, 16);
  const sums = rests + 2 * plane;
  v128.store(sums, sumLow);
  v128.store(sums, sumHigh, 16);
}

/**
 * Makes partial moments into the tables that applyNorm reads, [channels · times] each: centre, scale and shift (f32); for
 * the gradient centre, scale, shift and factor (f64).
 */
@unmanaged
export class FinishMomentsDesc {
  partial: usize;
  stretches: i32;
  stretch: i32;
  planeBytes: u32;
  stretchBytes: u32;
  rows: i32;
  channels: i32;
  times: i32;
  tables: usize;
  /** Bytes from table to table. */
  tableBytes: u32;
  epsilon: f32;
  weight: usize;
  bias: usize;
  /** Forward: running statistics, and addresses of the new ones. Gradient: fixed statistics or 0, gweight and gbias. */
  mean: usize;
  variance: usize;
  outMean: usize;
  outVariance: usize;
  momentum: f32;
  correction: f32;
}

// @ts-ignore: decorator
@inline
function rowsOf(d: FinishMomentsDesc, i: i32): f64 {
  return <f64>min(d.stretch, d.rows - i * d.stretch);
}

/** The true mean of stretch i minus the mean from which its squares were measured. `p` is the stretch's place in the first plane. */
// @ts-ignore: decorator
@inline
function restOf(d: FinishMomentsDesc, p: usize, c: usize, i: i32, grad: bool): f64 {
  const plane = <usize>d.planeBytes;
  return (grad ? load<f64>(p + 3 * plane + c) : <f64>load<f32>(p + 2 * plane)) / rowsOf(d, i);
}

/** The mean over all stretches; `c` is the channel's place in a plane. */
// @ts-ignore: decorator
@inline
function meanOfStretches(d: FinishMomentsDesc, c: usize, grad: bool): f64 {
  let sum: f64 = 0;
  let p = d.partial + c;
  for (let i = 0; i < d.stretches; i++, p += d.stretchBytes) {
    sum += (<f64>load<f32>(p) + restOf(d, p, c, i, grad)) * rowsOf(d, i);
  }
  return sum / <f64>d.rows;
}

// @ts-ignore: decorator
@inline
function varianceOfStretches(d: FinishMomentsDesc, c: usize, mean: f64, grad: bool): f64 {
  let sum: f64 = 0;
  let p = d.partial + c;
  for (let i = 0; i < d.stretches; i++, p += d.stretchBytes) {
    const rest = restOf(d, p, c, i, grad);
    const apart = <f64>load<f32>(p) + rest - mean;
    // Σ (x − mean)² was measured from a mean that is `rest` off: minus rest² per row, the sum is about the stretch's true mean.
    sum += <f64>load<f32>(p + d.planeBytes) + (apart * apart - rest * rest) * rowsOf(d, i);
  }
  return max(sum, 0) / <f64>d.rows;
}

/** Stores one value of table `k`, `times` times. */
// @ts-ignore: decorator
@inline
function fillTable<T>(d: FinishMomentsDesc, k: usize, channel: i32, value: f64): void {
  let p = d.tables + k * d.tableBytes + <usize>channel * sizeof<T>();
  for (let i = 0; i < d.times; i++, p += <usize>d.channels * sizeof<T>()) store<T>(p, <T>value);
}

/** Training forward: y = (x − mean) · scale + shift, and the running statistics. Unit of work: a channel. */
export function finishMoments(d: FinishMomentsDesc, begin: i32, end: i32): void {
  for (let channel = begin; channel < end; channel++) {
    const c = <usize>channel << 2;
    const mean = meanOfStretches(d, c, false);
    const variance = varianceOfStretches(d, c, mean, false);
    const weight: f64 = d.weight ? <f64>load<f32>(d.weight + c) : 1;
    const shift: f64 = d.bias ? <f64>load<f32>(d.bias + c) : 0;
    fillTable<f32>(d, 0, channel, mean);
    fillTable<f32>(d, 1, channel, weight / sqrt(variance + <f64>d.epsilon));
    fillTable<f32>(d, 2, channel, shift);
    const keep = <f64>d.momentum;
    const take: f64 = 1 - keep;
    store<f32>(d.outMean + c, <f32>(<f64>load<f32>(d.mean + c) * keep + mean * take));
    store<f32>(d.outVariance + c, <f32>(<f64>load<f32>(d.variance + c) * keep + variance * <f64>d.correction * take));
  }
}

/** Gradient: gx = gy · factor + (x − centre) · scale + shift; gweight, gbias. Unit of work: a channel. */
export function finishMomentsGrad(d: FinishMomentsDesc, begin: i32, end: i32): void {
  const rows = <f64>d.rows;
  for (let channel = begin; channel < end; channel++) {
    const c = <usize>channel << 2;
    const own = d.mean == 0;
    const mean = own ? meanOfStretches(d, c, true) : <f64>load<f32>(d.mean + c);
    const variance = own ? varianceOfStretches(d, c, mean, true) : <f64>load<f32>(d.variance + c);
    let sum: f64 = 0;
    let dot: f64 = 0;
    let p = d.partial + c;
    for (let i = 0; i < d.stretches; i++, p += d.stretchBytes) {
      const s = load<f64>(p + 5 * <usize>d.planeBytes + c);
      sum += s;
      dot += <f64>load<f32>(p + 2 * <usize>d.planeBytes) + s * (<f64>load<f32>(p) - mean);
    }
    const inverse = 1 / sqrt(variance + <f64>d.epsilon);
    const weight: f64 = d.weight ? <f64>load<f32>(d.weight + c) : 1;
    const factor = weight * inverse;
    store<f32>(d.outMean + c, <f32>(dot * inverse));
    store<f32>(d.outVariance + c, <f32>sum);
    fillTable<f64>(d, 0, channel, mean);
    fillTable<f64>(d, 1, channel, own ? -(factor * inverse * inverse * dot) / rows : 0);
    fillTable<f64>(d, 2, channel, own ? -(factor * sum) / rows : 0);
    fillTable<f64>(d, 3, channel, factor);
  }
}

/** Forward: y = (x − centre) · scale + shift. With gy: y = gy · factor + (x − centre) · scale + shift. Tables are as long as a row. */
@unmanaged
export class ApplyNormDesc {
  x: usize;
  gy: usize;
  y: usize;
  tables: usize;
  tableBytes: u32;
  /** Elements in all, per row, and per work unit (a multiple of 4). */
  total: i32;
  row: i32;
  unit: i32;
}

export function applyNorm(d: ApplyNormDesc, begin: i32, end: i32): void {
  const from = begin * d.unit;
  let left = min(end * d.unit, d.total) - from;
  let at = <usize>from << 2;
  let column = from % d.row;
  while (left > 0) {
    const n = min(d.row - column, left);
    if (d.gy) applyGrad(d.x + at, d.gy + at, d.y + at, d.tables + (<usize>column << 3), d.tableBytes, n);
    else apply(d.x + at, d.y + at, d.tables + (<usize>column << 2), d.tableBytes, n);
    at += <usize>n << 2;
    left -= n;
    column = 0;
  }
}

function apply(x: usize, y: usize, centre: usize, pitch: usize, n: i32): void {
  const scale = centre + pitch;
  const shift = scale + pitch;
  let i: usize = 0;
  for (; n >= 8; n -= 8, i += 32) {
    v128.store(y + i, fma(f32x4.sub(v128.load(x + i), v128.load(centre + i)), v128.load(scale + i), v128.load(shift + i)));
    const j = i + 16;
    v128.store(y + j, fma(f32x4.sub(v128.load(x + j), v128.load(centre + j)), v128.load(scale + j), v128.load(shift + j)));
  }
  for (; n > 0; n -= 4, i += 16) {
    const v = f32x4.sub(v128.load(x + i), v128.load(centre + i));
    storeFirst(y + i, fma(v, v128.load(scale + i), v128.load(shift + i)), n);
  }
}

/**
 * Computes in doubles and rounds once: a sum over gx that should be 0 consists of rounding errors alone (see columnGrad). Doubles
 * cost nothing here, since the loop waits for memory.
 */
function applyGrad(x: usize, gy: usize, y: usize, centre: usize, pitch: usize, n: i32): void {
  const scale = centre + pitch;
  const shift = scale + pitch;
  const factor = shift + pitch;
  for (let i: usize = 0, t: usize = 0; n > 0; n -= 4, i += 16, t += 32) {
    const u = v128.load(x + i);
    const g = v128.load(gy + i);
    let lows = f64x2.mul(f64x2.sub(low(u), v128.load(centre + t)), v128.load(scale + t));
    let highs = f64x2.mul(f64x2.sub(high(u), v128.load(centre + t, 16)), v128.load(scale + t, 16));
    lows = f64x2.add(lows, f64x2.mul(low(g), v128.load(factor + t)));
    highs = f64x2.add(highs, f64x2.mul(high(g), v128.load(factor + t, 16)));
    lows = f64x2.add(lows, v128.load(shift + t));
    highs = f64x2.add(highs, v128.load(shift + t, 16));
    storeFirst(y + i, join(lows, highs), n);
  }
}
