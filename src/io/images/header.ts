import { isArrayOf } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { foreignText } from '../foreign.ts';

/** The contents of a picture file's header, which is read without decoding the picture. */
export interface ImageHeader {
  /** What the file is. */
  format: 'png' | 'jpeg';
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** Components as stored: 1 grey or palette index, 2 grey and alpha, 3 colour, 4 colour and alpha or CMYK. */
  components: number;
}

const pngMagic = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Formats that are recognised only to name them in the error: magic bytes (`null` matches any byte). */
const otherFormats: { name: string; magic: (number | null)[] }[] = [
  { name: 'GIF', magic: ascii('GIF8') },
  { name: 'WebP', magic: [...ascii('RIFF'), null, null, null, null, ...ascii('WEBP')] },
  { name: 'BMP', magic: ascii('BM') },
  { name: 'TIFF', magic: [0x49, 0x49, 0x2a, 0x00] },
  { name: 'TIFF', magic: [0x4d, 0x4d, 0x00, 0x2a] },
  { name: 'AVIF', magic: [null, null, null, null, ...ascii('ftypavif')] },
  { name: 'HEIC', magic: [null, null, null, null, ...ascii('ftyphei')] },
  { name: 'JPEG XL', magic: [0xff, 0x0a] },
  { name: 'JPEG 2000', magic: [0, 0, 0, 12, ...ascii('jP  ')] },
  { name: 'ICO', magic: [0, 0, 1, 0] },
  { name: 'PDF', magic: ascii('%PDF') },
];

/**
 * Reads format and size of a PNG or JPEG file from its header. Throws `unsupported` for another format, `malformed` for
 * a file that ends too early or contradicts itself.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (!isArrayOf(bytes, Uint8Array)) throw new ConvletError('dtype', 'image file: expected a Uint8Array of its bytes');
  if (startsWith(bytes, pngMagic)) return readPngHeader(bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return scanJpeg(bytes);
  if (bytes.length < 8) throw new ConvletError('malformed', `image file: only ${bytes.length} bytes long`);
  const other = otherFormats.find(({ magic }) => startsWith(bytes, magic));
  const found = other
    ? other.name
    : (foreignText(bytes, 'a picture') ?? `the first bytes ${hex(bytes.subarray(0, 8))}`);
  throw new ConvletError('unsupported', `image file: expected PNG or JPEG, found ${found}`);
}

export interface PngHeader extends ImageHeader {
  format: 'png';
  depth: number;
  colorType: number;
  interlaced: boolean;
}

/** Bit depths that each PNG colour type allows, and its samples per pixel (PNG specification, table 11.1). */
const pngColorTypes: Record<number, { components: number; depths: number[] }> = {
  0: { components: 1, depths: [1, 2, 4, 8, 16] },
  2: { components: 3, depths: [8, 16] },
  3: { components: 1, depths: [1, 2, 4, 8] },
  4: { components: 2, depths: [8, 16] },
  6: { components: 4, depths: [8, 16] },
};

