import { describe } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { anything, checkOptions, type KnownOf, oneOf } from '../../common/options.ts';
import { type BlobLike, type ResponseLike, readHeld } from '../../common/source.ts';
import { readImageHeader } from './header.ts';
import { type Channels, checkChannels, convertChannels, type Image } from './image.ts';
import { decodeJpeg } from './jpeg.ts';
import { decodePng } from './png.ts';
import { type PictureLike, pixelsOf } from './sources.ts';

/** Options of `decodeImage`. */
export interface DecodeOptions {
  /**
   * Channels wanted: 1 grey, 3 RGB, 4 RGBA. Default: as the file has them (a palette as RGB, grey with alpha as RGBA).
   * If alpha is removed, the picture is composed on white.
   */
  channels?: Channels;
  /** The most pixels (width × height) that are decoded; the header is checked before decoding. Default 100e6. */
  maxPixels?: number;
  /** 'auto' (default) takes sharp if the application has it installed, else the decoder without native code. */
  decoder?: 'auto' | 'js' | 'sharp';
}

const known: KnownOf<DecodeOptions> = {
  channels: anything,
  maxPixels: anything,
  decoder: oneOf('auto', 'js', 'sharp'),
};

/** A PNG or JPEG file, as bytes, Blob or Response; or a picture that is decoded already, which becomes an Image. */
export type PictureSource = ArrayBufferLike | ArrayBufferView | BlobLike | ResponseLike | PictureLike;

/** A decoder that the application has installed. It is loaded after the header has been checked. */
export type NativeDecoder = (bytes: Uint8Array, components: number) => Promise<Image>;

/** `decodeImage` of a runtime. `native` finds sharp, if the application has it; null: the runtime cannot have it. */
export const createDecodeImage =
  (native: (() => Promise<NativeDecoder | undefined>) | null) =>
  async (source: PictureSource, options: DecodeOptions = {}): Promise<Image> => {
    checkOptions('decodeImage', options, known);
    const { channels, maxPixels = 100e6, decoder = 'auto' } = options;
    if (channels !== undefined) checkChannels(channels, 'decodeImage');
    if (!(maxPixels > 0))
      throw new ConvletError('argument', `decodeImage: maxPixels must be positive, got ${maxPixels}`);
    const picture = pixelsOf(source, 'decodeImage');
    if (picture !== null) {
      checkPixels(picture, maxPixels);
      return channels === undefined ? picture : convertChannels(picture, channels);
    }
    const bytes = await readHeld(source, { what: 'decodeImage' });
    if (bytes === null) {
      const expected = 'the bytes of a PNG or JPEG file, a Blob, a Response, or a picture of a canvas';
      const advice = typeof source === 'string' ? ': read the file first, or fetch it' : '';
      throw new ConvletError('argument', `decodeImage: expects ${expected}, got ${describe(source)}${advice}`);
    }
    const header = readImageHeader(bytes);
    checkPixels(header, maxPixels);
    const sharp = decoder === 'js' ? undefined : await native?.();
    if (!sharp && decoder === 'sharp') {
      throw new ConvletError(
        'environment',
        native === null
          ? "decodeImage: decoder 'sharp' is for Node, Deno and Bun; leave `decoder` out here"
          : "decodeImage: decoder 'sharp' needs the package sharp; run `npm install sharp`",
      );
    }
    const image = sharp
      ? await sharp(bytes, header.components)
      : header.format === 'png'
        ? await decodePng(bytes)
        : decodeJpeg(bytes);
    return channels === undefined ? image : convertChannels(image, channels);
  };

function checkPixels({ width, height }: { width: number; height: number }, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new ConvletError(
    'memory',
    `decodeImage: the picture has ${width}×${height} pixels, more than maxPixels = ${maxPixels}`,
  );
}
