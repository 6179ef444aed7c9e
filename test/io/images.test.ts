import { deflateSync } from 'node:zlib';
import { decode as fastPngDecode, encode as fastPngEncode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { ConvletError, type ConvletErrorCode } from '../../src/common/error.ts';
import {
  type Channels,
  convertChannels,
  decodeImage,
  encodeJpeg,
  encodePng,
  type Image,
  readImageHeader,
} from '../../src/io/images/index.ts';
import { decodeWithSharp, type SharpFactory } from '../../src/io/images/sharp.ts';
import { chunk, join, type PngParts, u32, writePng } from './pngWriter.ts';

/** A deterministic generator of integers below `limit`. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function noise(width: number, height: number, channels: Channels, seed = 1): Image {
  const random = generator(seed);
  return { data: Uint8Array.from({ length: width * height * channels }, () => random(256)), width, height, channels };
}

/** Smooth waves: what JPEG keeps well. */
function waves(width: number, height: number, channels: Channels): Image {
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < data.length; i++) {
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width);
    data[i] = 128 + 60 * Math.sin(x / 9 + (i % channels)) + 50 * Math.cos(y / 7);
  }
  return { data, width, height, channels };
}

async function expectError(code: ConvletErrorCode, run: () => unknown, message: RegExp = /./): Promise<void> {
  let error: unknown;
  try {
    await run();
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(ConvletError);
  expect((error as ConvletError).code).toBe(code);
  expect((error as ConvletError).message).toMatch(message);
}

const js = { decoder: 'js' } as const;

describe('PNG', () => {
  for (const channels of [1, 3, 4] as const) {
    it(`keeps ${channels} channels in a round trip`, async () => {
      const image = noise(37, 23, channels);
      const file = encodePng(image);
      expect(readImageHeader(file)).toMatchObject({ format: 'png', width: 37, height: 23, components: channels });
      expect(await decodeImage(file)).toEqual(image);
      expect(await decodeImage(file, js)).toEqual(image);
    });
  }

  const kinds = [
    { colorType: 0, components: 1, depths: [1, 2, 4, 8, 16], channels: 1 },
    { colorType: 2, components: 3, depths: [8, 16], channels: 3 },
    { colorType: 3, components: 1, depths: [1, 2, 4, 8], channels: 3 },
    { colorType: 4, components: 2, depths: [8, 16], channels: 4 },
    { colorType: 6, components: 4, depths: [8, 16], channels: 4 },
  ] as const;
  for (const { colorType, components, depths, channels } of kinds) {
    for (const depth of depths) {
      for (const interlaced of [false, true]) {
        for (const transparent of colorType < 4 ? [false, true] : [false]) {
          const name = `colour type ${colorType}, ${depth} bits${interlaced ? ', Adam7' : ''}${transparent ? ', tRNS' : ''}`;
          it(name, async () => {
            for (const [width, height] of [
              [13, 11],
              [1, 1],
              [3, 9],
            ]) {
              const random = generator(width + depth);
              const levels = 2 ** depth;
              const samples = Array.from({ length: width * height * components }, () => random(levels));
              const palette = Array.from({ length: 3 * Math.min(levels, 256) }, () => random(256));
              const parts: PngParts = { width, height, depth, colorType, components, samples, interlaced };
              parts.filters = [4, 1, 3, 2, 0, 4, 3];
              parts.split = 7;
              if (colorType === 3) parts.palette = palette;
              // The first pixel's colour is the transparent one; of a palette, the first two entries are translucent.
              const key = samples.slice(0, components);
              if (transparent) {
                parts.transparency = colorType === 3 ? [77, 0] : key.flatMap((sample) => [sample >> 8, sample & 255]);
              }
              const to8 = (sample: number) => (depth === 16 ? sample >> 8 : (sample * 255) / (levels - 1));
              const wanted: number[] = [];
              for (let p = 0; p < width * height; p++) {
                const pixel = samples.slice(p * components, (p + 1) * components);
                if (colorType === 3) wanted.push(...palette.slice(3 * pixel[0], 3 * pixel[0] + 3));
                else if (components <= 2 && (transparent || components === 2))
                  wanted.push(...Array(3).fill(to8(pixel[0])));
                else wanted.push(...pixel.slice(0, 3).map(to8));
                if (components % 2 === 0) wanted.push(to8(pixel[components - 1]));
                if (transparent && colorType === 3) wanted.push([77, 0][pixel[0]] ?? 255);
                else if (transparent) wanted.push(pixel.join() === key.join() ? 0 : 255);
              }
              const image = await decodeImage(writePng(parts), js);
              expect(image).toMatchObject({ width, height, channels: transparent ? 4 : channels });
              expect([...image.data]).toEqual(wanted);
            }
          });
        }
      }
    }
  }

  it('agrees with fast-png on a 16-bit file that fast-png wrote', async () => {
    const random = generator(5);
    const data = Uint16Array.from({ length: 20 * 10 * 3 }, () => random(65536));
    const file = fastPngEncode({ width: 20, height: 10, channels: 3, depth: 16, data });
    const image = await decodeImage(file, js);
    expect([...image.data]).toEqual([...fastPngDecode(file).data].map((value) => value >> 8));
  });

  it('composes alpha on white for 3 channels, and makes grey by luma', async () => {
    const data = Uint8Array.of(100, 150, 200, 255, 100, 150, 200, 0, 0, 0, 0, 51);
    const file = encodePng({ data, width: 3, height: 1, channels: 4 });
    expect([...(await decodeImage(file, { channels: 3, ...js })).data]).toEqual([
      100, 150, 200, 255, 255, 255, 204, 204, 204,
    ]);
    const grey = await decodeImage(file, { channels: 1, ...js });
    expect([...grey.data]).toEqual([Math.round(0.299 * 100 + 0.587 * 150 + 0.114 * 200), 255, 204]);
    const four = convertChannels(grey, 4);
    expect([...four.data.subarray(0, 4)]).toEqual([141, 141, 141, 255]);
  });

  it('refuses every truncation and every changed byte', async () => {
    const file = encodePng(noise(9, 7, 3));
    for (let length = 0; length < file.length; length++) {
      await expectError('malformed', () => decodeImage(file.subarray(0, length), js));
    }
    for (let offset = 8; offset < file.length; offset++) {
      const bad = file.slice();
      bad[offset] ^= 0x24;
      await expect(decodeImage(bad, js), `byte ${offset}`).rejects.toBeInstanceOf(ConvletError);
    }
  });

  it('refuses bombs before decoding', async () => {
    const header = (width: number, height: number) => chunk('IHDR', [...u32(width), ...u32(height), 8, 6, 0, 0, 0]);
    const data = chunk('IDAT', deflateSync(new Uint8Array(1000)));
    const end = chunk('IEND', []);
    await expectError('memory', () => decodeImage(join([header(60000, 60000), data, end])), /60000×60000/);
    // Below the limit, but more pixels than deflate can get out of the data: nothing is allocated.
    await expectError('malformed', () => decodeImage(join([header(9999, 9999), data, end]), js), /cannot hold/);
    await expectError('memory', () => decodeImage(encodePng(noise(11, 10, 1)), { maxPixels: 109 }));
    // Small header, a lot of data: what goes beyond the picture is not inflated.
    const lots = chunk('IDAT', deflateSync(new Uint8Array(200e6)));
    const before = process.memoryUsage().rss;
    const image = await decodeImage(join([header(2, 2), lots, end]), js);
    expect(image.data).toEqual(new Uint8Array(16));
    expect(process.memoryUsage().rss - before).toBeLessThan(120e6);
  });

  it('refuses contradictory files', async () => {
    const good: PngParts = { width: 2, height: 2, depth: 8, colorType: 3, components: 1, samples: [0, 1, 2, 3] };
    await expectError('malformed', () => decodeImage(writePng(good), js), /palette/);
    await expectError('malformed', () => decodeImage(writePng({ ...good, palette: [1, 2, 3] }), js), /palette index 1/);
    await expectError('malformed', () => decodeImage(writePng({ ...good, colorType: 5 }), js), /colour type 5/);
    await expectError('malformed', () => decodeImage(writePng({ ...good, depth: 16 }), js), /bit depth 16/);
    await expectError('malformed', () => decodeImage(writePng({ ...good, width: 0 }), js), /0×2/);
    const tall = writePng({ ...good, colorType: 0 });
    const header = chunk('IHDR', [...u32(2), ...u32(3), 8, 0, 0, 0, 0]);
    await expectError('malformed', () => decodeImage(join([header, tall.subarray(33)]), js), /too early.*row 2/);
    const filter = join([
      tall.subarray(8, 33),
      chunk('IDAT', deflateSync(new Uint8Array(6).fill(9))),
      chunk('IEND', []),
    ]);
    await expectError('malformed', () => decodeImage(filter, js), /filter 9/);
    await expectError('unsupported', () => decodeImage(join([tall.subarray(8, 33), chunk('CgBI', [])]), js), /CgBI/);
  });
});

/** Largest and mean difference between two images. */
function difference(a: Image, b: Image): { max: number; mean: number } {
  let max = 0;
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    const d = Math.abs(a.data[i] - b.data[i]);
    max = Math.max(max, d);
    sum += d;
  }
  return { max, mean: sum / a.data.length };
}

