import { createDecodeImage } from './decode.ts';
import { loadSharp } from './sharp.ts';

/**
 * Decodes the bytes of a PNG or JPEG file. Orientation tags and colour profiles are not applied.
 *
 * @throws ConvletError `malformed` for a truncated or damaged file, `unsupported` for another format, `memory` for more than
 * `maxPixels`, `environment` if sharp was asked for and is not there
 */
export const decodeImage = createDecodeImage(loadSharp);
