// convlet/images: PNG and JPEG files to pictures and back, and pictures to the inputs of networks. Browsers and edge runtimes: no
// native decoder, and no mention of one that a bundler could follow.
import { createDecodeImage } from './decode.ts';

/**
 * Decodes the bytes of a PNG or JPEG file. Orientation tags and colour profiles are not applied.
 *
 * @throws ConvletError `malformed` for a truncated or damaged file, `unsupported` for another format, `memory` for more than
 * `maxPixels`, `environment` if sharp was asked for and is not there
 */
export const decodeImage = createDecodeImage(null);
export * from './public.ts';
