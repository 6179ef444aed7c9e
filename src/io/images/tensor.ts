import { describe } from '../../common/dtype.ts';
import { ConvletError, shapeText } from '../../common/error.ts';
import { anything, checkOptions, type KnownOf, kind, oneOf } from '../../common/options.ts';
import { bytesOf, isBlob, isResponse } from '../../common/source.ts';
import { type Channels, checkImage, convertChannels, type Image } from './image.ts';
import { isImage, type PictureLike, pixelsOf } from './sources.ts';

/** How pixels become numbers: `(pixel * scale - mean) / std`, mean and std per channel in the order of the tensor. */
export interface ImageTensorOptions {
  /** Default 1/255: pixels from 0 to 1. */
  scale?: number;
  /** Default 0. A number, or one per channel. */
  mean?: number | readonly number[];
  /** Default 1. A number, or one per channel. */
  std?: number | readonly number[];
  /** Axes of the tensor: 'channels-first' (default) is [1,C,H,W], 'channels-last' [1,H,W,C]. */
  layout?: 'channels-first' | 'channels-last';
  /** 'bgr' swaps red and blue (default 'rgb'). */
  channelOrder?: 'rgb' | 'bgr';
  /**
   * Channels of the tensor: 1 grey, 3 RGB, 4 RGBA. Default: those of an Image; 3 for a canvas, an ImageBitmap and ImageData,
   * which always have alpha. If alpha is removed, the picture is composed on white.
   */
  channels?: Channels;
}

const known: KnownOf<ImageTensorOptions> = {
  scale: anything,
  mean: anything,
  std: anything,
  layout: oneOf('channels-first', 'channels-last'),
  channelOrder: oneOf('rgb', 'bgr'),
  channels: kind('1, 3 or 4', (value) => value === 1 || value === 3 || value === 4),
};

/** An input for `run`: row-major values and their shape. */
export interface ImageTensor {
  /** Elements, row-major. */
  data: Float32Array;
  /** [1,C,H,W], or [1,H,W,C]. */
  shape: number[];
}

/**
 * The picture as the input of a network: float32 of shape [1,C,H,W] (or [1,H,W,C]), row-major.
 *
 * @param picture an Image, or what a browser has: ImageData, canvas, ImageBitmap, <img>, <video>, VideoFrame
 * @throws ConvletError `argument`, `dtype` or `shape` for a value that is no picture, `environment` if its pixels cannot be read
 */
export function imageToTensor(picture: PictureLike, options: ImageTensorOptions = {}): ImageTensor {
  checkOptions('imageToTensor', options, known);
  const image = imageOf(picture, options.channels ?? (isImage(picture) ? undefined : 3));
  const { data: pixels, width, height, channels } = image;
  const { order, factor, offset, last } = plan(options, channels, 'imageToTensor');
  const count = width * height;
  const data = new Float32Array(count * channels);
  for (let c = 0; c < channels; c++) {
    const step = last ? channels : 1;
    let o = last ? c : c * count;
    for (let i = order[c]; i < pixels.length; i += channels, o += step) data[o] = pixels[i] * factor[c] + offset[c];
  }
  return { data, shape: last ? [1, height, width, channels] : [1, channels, height, width] };
}

function imageOf(picture: PictureLike, channels: Channels | undefined): Image {
  const image = pixelsOf(picture, 'imageToTensor');
  if (image === null) {
    const file = isBlob(picture) || isResponse(picture) || bytesOf(picture) !== null;
    const advice = file ? ': it is a file; give what `await decodeImage(file)` makes of it' : '';
    const expected = 'an Image, ImageData, a canvas or an ImageBitmap';
    throw new ConvletError('argument', `imageToTensor: picture expects ${expected}, got ${describe(picture)}${advice}`);
  }
  checkImage(image, 'imageToTensor');
  return channels === undefined ? image : convertChannels(image, channels);
}

/** The inverse of `imageToTensor` with the same options: rounds, and clamps to 0..255. The batch must be 1: throws `shape`. */
export function tensorToImage(
  tensor: { data: ArrayLike<number>; shape: readonly number[] },
  options: ImageTensorOptions = {},
): Image {
  checkOptions('tensorToImage', options, known);
  const { data: values, shape } = tensor;
  const last = options.layout === 'channels-last';
  const [batch, height, width, channels] = last ? shape : [shape[0], shape[2], shape[3], shape[1]];
  if (shape.length !== 4 || batch !== 1 || !(channels === 1 || channels === 3 || channels === 4)) {
    const wanted = last ? '[1,H,W,C]' : '[1,C,H,W]';
    throw new ConvletError('shape', `tensorToImage: expected ${wanted} with C = 1, 3 or 4, got ${shapeText(shape)}`);
  }
  if (options.channels !== undefined && options.channels !== channels)
    throw new ConvletError('shape', `tensorToImage: channels is ${options.channels}, got ${shapeText(shape)}`);
  const count = width * height;
  if (values.length !== count * channels) {
    throw new ConvletError('shape', `tensorToImage: ${shapeText(shape)} does not fit ${values.length} elements`);
  }
  const { order, factor, offset } = plan(options, channels, 'tensorToImage');
  const pixels = new Uint8ClampedArray(count * channels);
  for (let c = 0; c < channels; c++) {
    const step = last ? channels : 1;
    let from = last ? c : c * count;
    for (let i = order[c]; i < pixels.length; i += channels, from += step)
      pixels[i] = (values[from] - offset[c]) / factor[c];
  }
  const image: Image = { data: new Uint8Array(pixels.buffer), width, height, channels };
  checkImage(image, 'tensorToImage');
  return image;
}

/** The options as one multiplication and one addition per channel of the tensor; `order` is the place of that channel in a pixel. */
function plan(options: ImageTensorOptions, channels: Channels, where: string) {
  const { scale = 1 / 255, layout = 'channels-first', channelOrder = 'rgb' } = options;
  if (!Number.isFinite(scale) || scale === 0) {
    throw new ConvletError('argument', `${where}: scale must be a number other than 0, got ${scale}`);
  }
  const mean = perChannel(options.mean ?? 0, channels, `${where}: mean`);
  const std = perChannel(options.std ?? 1, channels, `${where}: std`);
  if (std.includes(0)) throw new ConvletError('argument', `${where}: std must not be 0`);
  const swap = channelOrder === 'bgr' && channels >= 3;
  return {
    order: (swap ? [2, 1, 0, 3] : [0, 1, 2, 3]).slice(0, channels),
    factor: std.map((value) => scale / value),
    offset: std.map((value, c) => -mean[c] / value),
    last: layout === 'channels-last',
  };
}

function perChannel(value: number | readonly number[], channels: number, where: string): number[] {
  const values = typeof value === 'number' ? new Array<number>(channels).fill(value) : [...value];
  if (values.length !== channels || !values.every(Number.isFinite)) {
    throw new ConvletError('argument', `${where} must be a number or ${channels} numbers, got [${values}]`);
  }
  return values;
}
