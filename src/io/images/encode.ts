import { encode } from 'fast-png';
import encodeFile from 'jpeg-js/lib/encoder.js';
import { ConvletError } from '../../common/error.ts';
import { checkImage, convertChannels, type Image } from './image.ts';

/** The image as a PNG file (8 bits, grey, RGB or RGBA). */
export function encodePng(image: Image): Uint8Array {
  checkImage(image, 'encodePng');
  return encode({ ...image, depth: 8 });
}

/** The image as a JPEG file of `quality` 1 to 100 (default 90). Alpha is composed on white; grey is stored as colour. */
export function encodeJpeg(image: Image, quality = 90): Uint8Array {
  checkImage(image, 'encodeJpeg');
  if (!(quality >= 1 && quality <= 100)) {
    throw new ConvletError('argument', `encodeJpeg: quality must be from 1 to 100, got ${quality}`);
  }
  const { width, height } = image;
  if (width > 65535 || height > 65535) {
    throw new ConvletError('unsupported', `encodeJpeg: JPEG holds at most 65535×65535 pixels, got ${width}×${height}`);
  }
  const opaque = image.channels === 4 ? convertChannels(image, 3) : image;
  const { data } = convertChannels(opaque, 4);
  const file = encodeFile({ data, width, height }, quality).data;
  return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
}