describe('JPEG', () => {
  it('keeps a smooth picture within quantization error', async () => {
    const image = waves(67, 45, 3);
    const file = encodeJpeg(image, 95);
    expect(readImageHeader(file)).toMatchObject({ format: 'jpeg', width: 67, height: 45, components: 3 });
    const decoded = await decodeImage(file, js);
    expect(decoded).toMatchObject({ width: 67, height: 45, channels: 3 });
    expect(difference(decoded, image).max).toBeLessThan(24);
    expect(difference(decoded, image).mean).toBeLessThan(3);
    expect(encodeJpeg(image, 30).length).toBeLessThan(file.length);
  });

  it('writes grey and transparent images', async () => {
    const grey = waves(32, 32, 1);
    expect(difference(await decodeImage(encodeJpeg(grey, 95), { channels: 1, ...js }), grey).max).toBeLessThan(16);
    const clear: Image = { data: new Uint8Array(16 * 16 * 4), width: 16, height: 16, channels: 4 };
    expect((await decodeImage(encodeJpeg(clear), js)).data.every((value) => value > 250)).toBe(true);
  });

  it('refuses every truncation', async () => {
    const file = encodeJpeg(waves(24, 16, 3), 60);
    for (let length = 0; length < file.length; length++) {
      await expectError('malformed', () => decodeImage(file.subarray(0, length), js));
    }
  });

  it('gives a picture of the right size or a ConvletError for every changed byte', async () => {
    const file = encodeJpeg(waves(24, 16, 3), 60);
    let refused = 0;
    for (let offset = 0; offset < file.length; offset++) {
      const bad = file.slice();
      bad[offset] ^= 0x55;
      try {
        const image = await decodeImage(bad, { maxPixels: 1e6, ...js });
        expect(image.data.length).toBe(image.width * image.height * image.channels);
      } catch (error) {
        expect(error, `byte ${offset}: ${error}`).toBeInstanceOf(ConvletError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
  });

  it('refuses bombs and kinds it does not know by the header', async () => {
    const file = encodeJpeg(waves(24, 16, 3), 60);
    const frame = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0);
    const change = (at: number, ...values: number[]) => {
      const changed = file.slice();
      changed.set(values, frame + at);
      return changed;
    };
    await expectError('memory', () => decodeImage(change(5, 255, 255, 255, 255)), /65535×65535/);
    await expectError('unsupported', () => decodeImage(change(1, 0xc9)), /arithmetic/);
    await expectError('unsupported', () => decodeImage(change(1, 0xc3)), /lossless/);
    await expectError('unsupported', () => decodeImage(change(4, 12)), /12 bits/);
    await expectError('malformed', () => decodeImage(change(5, 0, 0)), /24×0/);
    await expectError('malformed', () => decodeImage(change(11, 0x51)), /sampling factors 5×1/);
    const scan = file.subarray(frame + 19, -2);
    const scans = Buffer.concat([file.subarray(0, frame + 19), ...Array(150).fill(scan), Uint8Array.of(0xff, 0xd9)]);
    await expectError('unsupported', () => decodeImage(scans, js), /scans/);
  });
});

describe('decodeImage', () => {
  it('names the format it does not read', async () => {
    const file = (text: string) => Uint8Array.from(Buffer.from(text.padEnd(16, '\0'), 'latin1'));
    await expectError('unsupported', () => decodeImage(file('GIF89a')), /found GIF/);
    await expectError('unsupported', () => decodeImage(file('RIFF1234WEBPVP8 ')), /found WebP/);
    await expectError('unsupported', () => decodeImage(file('hello, world')), /68 65 6c 6c/);
    await expectError('malformed', () => decodeImage(new Uint8Array(0)));
    await expectError('argument', () => decodeImage('x.png' as unknown as Uint8Array));
  });

  it('checks its options', async () => {
    const file = encodePng(noise(2, 2, 1));
    await expectError('argument', () => decodeImage(file, { channels: 2 as 1 }));
    await expectError('argument', () => decodeImage(file, { maxPixels: 0 }));
    await expectError('argument', () => decodeImage(file, { decoder: 'wic' as 'js' }));
  });

  it('brings what sharp gives into form', async () => {
    const fake = (channels: number, data: number[]): SharpFactory => {
      const info = { width: 1, height: 2, channels };
      const sharp = { raw: () => sharp, toBuffer: async () => ({ data: Uint8Array.from(data), info }) };
      return () => sharp;
    };
    const none = new Uint8Array(0);
    const rgba = await decodeWithSharp(fake(2, [7, 255, 9, 128]), none, 2);
    expect(rgba).toMatchObject({ channels: 4, data: Uint8Array.of(7, 7, 7, 255, 9, 9, 9, 128) });
    expect(await decodeWithSharp(fake(3, [7, 7, 7, 9, 9, 9]), none, 1)).toMatchObject({
      channels: 1,
      data: Uint8Array.of(7, 9),
    });
    const broken = (() => {
      throw new Error('VipsJpeg: premature end');
    }) as unknown as SharpFactory;
    await expectError('malformed', () => decodeWithSharp(broken, none, 3), /premature end/);
  });
});
