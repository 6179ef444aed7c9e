import { ConvletError, shapeText } from '../common/error.ts';
import { checkCall, type KnownOf, kind, number, oneOf, whole } from '../common/options.ts';
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

const perChannel = kind<number | readonly number[]>(
  'a number or one per channel',
  (value) => typeof value === 'number' || (Array.isArray(value) && value.every((v) => typeof v === 'number')),
);
const cropSize = kind<number | readonly [number, number]>(
  'a number of pixels or [height, width]',
  (value) => Number.isInteger(value) || (Array.isArray(value) && value.length === 2 && value.every(Number.isInteger)),
);
const chance = kind<number>('a number in 0…1', (value) => typeof value === 'number' && value >= 0 && value <= 1);

/**
 * (x − mean) / std, per channel.
 *
 * @param mean, std numbers for all channels, or one per channel
 */
export function normalize(
  mean: number | readonly number[],
  std: number | readonly number[],
  ...surplus: never[]
): Transform {
  checkCall('normalize', { args: { mean: perChannel, std: perChannel }, needed: 2 }, [mean, std, ...surplus]);
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

/** Of randomCrop. */
export interface CropOptions {
  /** Pixels around the picture. Default 0. */
  readonly padding?: number;
  /** What they are. Default 'constant': zeros. */
  readonly mode?: PaddingMode;
}

const cropKnown: KnownOf<CropOptions> = { padding: whole(0), mode: oneOf(...(Object.keys(outside) as PaddingMode[])) };

/**
 * A part of `size` × `size` pixels (or [height, width]) at a random place of the picture with `padding` pixels around it.
 */
export function randomCrop(
  size: number | readonly [number, number],
  options: CropOptions = {},
  ...surplus: never[]
): Transform {
  checkCall('randomCrop', { args: { size: cropSize }, options: cropKnown, needed: 1 }, [size, options, ...surplus]);
  const [h, w] = typeof size === 'number' ? [size, size] : size;
  const { padding = 0, mode = 'constant' } = options;
  const map = outside[mode];
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
export function randomHorizontalFlip(p = 0.5, ...surplus: never[]): Transform {
  checkCall('randomHorizontalFlip', { args: { p: chance } }, [p, ...surplus]);
  return (input, random) => {
    const { data, width } = pictureOf('randomHorizontalFlip', input);
    if (random.uniform() >= p) return input;
    const out = data.slice();
    for (let at = 0; at < out.length; at += width) out.subarray(at, at + width).reverse();
    return { shape: input.shape, data: out };
  };
}

/** Of randomErasing. */
export interface ErasingOptions {
  /** Of how many pictures. Default 1: all. */
  readonly p?: number;
  /** Default 0. */
  readonly value?: number;
}

const erasingKnown: KnownOf<ErasingOptions> = { p: chance, value: number };

/** Sets a square of `size` pixels at a random place (cut off at the edges) to `value`: cutout, DeVries and Taylor 2017. */
export function randomErasing(size: number, options: ErasingOptions = {}, ...surplus: never[]): Transform {
  checkCall('randomErasing', { args: { size: whole(0) }, options: erasingKnown, needed: 1 }, [
    size,
    options,
    ...surplus,
  ]);
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
