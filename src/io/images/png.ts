import { Unzlib } from 'fflate';
import { crc32 } from '../../common/crc32.ts';
import { ConvletError } from '../../common/error.ts';
import { type PngHeader, readPngHeader } from './header.ts';
import type { Channels, Image } from './image.ts';

/**
 * PNG decoder after the PNG specification (third edition): all colour types and bit depths, Adam7, tRNS. Rows are
 * unfiltered while they are inflated, so that the picture's size bounds the memory, whatever else the file contains.
 * 16-bit samples keep their upper 8 bits.
 */
export async function decodePng(bytes: Uint8Array): Promise<Image> {
  const header = readPngHeader(bytes);
  const { palette, transparency, data } = readChunks(bytes, header);
  const { width, height, depth, components, colorType } = header;
  const alpha = transparency !== undefined || colorType === 4 || colorType === 6;
  const channels: Channels = alpha ? 4 : colorType === 0 ? 1 : 3;
  const passes = passesOf(header);
  const bitsPerPixel = depth * components;
  let rawBytes = 0;
  for (const pass of passes) rawBytes += pass.rows * (1 + Math.ceil((pass.columns * bitsPerPixel) / 8));
  // Deflate expands by a factor of at most 1032; a file that would need more is refused before memory is allocated.
  let dataBytes = 0;
  for (const part of data) dataBytes += part.length;
  if (rawBytes > dataBytes * 1032) {
    throw new ConvletError('malformed', `PNG: ${dataBytes} bytes of data cannot hold ${width}×${height} pixels`);
  }

  const image: Image = { data: new Uint8Array(width * height * channels), width, height, channels };
  const expand = expander(header, palette, transparency, image);
  const bytesPerPixel = Math.max(1, bitsPerPixel >> 3);
  const longestRow = 1 + Math.ceil((width * bitsPerPixel) / 8);
  let row = new Uint8Array(longestRow);
  let previous = new Uint8Array(longestRow);
  let pass = 0;
  let y = 0;
  let filled = 0;
  let rowBytes = 1 + Math.ceil((passes[0].columns * bitsPerPixel) / 8);
  /** Takes inflated bytes; returns true when all rows are complete. */
  const take = (chunk: Uint8Array): boolean => {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(rowBytes - filled, chunk.length - at);
      row.set(chunk.subarray(at, at + count), filled);
      filled += count;
      at += count;
      if (filled < rowBytes) return false;
      unfilter(row, previous, rowBytes, bytesPerPixel);
      expand(row, passes[pass], y);
      [row, previous] = [previous, row];
      filled = 0;
      if (++y < passes[pass].rows) continue;
      if (++pass === passes.length) return true;
      y = 0;
      rowBytes = 1 + Math.ceil((passes[pass].columns * bitsPerPixel) / 8);
      previous.fill(0);
    }
    return false;
  };
  if (!(await inflate(data, take))) {
    throw new ConvletError('malformed', `PNG: the image data ends too early (pass ${pass + 1}, row ${y})`);
  }
  return image;
}

/** Inflates zlib data and passes it to `take` until that returns true. Returns false if the data ends earlier. */
async function inflate(parts: readonly Uint8Array[], take: (chunk: Uint8Array) => boolean): Promise<boolean> {
  try {
    const inflater = makeInflater();
    return await (inflater === null ? inflateByFflate(parts, take) : inflateByStream(inflater, parts, take));
  } catch (cause) {
    if (cause instanceof ConvletError) throw cause;
    throw new ConvletError('malformed', 'PNG: the compressed image data is broken', { cause });
  }
}

/** Null on edge runtimes: some have no DecompressionStream, and Next's throws when it is constructed. Next's build warns about the bare name. */
function makeInflater(): DecompressionStream | null {
  try {
    return new globalThis.DecompressionStream('deflate');
  } catch {
    return null;
  }
}

async function inflateByStream(
  inflater: DecompressionStream,
  parts: readonly Uint8Array[],
  take: (chunk: Uint8Array) => boolean,
): Promise<boolean> {
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const part of parts) controller.enqueue(part as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
  const reader = source.pipeThrough(inflater).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      if (take(value)) return true;
    }
  } finally {
    // Stops the decompressor if there is more data than pixels, and ignores its error about that.
    reader.cancel().catch(() => {});
  }
}

/** Compressed bytes that are inflated at a time, to at most 1032 times as many. */
const atOnce = 2 ** 14;

function inflateByFflate(parts: readonly Uint8Array[], take: (chunk: Uint8Array) => boolean): boolean {
  let complete = false;
  const unzlib = new Unzlib((chunk) => {
    complete ||= take(chunk);
  });
  for (const [i, part] of parts.entries()) {
    for (let at = 0; at < part.length; at += atOnce) {
      const last = i === parts.length - 1 && at + atOnce >= part.length;
      unzlib.push(part.subarray(at, at + atOnce), last);
      if (complete) return true;
    }
  }
  return false;
}

interface Chunks {
  palette?: Uint8Array;
  transparency?: Uint8Array;
  data: Uint8Array[];
}

