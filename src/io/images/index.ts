// convlet/images: PNG and JPEG files to pictures and back, and pictures to the inputs of networks. Browsers and edge runtimes: no
// native decoder, and no mention of one that a bundler could follow.
import { createDecodeImage } from './decode.ts';

/**
 * Decodes a PNG or JPEG file: its bytes, a Blob or File, or the Response of a `fetch`. Orientation tags and colour profiles are
 * not applied. What a browser has decoded already (ImageData, canvas, ImageBitmap, <img>, <video>, VideoFrame) becomes an RGBA
 * Image; ImageData shares its pixels with it.
 *
 * @throws ConvletError `malformed` for a truncated or damaged file, `unsupported` for another format, `memory` for more than
 * `maxPixels`, `argument` for what is no picture, `environment` if sharp was asked for and is not there, where the runtime has no
 * canvas to read a picture with, for a picture of another origin and for a Response that is no success
 */
export const decodeImage = createDecodeImage(null);
export * from './public.ts';
