import { isArrayOf } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';

/** Samples per pixel: 1 grey, 3 RGB, 4 RGBA. */
export type Channels = 1 | 3 | 4;

/**
 * A decoded picture: 8 bits per sample, rows from top to bottom, channels-last (`data[(y * width + x) * channels + c]`).
 * 1 channel is grey, 3 are RGB, 4 are RGB and straight (not premultiplied) alpha.
 */
export interface Image {
  /** Samples, row by row. */
  data: Uint8Array;
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** 1 grey, 3 RGB, 4 RGBA. */
  channels: Channels;
}

/** Checks that an image is consistent; `where` is the function that the error names. */
export function checkImage(image: Image, where: string): void {
  const { data, width, height, channels } = image ?? {};
  if (!isArrayOf(data, Uint8Array)) throw new ConvletError('dtype', `${where}: image.data must be a Uint8Array`);
  checkSize(width, height, where);
  checkChannels(channels, where);
  if (data.length !== width * height * channels) {
    throw new ConvletError(
      'shape',
      `${where}: image.data of a ${width}×${height} image with ${channels} channels must have ` +
        `${width * height * channels} elements, got ${data.length}`,
    );
  }
}

export function checkSize(width: number, height: number, where: string): void {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new ConvletError('argument', `${where}: width and height must be positive integers, got ${width}×${height}`);
  }
  if (width * height > 2 ** 29) {
    throw new ConvletError('memory', `${where}: ${width}×${height} is more than 2^29 pixels`);
  }
}

export function checkChannels(channels: number, where: string): asserts channels is Channels {
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new ConvletError('argument', `${where}: channels must be 1, 3 or 4, got ${channels}`);
  }
}

/**
 * The image with another number of channels. Colour becomes grey by Rec. 601 luma (0.299 R + 0.587 G + 0.114 B). If alpha
 * is removed, the picture is composed on white; added alpha is 255. Returns the same image if nothing changes.
 */
export function convertChannels(image: Image, channels: Channels): Image {
  checkImage(image, 'convertChannels');
  checkChannels(channels, 'convertChannels');
  const { data: from, width, height, channels: fromChannels } = image;
  if (fromChannels === channels) return image;
  const pixels = width * height;
  const data = new Uint8Array(pixels * channels);
  for (let p = 0; p < pixels; p++) {
    const i = p * fromChannels;
    let r = from[i];
    let g = fromChannels === 1 ? r : from[i + 1];
    let b = fromChannels === 1 ? r : from[i + 2];
    if (fromChannels === 4) {
      const alpha = from[i + 3];
      r = onWhite(r, alpha);
      g = onWhite(g, alpha);
      b = onWhite(b, alpha);
    }
    const o = p * channels;
    if (channels === 1) {
      data[o] = (r * 299 + g * 587 + b * 114 + 500) / 1000;
    } else {
      data[o] = r;
      data[o + 1] = g;
      data[o + 2] = b;
      if (channels === 4) data[o + 3] = 255;
    }
  }
  return { data, width, height, channels };
}

function onWhite(value: number, alpha: number): number {
  return Math.round((value * alpha + 255 * (255 - alpha)) / 255);
}
