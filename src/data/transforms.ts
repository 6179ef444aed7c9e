import { ConvletError, shapeText } from '../common/error.ts';
import type { Transform, Values } from './dataset.ts';

/** A picture: [C,H,W], float32. */
interface Picture {
  readonly data: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

function pictureOf(what: string, { shape, data }: Values): Picture {
  if (shape.length !== 3)
    throw new ConvletError('shape', `${what}: expects a picture [C,H,W], got shape ${shapeText(shape)}`);
  const [channels, height, width] = shape;
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), channels, height, width };
}

/** Pixels outside of a picture: `constant` zeros, or the picture's mirror image about its edge pixels. */
export type PaddingMode = 'constant' | 'reflect';

const outside: { readonly [mode in PaddingMode]: (i: number, size: number) => number } = {
  constant: () => -1,
  reflect: (i, size) => (i < 0 ? -i : 2 * (size - 1) - i),
};

/**
 * (x − mean) / std, per channel.
 *
 * @param mean, std numbers for all channels, or one per channel
 */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Transform {
  const at = (values: number | readonly number[], c: number): number =>
    typeof values === 'number' ? values : values[c];
  return (input) => {
    const { data, channels, height, width } = pictureOf('normalize', input);
    for (const [name, values] of Object.entries({ mean, std })) {
      if (typeof values !== 'number' && values.length !== channels)
        throw new ConvletError(
          'argument',
          `normalize: ${channels} channels expect as many values of ${name}, got ${values.length}`,
        );
    }
    const out = new Float32Array(data.length);
    const pixels = height * width;
    for (let c = 0; c < channels; c++) {
      const [m, factor] = [at(mean, c), 1 / at(std, c)];
      for (let i = c * pixels; i < (c + 1) * pixels; i++) out[i] = (data[i] - m) * factor;
    }
    return { shape: input.shape, data: out };
  };
}

/**
 * A part of `size` × `size` pixels (or [height, width]) at a random place of the picture with `padding` pixels around it.
 */
export function randomCrop(
  size: number | readonly [number, number],
  options: { padding?: number; mode?: PaddingMode } = {},
): Transform {
  const [h, w] = typeof size === 'number' ? [size, size] : size;
  const { padding = 0, mode = 'constant' } = options;
  const map = outside[mode];
  if (map === undefined)
    throw new ConvletError('argument', `randomCrop: mode expects ${Object.keys(outside).join(' or ')}, got ${mode}`);
  return (input, random) => {
    const { data, channels, height, width } = pictureOf('randomCrop', input);
    if (
      h > height + 2 * padding ||
      w > width + 2 * padding ||
      (mode === 'reflect' && padding >= Math.min(height, width))
    )
      throw new ConvletError(
        'shape',
        `randomCrop: ${h}×${w} pixels do not fit into ${height}×${width} with padding ${padding} (${mode})`,
      );
    const top = random.below(height + 2 * padding - h + 1) - padding;
    const left = random.below(width + 2 * padding - w + 1) - padding;
    const out = new Float32Array(channels * h * w);
    for (let y = 0, to = 0; y < h; y++, to += w) {
      const row = top + y >= 0 && top + y < height ? top + y : map(top + y, height);
      if (row < 0) continue;
      for (let x = 0; x < w; x++) {
        const column = left + x >= 0 && left + x < width ? left + x : map(left + x, width);
        if (column < 0) continue;
        for (let c = 0; c < channels; c++) out[c * h * w + to + x] = data[(c * height + row) * width + column];
      }
    }
    return { shape: [channels, h, w], data: out };
  };
}

/** Mirrors the picture left to right with probability `p`. */
export function randomHorizontalFlip(p = 0.5): Transform {
  return (input, random) => {
    const { data, width } = pictureOf('randomHorizontalFlip', input);
    if (random.uniform() >= p) return input;
    const out = data.slice();
    for (let at = 0; at < out.length; at += width) out.subarray(at, at + width).reverse();
    return { shape: input.shape, data: out };
  };
}

/** Sets a square of `size` pixels at a random place (cut off at the edges) to `value`: cutout, DeVries and Taylor 2017. */
export function randomErasing(size: number, options: { p?: number; value?: number } = {}): Transform {
  const { p = 1, value = 0 } = options;
  return (input, random) => {
    const { data, channels, height, width } = pictureOf('randomErasing', input);
    if (random.uniform() >= p) return input;
    const top = random.below(height) - (size >> 1);
    const left = random.below(width) - (size >> 1);
    const [from, to] = [Math.max(0, left), Math.min(width, left + size)];
    const out = data.slice();
    for (let c = 0; c < channels; c++) {
      for (let y = Math.max(0, top); y < Math.min(height, top + size); y++) {
        const row = (c * height + y) * width;
        out.fill(value, row + from, row + to);
      }
    }
    return { shape: input.shape, data: out };
  };
}
