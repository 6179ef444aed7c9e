import decode from 'jpeg-js/lib/decoder.js';
import { ConvletError } from '../../common/error.ts';
import { scanJpeg } from './header.ts';
import { convertChannels, type Image } from './image.ts';

/** Baseline and progressive JPEG through jpeg-js: grey as 1 channel, everything else as RGB. */
export function decodeJpeg(bytes: Uint8Array): Image {
  const { width, height, components, rgb } = scanJpeg(bytes);
  const pixels = width * height;
  let decoded: { width: number; height: number; data: Uint8Array };
  try {
    decoded = decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      // The scan above has refused truncated files; the strict mode of jpeg-js refuses valid ones with restart markers.
      tolerantDecoding: true,
      colorTransform: rgb ? false : undefined,
      maxResolutionInMP: pixels / 1e6 + 1,
      // jpeg-js keeps 4 bytes per coefficient, and sampling factors of up to 4 make the padded size of a small picture much larger.
      maxMemoryUsageInMB: 64 + (pixels * 64) / 2 ** 20,
    });
  } catch (cause) {
    throw new ConvletError('malformed', `JPEG: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const image: Image = { data: decoded.data, width: decoded.width, height: decoded.height, channels: 3 };
  return components === 1 ? convertChannels(image, 1) : image;
}
