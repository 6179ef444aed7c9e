// A picture as the input of a network.
import { type Command, Option } from 'commander';
import { ConvletError, shapeText } from '../common/error.ts';
import { cropImage, decodeImage, imageToTensor, padImage, resizeImage } from '../io/images/node.ts';
import { parseNumbers, parseWord } from './options.ts';

type Image = Awaited<ReturnType<typeof decodeImage>>;

export interface PictureFlags {
  readonly mean: string;
  readonly std: string;
  readonly scale: string;
  readonly bgr?: boolean;
  readonly fit: string;
  readonly pad: string;
}

export interface PictureOptions {
  readonly scale: number;
  readonly mean: number | number[];
  readonly std: number | number[];
  readonly channelOrder: 'rgb' | 'bgr';
  readonly fit: keyof typeof fits;
  readonly color: number | number[];
}

export const addPictureOptions = (command: Command): Command =>
  command
    .option(
      '--fit <how>',
      'pictures: stretch to the size of the input, contain (margins) or cover (cut off)',
      'stretch',
    )
    .option('--pad <color>', 'pictures: of the margins of --fit contain, one byte or one per channel', '0')
    .addOption(
      new Option('--scale <factor>', 'pictures: multiply bytes by this first').default(String(1 / 255), '1/255'),
    )
    .option('--mean <values>', 'pictures: then subtract, one value or one per channel', '0')
    .option('--std <values>', 'pictures: then divide by, one value or one per channel', '1')
    .option('--bgr', 'pictures: channels in the order blue, green, red');

export const pictureOptions = (flags: PictureFlags): PictureOptions => ({
  scale: parseNumbers('--scale', flags.scale)[0],
  mean: perChannel('--mean', flags.mean),
  std: perChannel('--std', flags.std),
  channelOrder: flags.bgr ? 'bgr' : 'rgb',
  fit: parseWord('--fit', flags.fit, 'stretch', 'contain', 'cover'),
  color: perChannel('--pad', flags.pad),
});

/** One value stands for all channels. */
function perChannel(option: string, text: string): number | number[] {
  const values = parseNumbers(option, text);
  return values.length === 1 ? values[0] : values;
}

const resized = (image: Image, width: number, height: number): Image =>
  resizeImage(image, width, height, { mode: 'bilinear', antialias: true });

/** The picture, scaled by `pick` of the factors of width and height, so that it keeps its proportions. */
function proportional(image: Image, width: number, height: number, pick: (a: number, b: number) => number): Image {
  const factor = pick(width / image.width, height / image.height);
  const side = (length: number): number => Math.max(1, Math.round(length * factor));
  return resized(image, side(image.width), side(image.height));
}

/** Ways to bring a picture of other proportions to a size. */
const fits = {
  stretch: resized,
  contain(image: Image, width: number, height: number, color: number | number[]): Image {
    const inner = proportional(image, width, height, Math.min);
    const [left, top] = [(width - inner.width) >> 1, (height - inner.height) >> 1];
    const [right, bottom] = [width - inner.width - left, height - inner.height - top];
    return padImage(inner, { left, top, right, bottom }, color);
  },
  cover(image: Image, width: number, height: number): Image {
    const outer = proportional(image, width, height, Math.max);
    return cropImage(outer, (outer.width - width) >> 1, (outer.height - height) >> 1, width, height);
  },
};

/** The bytes of a PNG or JPEG file as a value for an input of this shape; an open size becomes that of the picture. */
export async function pictureInput(
  name: string,
  shape: readonly (number | null)[],
  bytes: Uint8Array,
  { fit, color, ...options }: PictureOptions,
): Promise<{ data: Float32Array; shape: number[] }> {
  const [, channels, height, width] = shape;
  if (shape.length !== 4 || (channels !== 1 && channels !== 3)) {
    throw new ConvletError('shape', `--input ${name}: a picture fits [N,3,H,W] or [N,1,H,W], not ${shapeText(shape)}`);
  }
  const image = await decodeImage(bytes, { channels });
  const factor = height && !width ? height / image.height : width && !height ? width / image.width : 1;
  const sized = fits[fit](
    image,
    width || Math.max(1, Math.round(image.width * factor)),
    height || Math.max(1, Math.round(image.height * factor)),
    color,
  );
  return imageToTensor(sized, options);
}
