import { crc32, deflateSync } from 'node:zlib';

/** What a test PNG holds: samples row by row, `components` per pixel, in the file's own depth. */
export interface PngParts {
  width: number;
  height: number;
  depth: number;
  colorType: number;
  components: number;
  samples: number[];
  interlaced?: boolean;
  palette?: number[];
  transparency?: number[];
  /** Row filters, taken in turn. Default: none. */
  filters?: number[];
  /** Splits the compressed data into chunks of so many bytes. */
  split?: number;
}

const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** A PNG encoder for tests that can write what common encoders do not: every depth, filter, Adam7. */
export function writePng(parts: PngParts): Uint8Array {
  const { width, height, depth, colorType, components, samples, interlaced = false, filters = [0] } = parts;
  const raw: number[] = [];
  let count = 0;
  for (const [x0, y0, stepX, stepY] of interlaced ? passes : [[0, 0, 1, 1]]) {
    if (x0 >= width || y0 >= height) continue;
    const step = Math.max(1, (components * depth) >> 3);
    let above: number[] = [];
    for (let y = y0; y < height; y += stepY) {
      const row: number[] = [];
      let bits = 0;
      let held = 0;
      for (let x = x0; x < width; x += stepX) {
        for (let c = 0; c < components; c++) {
          const sample = samples[(y * width + x) * components + c];
          if (depth === 16) row.push(sample >> 8, sample & 255);
          else if (depth === 8) row.push(sample);
          else {
            bits = (bits << depth) | sample;
            held += depth;
            if (held === 8) {
              row.push(bits);
              bits = held = 0;
            }
          }
        }
      }
      if (held > 0) row.push(bits << (8 - held));
      const filter = filters[count++ % filters.length];
      raw.push(filter);
      row.forEach((value, i) => {
        const left = row[i - step] ?? 0;
        const up = above[i] ?? 0;
        const corner = above[i - step] ?? 0;
        const predictor = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
        raw.push((value - predictor) & 255);
      });
      above = row;
    }
  }
  const compressed = deflateSync(Uint8Array.from(raw));
  const chunks = [chunk('IHDR', [...u32(width), ...u32(height), depth, colorType, 0, 0, interlaced ? 1 : 0])];
  if (parts.palette) chunks.push(chunk('PLTE', parts.palette));
  if (parts.transparency) chunks.push(chunk('tRNS', parts.transparency));
  const size = parts.split ?? compressed.length;
  for (let i = 0; i < compressed.length; i += size) chunks.push(chunk('IDAT', [...compressed.subarray(i, i + size)]));
  chunks.push(chunk('IEND', []));
  return join(chunks);
}

export const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function join(chunks: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([signature, ...chunks]));
}

export function chunk(type: string, body: ArrayLike<number>): Uint8Array {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), Uint8Array.from(body)]);
  return Buffer.concat([Uint8Array.from(u32(body.length)), typed, Uint8Array.from(u32(crc32(typed)))]);
}

export function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const candidates = [a, b, c];
  const distances = candidates.map((value) => Math.abs(p - value));
  return candidates[distances.indexOf(Math.min(...distances))];
}
