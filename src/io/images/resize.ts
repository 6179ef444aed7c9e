import { anything, checkCall, flag, type KnownOf, oneOf } from '../../common/options.ts';
import { checkImage, checkSize, type Image } from './image.ts';

/** How values between pixels are interpolated; the names are those of ONNX and PyTorch. */
export type ResizeMode = 'nearest' | 'bilinear' | 'bicubic';

/** How `resizeImage` interpolates. */
export interface ResizeOptions {
  /** Default 'bilinear'. */
  mode?: ResizeMode;
  /** Widens the filter when shrinking, so that every source pixel counts (default false; not for 'nearest'). */
  antialias?: boolean;
}

const known: KnownOf<ResizeOptions> = { mode: oneOf('nearest', 'bilinear', 'bicubic'), antialias: flag };
const signature = { args: { image: anything, width: anything, height: anything }, options: known };

/**
 * The image at `width` × `height`, pixel centres at half coordinates (PyTorch's `interpolate` with align_corners=False;
 * 'nearest' is its 'nearest-exact'). Bicubic has a = -0.75, and -0.5 with `antialias`, as in PyTorch. Sizes in pixels; the
 * result is a new image. Throws `argument` for another mode or a size that is not a whole number ≥ 1.
 */
export function resizeImage(image: Image, width: number, height: number, options: ResizeOptions = {}): Image {
  checkCall('resizeImage', signature, [image, width, height, options]);
  const { mode = 'bilinear', antialias = false } = options;
  checkImage(image, 'resizeImage');
  checkSize(width, height, 'resizeImage');
  if (width === image.width && height === image.height) return { ...image, data: image.data.slice() };
  const values = resample(image, width, height, mode, antialias);
  return { data: Uint8Array.from(new Uint8ClampedArray(values)), width, height, channels: image.channels };
}

/** Separable resampling: along rows first, then along columns. Returns height × width × channels values, not rounded. */
function resample(image: Image, width: number, height: number, mode: ResizeMode, antialias: boolean): Float32Array {
  const { data, channels } = image;
  const columns = table(image.width, width, mode, antialias);
  const rows = table(image.height, height, mode, antialias);
  const rowLength = width * channels;
  const horizontal = new Float32Array(image.height * rowLength);
  for (let y = 0; y < image.height; y++) {
    const from = y * image.width * channels;
    let o = y * rowLength;
    for (let x = 0; x < width; x++) {
      const tap = x * columns.taps;
      for (let c = 0; c < channels; c++, o++) {
        let sum = 0;
        for (let k = tap; k < tap + columns.taps; k++) {
          sum += columns.weights[k] * data[from + columns.indices[k] * channels + c];
        }
        horizontal[o] = sum;
      }
    }
  }
  const out = new Float32Array(height * rowLength);
  for (let y = 0; y < height; y++) {
    const o = y * rowLength;
    for (let k = y * rows.taps; k < (y + 1) * rows.taps; k++) {
      const weight = rows.weights[k];
      if (weight === 0) continue;
      const from = rows.indices[k] * rowLength;
      for (let i = 0; i < rowLength; i++) out[o + i] += weight * horizontal[from + i];
    }
  }
  return out;
}

/** Filter of each mode: half its width in source pixels, and its weight at distance x ≥ 0. */
const filters: Record<ResizeMode, { radius: number; weight: (x: number, antialias: boolean) => number }> = {
  nearest: { radius: 0, weight: () => 1 },
  bilinear: { radius: 1, weight: (x) => Math.max(0, 1 - x) },
  bicubic: { radius: 2, weight: (x, antialias) => cubic(x, antialias ? -0.5 : -0.75) },
};

/** Keys' cubic convolution kernel. */
function cubic(x: number, a: number): number {
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** For each of `size` outputs, `taps` source indices (clamped to the edge) and their weights. */
function table(sourceSize: number, size: number, mode: ResizeMode, antialias: boolean) {
  const scale = sourceSize / size;
  const { radius, weight } = filters[mode];
  const stretch = antialias && scale > 1 ? scale : 1;
  const taps = radius === 0 ? 1 : 2 * Math.ceil(radius * stretch);
  const indices = new Int32Array(size * taps);
  const weights = new Float32Array(size * taps);
  for (let i = 0; i < size; i++) {
    const center = (i + 0.5) * scale - 0.5;
    const first = radius === 0 ? Math.round(center) : Math.floor(center) - taps / 2 + 1;
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const at = first + k;
      let w = weight(Math.abs(at - center) / stretch, antialias);
      // With antialias the part of the filter outside the picture has weight 0; without, it reads the edge pixel.
      if (antialias && (at < 0 || at >= sourceSize)) w = 0;
      indices[i * taps + k] = Math.min(sourceSize - 1, Math.max(0, at));
      weights[i * taps + k] = w;
      sum += w;
    }
    for (let k = 0; k < taps; k++) weights[i * taps + k] /= sum;
  }
  return { taps, indices, weights };
}
