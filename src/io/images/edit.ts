import { ConvletError } from '../../common/error.ts';
import { checkOptions, type KnownOf, whole } from '../../common/options.ts';
import { checkImage, checkSize, type Image } from './image.ts';

/** A colour: one value for all channels, or one per channel (alpha may be left out: 255). 0 to 255. */
export type Color = number | readonly number[];

/** The part of the image from (x, y) on, `width` × `height` pixels. Throws `index-range` if it is not all inside. */
export function cropImage(image: Image, x: number, y: number, width: number, height: number): Image {
  checkImage(image, 'cropImage');
  checkSize(width, height, 'cropImage');
  const inside = Number.isInteger(x) && Number.isInteger(y) && x >= 0 && y >= 0;
  if (!inside || x + width > image.width || y + height > image.height) {
    throw new ConvletError(
      'index-range',
      `cropImage: ${width}×${height} pixels from (${x}, ${y}) do not lie in an image of ${image.width}×${image.height}`,
    );
  }
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * channels;
    data.set(image.data.subarray(from, from + width * channels), row * width * channels);
  }
  return { data, width, height, channels };
}

/** Pixels to add at each side; a side that is not given is 0. */
export interface Padding {
  /** Pixels above. */
  top?: number;
  /** Pixels on the right. */
  right?: number;
  /** Pixels below. */
  bottom?: number;
  /** Pixels on the left. */
  left?: number;
}

const known: KnownOf<Padding> = { top: whole(0), right: whole(0), bottom: whole(0), left: whole(0) };

/** The image with a margin of `color` (default black, opaque) around it. */
export function padImage(image: Image, padding: Padding, color: Color = 0): Image {
  checkImage(image, 'padImage');
  checkOptions('padImage', padding, known);
  const { top = 0, right = 0, bottom = 0, left = 0 } = padding;
  const { channels } = image;
  const width = image.width + left + right;
  const height = image.height + top + bottom;
  checkSize(width, height, 'padImage');
  const data = new Uint8Array(width * height * channels);
  const pixel = colorBytes(color, channels, 'padImage');
  for (let c = 0; c < channels; c++) {
    if (pixel[c] !== 0) for (let i = c; i < data.length; i += channels) data[i] = pixel[c];
  }
  for (let row = 0; row < image.height; row++) {
    const from = row * image.width * channels;
    data.set(image.data.subarray(from, from + image.width * channels), ((top + row) * width + left) * channels);
  }
  return { data, width, height, channels };
}

export function colorBytes(color: Color, channels: number, where: string): number[] {
  const given = typeof color === 'number' ? new Array<number>(Math.min(3, channels)).fill(color) : [...color];
  if (channels === 4 && given.length === 3) given.push(255);
  if (given.length !== channels || given.some((value) => !(value >= 0 && value <= 255))) {
    throw new ConvletError('argument', `${where}: color must be ${channels} values from 0 to 255, got [${given}]`);
  }
  return given;
}
