import type { TypedArray } from '../../../common/dtype.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { ConvAttrs } from '../../prims/conv.ts';

/**
 * For each output position of one axis: the kernel taps that are inside the input, and the input positions that they read; entries
 * start[o] … start[o+1]−1 of `tap` and `input`. Convolution and its transpose differ in this table only.
 */
export interface AxisTaps {
  readonly start: Int32Array;
  readonly tap: Int32Array;
  readonly input: Int32Array;
}

/** The table of an axis: `inputOf(o, k)` is the input cell that tap k reads for output o, or −1. */
export function axisTaps(output: number, kernel: number, inputOf: (o: number, k: number) => number): AxisTaps {
  const start = new Int32Array(output + 1);
  const tap: number[] = [];
  const input: number[] = [];
  for (let o = 0; o < output; o++) {
    for (let k = 0; k < kernel; k++) {
      const at = inputOf(o, k);
      if (at < 0) continue;
      tap.push(k);
      input.push(at);
    }
    start[o + 1] = tap.length;
  }
  return { start, tap: Int32Array.from(tap), input: Int32Array.from(input) };
}

/** The arrays that a convolution reads and writes. */
export interface Arrays {
  readonly x: Float32Array;
  /** [outChannels, taps, channels/groups]; [channels, taps] if depthwise. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly residual: Float32Array | null;
  readonly y: Float32Array;
}

export const arraysOf = (
  x: Tensor,
  weight: Float32Array,
  bias: Tensor | null,
  residual: Tensor | null,
  y: Tensor,
): Arrays => ({
  x: x.array as Float32Array,
  weight,
  bias: bias === null ? null : (bias.array as Float32Array),
  residual: residual === null ? null : (residual.array as Float32Array),
  y: y.array as Float32Array,
});

/** The output channels begin…end−1 of a group, which share the input channels first…first+perGroup−1. */
interface Group {
  readonly begin: number;
  readonly end: number;
  readonly first: number;
  readonly perGroup: number;
  /** Weights of one output channel. */
  readonly rowLength: number;
}

/** Taps of one output pixel that are inside the input: the first `count` entries. */
interface Meeting {
  /** First channel of the pixel in y. */
  base: number;
  count: number;
  /** For each tap the index of its input pixel's first channel, and the tap's number. */
  from: Int32Array;
  tap: Int32Array;
}

/**
 * y[n, o, outChannel] = Σ over taps and channels x[n, input, channel] · w[outChannel, tap, channel] + bias + residual.
 * The inner loop runs over contiguous channels of x and weight; four output channels at once give four independent sums.
 * Sums are in double precision: kernels are compared with this function.
 */
export function correlate(arrays: Arrays, attrs: ConvAttrs, axes: readonly [AxisTaps, AxisTaps, AxisTaps]): void {
  const { channels, outChannels, groups, kernel } = attrs;
  const perGroup = channels / groups;
  const outPerGroup = outChannels / groups;
  const rowLength = kernel[0] * kernel[1] * kernel[2] * perGroup;
  const list = Array.from({ length: groups }, (_, g): Group => {
    const begin = g * outPerGroup;
    return { begin, end: begin + outPerGroup, first: g * perGroup, perGroup, rowLength };
  });
  // One object for all pixels, so that none is allocated per pixel.
  const meeting: Meeting = { base: 0, count: 0, from: new Int32Array(0), tap: new Int32Array(0) };
  forEachPixel(attrs, axes, (base, count, from, tap) => {
    meeting.base = base;
    meeting.count = count;
    meeting.from = from;
    meeting.tap = tap;
    for (const group of list) pixel(arrays, group, meeting);
  });
}

/** The sums of one pixel. An element of the residual is read before that of y is written: they may be the same memory. */
function pixel(
  { x, weight, bias, residual, y }: Arrays,
  { begin, end, first, perGroup, rowLength }: Group,
  { base, count, from, tap }: Meeting,
): void {
  let o = begin;
  for (; o + 4 <= end; o += 4) {
    let sum0 = bias === null ? 0 : bias[o];
    let sum1 = bias === null ? 0 : bias[o + 1];
    let sum2 = bias === null ? 0 : bias[o + 2];
    let sum3 = bias === null ? 0 : bias[o + 3];
    for (let t = 0; t < count; t++) {
      const at = from[t] + first;
      const w0 = o * rowLength + tap[t] * perGroup;
      const w1 = w0 + rowLength;
      const w2 = w1 + rowLength;
      const w3 = w2 + rowLength;
      for (let c = 0; c < perGroup; c++) {
        const value = x[at + c];
        sum0 += value * weight[w0 + c];
        sum1 += value * weight[w1 + c];
        sum2 += value * weight[w2 + c];
        sum3 += value * weight[w3 + c];
      }
    }
    y[base + o] = sum0 + (residual === null ? 0 : residual[base + o]);
    y[base + o + 1] = sum1 + (residual === null ? 0 : residual[base + o + 1]);
    y[base + o + 2] = sum2 + (residual === null ? 0 : residual[base + o + 2]);
    y[base + o + 3] = sum3 + (residual === null ? 0 : residual[base + o + 3]);
  }
  for (; o < end; o++) {
    let sum = bias === null ? 0 : bias[o];
    for (let t = 0; t < count; t++) {
      const at = from[t] + first;
      const w0 = o * rowLength + tap[t] * perGroup;
      for (let c = 0; c < perGroup; c++) sum += x[at + c] * weight[w0 + c];
    }
    y[base + o] = sum + (residual === null ? 0 : residual[base + o]);
  }
}

/** As `correlate` with one input and one output channel per group. */
export function correlateDepthwise(
  { x, weight, bias, residual, y }: Arrays,
  attrs: ConvAttrs,
  axes: readonly [AxisTaps, AxisTaps, AxisTaps],
): void {
  const { channels, kernel } = attrs;
  const taps = kernel[0] * kernel[1] * kernel[2];
  forEachPixel(attrs, axes, (base, count, from, tap) => {
    for (let c = 0; c < channels; c++) {
      let sum = bias === null ? 0 : bias[c];
      const row = c * taps;
      for (let t = 0; t < count; t++) sum += x[from[t] + c] * weight[row + tap[t]];
      y[base + c] = sum + (residual === null ? 0 : residual[base + c]);
    }
  });
}

/**
 * Calls `body` for each output pixel with the index of its first channel in y, the number of taps that are inside the input,
 * and for each of these taps the index of the input pixel's first channel and the tap's number.
 */
export function forEachPixel(
  attrs: Pick<ConvAttrs, 'batch' | 'channels' | 'outChannels' | 'input' | 'output' | 'kernel'>,
  axes: readonly [AxisTaps, AxisTaps, AxisTaps],
  body: (base: number, count: number, from: Int32Array, tap: Int32Array) => void,
): void {
  const { batch, channels, outChannels, input, output, kernel } = attrs;
  const [depth, height, width] = axes;
  const from = new Int32Array(mostTaps(depth) * mostTaps(height) * mostTaps(width));
  const tap = new Int32Array(from.length);
  let base = 0;
  for (let n = 0; n < batch; n++) {
    for (let z = 0; z < output[0]; z++) {
      for (let y = 0; y < output[1]; y++) {
        for (let x = 0; x < output[2]; x++) {
          let count = 0;
          for (let i = depth.start[z]; i < depth.start[z + 1]; i++) {
            for (let j = height.start[y]; j < height.start[y + 1]; j++) {
              const row = ((n * input[0] + depth.input[i]) * input[1] + height.input[j]) * input[2];
              const taps = (depth.tap[i] * kernel[1] + height.tap[j]) * kernel[2];
              for (let k = width.start[x]; k < width.start[x + 1]; k++) {
                from[count] = (row + width.input[k]) * channels;
                tap[count++] = taps + width.tap[k];
              }
            }
          }
          body(base, count, from, tap);
          base += outChannels;
        }
      }
    }
  }
}

/** The most taps that are inside the input at one output position: a window may be far larger than its input. */
function mostTaps({ start }: AxisTaps): number {
  let most = 0;
  for (let o = 1; o < start.length; o++) most = Math.max(most, start[o] - start[o - 1]);
  return most;
}

/** Weights in another order, kept as long as the array of the constant is in use. */
export class WeightForms {
  private readonly forms = new WeakMap<TypedArray, Map<string, Float32Array>>();

  get(tensor: Tensor, form: string, make: (weight: Float32Array) => Float32Array): Float32Array {
    const source = tensor.array as Float32Array;
    if (!tensor.constant) return make(source);
    let ofArray = this.forms.get(source);
    if (ofArray === undefined) this.forms.set(source, (ofArray = new Map()));
    let made = ofArray.get(form);
    if (made === undefined) ofArray.set(form, (made = make(source)));
    return made;
  }
}

/** An array of the same kind: float32, or float64 in a float64 model. */
export function likeArray(array: Float32Array, length: number): Float32Array {
  return new (array.constructor as Float32ArrayConstructor)(length);
}
