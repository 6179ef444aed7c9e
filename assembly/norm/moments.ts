// Batch normalisation in training: statistics of the columns of x [rows, channels], and its gradient. Stretches of rows that fit
// in the first-level cache are summed twice (mean, then deviations from it), so memory is read once and nothing cancels; their
// moments are put together in a fixed order (Chan, Golub & LeVeque 1979).
import { fma } from '../common/simd';
import { storeFirst } from '../common/tail';

/**
 * partial[stretch][plane][channels, whole vectors]; planes: mean, Σ (x − mean)², and with gy Σ gy, Σ gy·(x − mean).
 */
@unmanaged
export class MomentsDesc {
  x: usize;
  /** 0 without a gradient. */
  gy: usize;
  /** Fixed means to measure from; 0: those of the stretch. */
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

/** The mean of four columns. Two chains of additions. */
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
  let a = f32x4.splat(0);
  let b = a;
  let n = rows;
  for (; n > 1; n -= 2) {
    const u = f32x4.sub(v128.load(x), mean);
    const v = f32x4.sub(v128.load(x + pitch), mean);
    a = fma(u, u, a);
    b = fma(v, v, b);
    x += pitch << 1;
  }
  if (n) {
    const u = f32x4.sub(v128.load(x), mean);
    a = fma(u, u, a);
  }
  v128.store(to, mean);
  v128.store(to + plane, f32x4.add(a, b));
}

function columnGrad(d: MomentsDesc, x: usize, gy: usize, to: usize, rows: i32, pitch: usize, c: usize): void {
  const plane = <usize>d.planeBytes;
  const mean = d.mean ? v128.load(d.mean + c) : meanOf(x, rows, pitch);
  let squares = f32x4.splat(0);
  let sum = squares;
  let dot = squares;
  for (let n = rows; n > 0; n--) {
    const u = f32x4.sub(v128.load(x), mean);
    const g = v128.load(gy);
    squares = fma(u, u, squares);
    sum = f32x4.add(sum, g);
    dot = fma(g, u, dot);
    x += pitch;
    gy += pitch;
  }
  v128.store(to, mean);
  v128.store(to + plane, squares);
  v128.store(to + 2 * plane, sum);
  v128.store(to + 3 * plane, dot);
}

/**
 * From partial moments to what is applied: tables [4][channels · times] of centre, scale and shift (see applyNorm).
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
  /** Forward: running statistics and where the new ones go. Gradient: fixed statistics or 0, gweight and gbias. */
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

function meanOfStretches(d: FinishMomentsDesc, c: usize): f64 {
  let sum: f64 = 0;
  let p = d.partial + c;
  for (let i = 0; i < d.stretches; i++, p += d.stretchBytes) sum += <f64>load<f32>(p) * rowsOf(d, i);
  return sum / <f64>d.rows;
}

function varianceOfStretches(d: FinishMomentsDesc, c: usize, mean: f64): f64 {
  let sum: f64 = 0;
  let p = d.partial + c;
  for (let i = 0; i < d.stretches; i++, p += d.stretchBytes) {
    const apart = <f64>load<f32>(p) - mean;
    sum += <f64>load<f32>(p + d.planeBytes) + apart * apart * rowsOf(d, i);
  }
  return sum / <f64>d.rows;
}

function fillTables(d: FinishMomentsDesc, c: usize, centre: f64, scale: f64, shift: f64, factor: f64): void {
  const pitch = <usize>d.channels << 2;
  let p = d.tables + c;
  for (let i = 0; i < d.times; i++, p += pitch) {
    store<f32>(p, <f32>centre);
    store<f32>(p + d.tableBytes, <f32>scale);
    store<f32>(p + 2 * <usize>d.tableBytes, <f32>shift);
    store<f32>(p + 3 * <usize>d.tableBytes, <f32>factor);
  }
}

/** Training forward: y = (x − mean) · scale + shift, and the running statistics. Unit of work: a channel. */
export function finishMoments(d: FinishMomentsDesc, begin: i32, end: i32): void {
  for (let channel = begin; channel < end; channel++) {
    const c = <usize>channel << 2;
    const mean = meanOfStretches(d, c);
    const variance = varianceOfStretches(d, c, mean);
    const weight: f64 = d.weight ? <f64>load<f32>(d.weight + c) : 1;
    const shift: f64 = d.bias ? <f64>load<f32>(d.bias + c) : 0;
    fillTables(d, c, mean, weight / sqrt(variance + <f64>d.epsilon), shift, 0);
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
    const mean = own ? meanOfStretches(d, c) : <f64>load<f32>(d.mean + c);
    const variance = own ? varianceOfStretches(d, c, mean) : <f64>load<f32>(d.variance + c);
    let sum: f64 = 0;
    let dot: f64 = 0;
    let p = d.partial + c;
    for (let i = 0; i < d.stretches; i++, p += d.stretchBytes) {
      const s = <f64>load<f32>(p + 2 * <usize>d.planeBytes);
      sum += s;
      dot += <f64>load<f32>(p + 3 * <usize>d.planeBytes) + s * (<f64>load<f32>(p) - mean);
    }
    const inverse = 1 / sqrt(variance + <f64>d.epsilon);
    const weight: f64 = d.weight ? <f64>load<f32>(d.weight + c) : 1;
    const factor = weight * inverse;
    store<f32>(d.outMean + c, <f32>(dot * inverse));
    store<f32>(d.outVariance + c, <f32>sum);
    if (own) fillTables(d, c, mean, -(factor * inverse * inverse * dot) / rows, -(factor * sum) / rows, factor);
    else fillTables(d, c, mean, 0, 0, factor);
  }
}

/** Forward: y = (x − centre) · scale + shift. With gy: y = gy · factor + that. Tables as long as a row, which may be several. */
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
    const table = d.tables + (<usize>column << 2);
    if (d.gy) applyGrad(d.x + at, d.gy + at, d.y + at, table, d.tableBytes, n);
    else apply(d.x + at, d.y + at, table, d.tableBytes, n);
    at += <usize>n << 2;
    left -= n;
    column = 0;
  }
}

function apply(x: usize, y: usize, centre: usize, pitch: usize, n: i32): void {
  const scale = centre + pitch;
  const shift = scale + pitch;
  for (let i: usize = 0; n > 0; n -= 4, i += 16) {
    const v = f32x4.sub(v128.load(x + i), v128.load(centre + i));
    storeFirst(y + i, fma(v, v128.load(scale + i), v128.load(shift + i)), n);
  }
}

function applyGrad(x: usize, gy: usize, y: usize, centre: usize, pitch: usize, n: i32): void {
  const scale = centre + pitch;
  const shift = scale + pitch;
  const factor = shift + pitch;
  for (let i: usize = 0; n > 0; n -= 4, i += 16) {
    const v = f32x4.sub(v128.load(x + i), v128.load(centre + i));
    const base = fma(v, v128.load(scale + i), v128.load(shift + i));
    storeFirst(y + i, fma(v128.load(gy + i), v128.load(factor + i), base), n);
  }
}
