import { ConvletError } from '../../common/error.ts';
import type { NativeDecoder } from './decode.ts';
import { convertChannels, type Image } from './image.ts';

/** The part of sharp's interface that is used here. sharp is an optional peer dependency, so its types may be missing. */
interface Sharp {
  raw(options: { depth: 'uchar' }): Sharp;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Uint8Array;
    info: { width: number; height: number; channels: number };
  }>;
}
export type SharpFactory = (bytes: Uint8Array, options: Record<string, unknown>) => Sharp;

let loading: Promise<NativeDecoder | undefined> | undefined;

/** sharp, if the application has it; undefined otherwise. */
export function loadSharp(): Promise<NativeDecoder | undefined> {
  // The name is computed in a way that minifiers do not fold: a bundler would search for a literal, and fail, or pack sharp.
  const name = Array.from('prahs').reverse().join('');
  loading ??= import(/* webpackIgnore: true */ /* @vite-ignore */ name).then(
    // Bundlers may be told to put an empty module in its place.
    ({ default: sharp }: { default?: SharpFactory }) =>
      typeof sharp === 'function' ? (bytes, components) => decodeWithSharp(sharp, bytes, components) : undefined,
    () => undefined,
  );
  return loading;
}

/** Decodes with sharp. Header and size are checked by the caller; `components` is what the file stores. */
export async function decodeWithSharp(sharp: SharpFactory, bytes: Uint8Array, components: number): Promise<Image> {
  let decoded: Awaited<ReturnType<Sharp['toBuffer']>>;
  try {
    // Colour profiles and rotation tags are not applied, as in the decoder without sharp.
    const options = { failOn: 'warning', limitInputPixels: false, ignoreIcc: true };
    decoded = await sharp(bytes, options).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  } catch (cause) {
    throw new ConvletError('malformed', `image file: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const { width, height, channels } = decoded.info;
  const data = new Uint8Array(decoded.data.buffer, decoded.data.byteOffset, decoded.data.byteLength);
  if (channels === 2) return greyAlphaToRgba(data, width, height);
  const image: Image = { data, width, height, channels: channels as Image['channels'] };
  // sharp gives three channels for grey. They are equal, so the luma is their value.
  return components === 1 && channels === 3 && isGrey(data) ? convertChannels(image, 1) : image;
}

function isGrey(data: Uint8Array): boolean {
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

function greyAlphaToRgba(from: Uint8Array, width: number, height: number): Image {
  const data = new Uint8Array(width * height * 4);
  for (let p = 0; p < width * height; p++) {
    data.fill(from[2 * p], 4 * p, 4 * p + 3);
    data[4 * p + 3] = from[2 * p + 1];
  }
  return { data, width, height, channels: 4 };
}