export function readPngHeader(bytes: Uint8Array): PngHeader {
  if (bytes.length < 33)
    throw new ConvletError('malformed', `PNG: file ends after ${bytes.length} bytes, in its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(8) !== 13 || view.getUint32(12) !== 0x49484452) {
    throw new ConvletError('malformed', 'PNG: the first chunk is not IHDR');
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const [depth, colorType, compression, filter, interlace] = bytes.subarray(24, 29);
  checkDimensions('PNG', width, height);
  const kind = pngColorTypes[colorType];
  if (!kind?.depths.includes(depth)) {
    throw new ConvletError('malformed', `PNG: colour type ${colorType} with bit depth ${depth} does not exist`);
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw new ConvletError(
      'malformed',
      `PNG: unknown methods (compression ${compression}, filter ${filter}, interlace ${interlace})`,
    );
  }
  return { format: 'png', width, height, components: kind.components, depth, colorType, interlaced: interlace === 1 };
}

export interface JpegHeader extends ImageHeader {
  format: 'jpeg';
  /** The three components are R, G and B, not Y, Cb and Cr. */
  rgb: boolean;
}

/** The most scans: more than any encoder writes. There is a limit, since each scan of a progressive file visits all pixels. */
const maxScans = 100;

const baselineFrames = new Set([0xc0, 0xc1, 0xc2]);
const otherFrames: Record<number, string> = {
  195: 'lossless',
  197: 'hierarchical',
  198: 'hierarchical',
  199: 'hierarchical',
  201: 'arithmetic coding',
  202: 'arithmetic coding',
  203: 'arithmetic coding',
  205: 'arithmetic coding',
  206: 'arithmetic coding',
  207: 'arithmetic coding',
};

/**
 * Reads all segments of a JPEG file (ITU T.81, annex B) up to its end marker. This detects truncated files, whose missing data
 * decoders would fill with grey.
 */
export function scanJpeg(bytes: Uint8Array): JpegHeader {
  let frame: { width: number; height: number; ids: number[] } | undefined;
  let adobeTransform: number | undefined;
  let scans = 0;
  let offset = 2;
  for (;;) {
    // A marker is 0xff (repeated as fill) and a code. Entropy-coded data follows a scan header: there 0xff is followed
    // by a stuffed 0 or a restart marker.
    while (offset < bytes.length && bytes[offset] !== 0xff) offset++;
    while (bytes[offset] === 0xff) offset++;
    const marker = bytes[offset++];
    if (marker === undefined) throw new ConvletError('malformed', 'JPEG: the file ends before its end-of-image marker');
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) continue;
    if (marker === 0xd9) break;
    const length = (bytes[offset] << 8) | bytes[offset + 1];
    if (offset + 2 > bytes.length || length < 2 || offset + length > bytes.length) {
      throw new ConvletError(
        'malformed',
        `JPEG: the segment of marker 0x${marker.toString(16)} at ${offset} does not fit`,
      );
    }
    const body = bytes.subarray(offset + 2, offset + length);
    offset += length;
    if (baselineFrames.has(marker)) {
      if (frame) throw new ConvletError('malformed', 'JPEG: two frame headers');
      frame = readFrame(body);
    } else if (otherFrames[marker]) {
      throw new ConvletError(
        'unsupported',
        `JPEG: ${otherFrames[marker]} is not supported (frame marker 0x${marker.toString(16)})`,
      );
    } else if (marker === 0xee && startsWith(body, ascii('Adobe'))) {
      adobeTransform = body[11];
    } else if (marker === 0xda) {
      if (!frame) throw new ConvletError('malformed', 'JPEG: a scan comes before the frame header');
      if (++scans > maxScans) throw new ConvletError('unsupported', `JPEG: more than ${maxScans} scans`);
    }
  }
  if (!frame || scans === 0) throw new ConvletError('malformed', 'JPEG: the file has no picture in it');
  const { width, height, ids } = frame;
  // As in libjpeg: Adobe's marker decides; without it, components named 'R', 'G', 'B' are RGB.
  const rgb = ids.length === 3 && (adobeTransform === 0 || (adobeTransform === undefined && ids.join() === '82,71,66'));
  return { format: 'jpeg', width, height, components: ids.length, rgb };
}

function readFrame(body: Uint8Array): { width: number; height: number; ids: number[] } {
  const components = body[5];
  if (body.length < 6 || body.length < 6 + 3 * components)
    throw new ConvletError('malformed', 'JPEG: frame header too short');
  if (body[0] !== 8)
    throw new ConvletError('unsupported', `JPEG: ${body[0]} bits per sample are not supported, only 8`);
  const height = (body[1] << 8) | body[2];
  const width = (body[3] << 8) | body[4];
  checkDimensions('JPEG', width, height);
  if (components !== 1 && components !== 3 && components !== 4) {
    throw new ConvletError('unsupported', `JPEG: ${components} components are not supported, only 1, 3 or 4`);
  }
  const ids = [];
  for (let c = 0; c < components; c++) {
    const sampling = body[7 + 3 * c];
    if (sampling >> 4 < 1 || sampling >> 4 > 4 || (sampling & 15) < 1 || (sampling & 15) > 4) {
      throw new ConvletError(
        'malformed',
        `JPEG: component ${c} has sampling factors ${sampling >> 4}×${sampling & 15}`,
      );
    }
    ids.push(body[6 + 3 * c]);
  }
  return { width, height, ids };
}

function checkDimensions(format: string, width: number, height: number): void {
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) {
    throw new ConvletError('malformed', `${format}: a picture of ${width}×${height} pixels cannot be`);
  }
}

function startsWith(bytes: Uint8Array, magic: readonly (number | null)[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => byte === null || byte === bytes[i]);
}

function ascii(text: string): number[] {
  return [...text].map((char) => char.charCodeAt(0));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