function readChunks(bytes: Uint8Array, { colorType }: PngHeader): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunks = { data: [] };
  for (let offset = 8; ; ) {
    if (offset + 12 > bytes.length) throw new ConvletError('malformed', 'PNG: the file ends before its IEND chunk');
    const length = view.getUint32(offset);
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (length > bytes.length - offset - 12) {
      throw new ConvletError('malformed', `PNG: chunk ${JSON.stringify(type)} at ${offset} goes past the file's end`);
    }
    const body = bytes.subarray(offset + 8, offset + 8 + length);
    if (view.getUint32(offset + 8 + length) !== crc32(bytes.subarray(offset + 4, offset + 8 + length))) {
      throw new ConvletError('malformed', `PNG: chunk ${JSON.stringify(type)} at ${offset} has a wrong checksum`);
    }
    offset += 12 + length;
    if (type === 'IEND') break;
    if (type === 'IDAT') chunks.data.push(body);
    else if (type === 'PLTE') chunks.palette = body;
    else if (type === 'tRNS') chunks.transparency = body;
    else if (type !== 'IHDR' && type.charCodeAt(0) < 0x60) {
      throw new ConvletError('unsupported', `PNG: unknown critical chunk ${JSON.stringify(type)}`);
    }
  }
  const paletteBytes = chunks.palette?.length ?? 0;
  if (colorType === 3 && (paletteBytes === 0 || paletteBytes % 3 !== 0 || paletteBytes > 768)) {
    throw new ConvletError('malformed', `PNG: a palette of ${paletteBytes} bytes cannot be`);
  }
  const wanted = [2, 0, 6, chunks.transparency?.length ?? 0][colorType];
  if (wanted === undefined)
    chunks.transparency = undefined; // The specification forbids tRNS beside an alpha channel.
  else if (chunks.transparency && chunks.transparency.length < wanted) {
    throw new ConvletError('malformed', `PNG: a tRNS chunk of ${chunks.transparency.length} bytes is too short`);
  }
  return chunks;
}

/** One pass over the picture: `columns` × `rows` pixels from (x, y) on, with these steps. */
interface Pass {
  x: number;
  y: number;
  stepX: number;
  stepY: number;
  columns: number;
  rows: number;
}

const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

function passesOf({ width, height, interlaced }: PngHeader): Pass[] {
  return (interlaced ? adam7 : [[0, 0, 1, 1]])
    .map(([x, y, stepX, stepY]) => {
      return { x, y, stepX, stepY, columns: Math.ceil((width - x) / stepX), rows: Math.ceil((height - y) / stepY) };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Undoes the row filter in place. `row[0]` is the filter type; `length` counts it; `previous` is the row above. */
function unfilter(row: Uint8Array, previous: Uint8Array, length: number, step: number): void {
  const filter = row[0];
  if (filter === 0) return;
  if (filter > 4) throw new ConvletError('malformed', `PNG: row filter ${filter} does not exist`);
  for (let i = 1; i < length; i++) {
    const left = i > step ? row[i - step] : 0;
    const up = previous[i];
    if (filter === 1) row[i] += left;
    else if (filter === 2) row[i] += up;
    else if (filter === 3) row[i] += (left + up) >> 1;
    else row[i] += paeth(left, up, i > step ? previous[i - step] : 0);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** The function that writes one unfiltered row of a pass into the image. */
function expander(
  { depth, components, colorType }: PngHeader,
  palette: Uint8Array | undefined,
  transparency: Uint8Array | undefined,
  { data, width, channels }: Image,
): (row: Uint8Array, pass: Pass, y: number) => void {
  // Below 8 bits a pixel is one sample; grey levels are scaled to 0..255.
  const spread = depth < 8 && colorType !== 3 ? 255 / ((1 << depth) - 1) : 1;
  const sampleBytes = depth === 16 ? 2 : 1;
  const pixelBytes = sampleBytes * components;
  const colors = components >= 3 ? 3 : 1;
  const entries = (palette?.length ?? 0) / 3;
  return (row, pass, y) => {
    const outStep = pass.stepX * channels;
    let o = ((pass.y + y * pass.stepY) * width + pass.x) * channels;
    for (let x = 0; x < pass.columns; x++, o += outStep) {
      if (colorType === 3) {
        const index = depth === 8 ? row[1 + x] : bitsAt(row, x, depth);
        if (index >= entries) {
          throw new ConvletError('malformed', `PNG: palette index ${index} in a palette of ${entries} colours`);
        }
        for (let c = 0; c < 3; c++) data[o + c] = (palette as Uint8Array)[3 * index + c];
        if (channels === 4) data[o + 3] = (transparency as Uint8Array)[index] ?? 255;
        continue;
      }
      if (depth < 8) {
        const level = bitsAt(row, x, depth);
        data.fill(level * spread, o, o + Math.min(3, channels));
        if (transparency) data[o + 3] = level === ((transparency[0] << 8) | transparency[1]) ? 0 : 255;
        continue;
      }
      const i = 1 + x * pixelBytes;
      if (colors === 3) {
        for (let c = 0; c < 3; c++) data[o + c] = row[i + c * sampleBytes];
      } else {
        data.fill(row[i], o, o + Math.min(3, channels));
      }
      if (channels !== 4) continue;
      if (transparency) data[o + 3] = isTransparent(row, i, transparency, colors, sampleBytes) ? 0 : 255;
      else data[o + 3] = row[i + colors * sampleBytes];
    }
  };
}

function bitsAt(row: Uint8Array, x: number, depth: number): number {
  const bit = x * depth;
  return (row[1 + (bit >> 3)] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** Whether the pixel at `row[i]` is tRNS's transparent colour, which is given in 16 bits per sample. */
function isTransparent(
  row: Uint8Array,
  i: number,
  transparency: Uint8Array,
  colors: number,
  sampleBytes: number,
): boolean {
  for (let c = 0; c < colors; c++) {
    const sample = sampleBytes === 2 ? (row[i + 2 * c] << 8) | row[i + 2 * c + 1] : row[i + c];
    if (sample !== ((transparency[2 * c] << 8) | transparency[2 * c + 1])) return false;
  }
  return true;
}
