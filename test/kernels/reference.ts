import { unaryFunctions } from '../../src/backend/js/elementwise/unary.ts';
import type { ConvAttrs } from '../../src/backend/prims/conv.ts';
import type { Activation } from '../../src/backend/prims/elementwise.ts';
import type { MatmulAttrs } from '../../src/backend/prims/matmul.ts';
import type { Triple } from '../../src/backend/prims/window.ts';

export type Source = { readonly length: number; readonly [i: number]: number };

/** A result in f64, and Σ|products| + |bias| + |residual|, to which its rounding error is proportional. */
export interface Reference {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
}

const newReference = (length: number): Reference => ({
  values: new Float64Array(length),
  magnitudes: new Float64Array(length),
});

function add(to: Reference, at: number, value: number): void {
  to.values[at] += value;
  to.magnitudes[at] += Math.abs(value);
}

function finish(
  to: Reference,
  columns: number,
  bias: Source | null,
  residual: Source | null,
  activation: Activation | null,
): Reference {
  for (let i = 0; i < to.values.length; i++) {
    if (bias !== null) add(to, i, bias[i % columns]);
    if (residual !== null) add(to, i, residual[i]);
    if (activation !== null) {
      to.values[i] = unaryFunctions[activation.kind](to.values[i], activation.alpha, activation.beta);
    }
  }
  return to;
}

/** Visits every pair of input and output cell that a tap connects, for conv; for convTranspose input and output are exchanged. */
function visit(
  from: Triple,
  to: Triple,
  { kernel, stride, dilation, padBegin }: ConvAttrs,
  f: (from: number, to: number, tap: number) => void,
): void {
  for (let t = 0; t < to[0] * to[1] * to[2]; t++) {
    const o = [Math.floor(t / (to[1] * to[2])), Math.floor(t / to[2]) % to[1], t % to[2]];
    for (let k = 0; k < kernel[0] * kernel[1] * kernel[2]; k++) {
      const tap = [Math.floor(k / (kernel[1] * kernel[2])), Math.floor(k / kernel[2]) % kernel[1], k % kernel[2]];
      const i = o.map((v, axis) => v * stride[axis] + tap[axis] * dilation[axis] - padBegin[axis]);
      if (i.every((v, axis) => v >= 0 && v < from[axis])) f((i[0] * from[1] + i[1]) * from[2] + i[2], t, k);
    }
  }
}

const cells = (t: Triple): number => t[0] * t[1] * t[2];

export function referenceConv(
  x: Source,
  weight: Source,
  bias: Source | null,
  residual: Source | null,
  attrs: ConvAttrs,
  transposed: boolean,
): Reference {
  const { batch, channels, outChannels, groups, input, output } = attrs;
  const to = newReference(batch * cells(output) * outChannels);
  const [ins, outs, taps] = [channels / groups, outChannels / groups, cells(attrs.kernel)];
  for (let n = 0; n < batch; n++) {
    const cell = (at: number, end: number, tap: number): void => {
      const [xAt, yAt] = [(n * cells(input) + at) * channels, (n * cells(output) + end) * outChannels];
      for (let o = 0; o < outChannels; o++) {
        const g = Math.floor(o / outs);
        for (let c = 0; c < ins; c++) {
          const w = transposed ? (g * ins + c) * outs + (o % outs) : o * ins + c;
          add(to, yAt + o, x[xAt + g * ins + c] * weight[w * taps + tap]);
        }
      }
    };
    if (transposed) visit(output, input, attrs, (end, at, tap) => cell(at, end, tap));
    else visit(input, output, attrs, cell);
  }
  return finish(to, outChannels, bias, residual, attrs.activation);
}

export function referenceMatmul(
  a: Source,
  b: Source,
  bias: Source | null,
  residual: Source | null,
  attrs: MatmulAttrs,
): Reference {
  const { m, n, k, aOffsets, bOffsets, aRow, aColumn, bRow, bColumn, alpha } = attrs;
  const to = newReference(aOffsets.length * m * n);
  for (let s = 0; s < aOffsets.length; s++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let p = 0; p < k; p++) {
          const left = a[aOffsets[s] + i * aRow + p * aColumn];
          add(to, (s * m + i) * n + j, alpha * left * b[bOffsets[s] + p * bRow + j * bColumn]);
        }
      }
    }
  }
  return finish(to, n, bias, residual, attrs.activation);
}

/** Fails if an element differs by more than `terms` · 2⁻²³ of its magnitude (plus the error that an activation may add). */
export function expectAccurate(what: string, got: Source, { values, magnitudes }: Reference, terms: number): void {
  if (got.length !== values.length) throw new Error(`${what}: ${got.length} elements, expected ${values.length}`);
  for (let i = 0; i < values.length; i++) {
    const bound = (terms + 4) * 2 ** -23 * (magnitudes[i] + Math.abs(values[i])) + 1e-6;
    if (!(Math.abs(got[i] - values[i]) <= bound)) {
      throw new Error(`${what}: element ${i} of ${got.length} is ${got[i]}, expected ${values[i]} ± ${bound}`);
    }
  }
}
