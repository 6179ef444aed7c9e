import { describe, expect, it } from 'vitest';
import { ConvletError, type ConvletErrorCode } from '../../src/common/error.ts';
import {
  type Channels,
  cropImage,
  drawBox,
  drawPolygon,
  type Image,
  imageToTensor,
  padImage,
  resizeImage,
  tensorToImage,
} from '../../src/io/images/index.ts';

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

describe('resizeImage', () => {
  /** `interpolate` of PyTorch in one dimension, by its formula. */
  function reference(values: number[], size: number, mode: 'bilinear' | 'bicubic'): number[] {
    const at = (i: number) => values[Math.min(values.length - 1, Math.max(0, i))];
    const a = -0.75;
    const cubic = (x: number) =>
      x <= 1 ? (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1 : a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a;
    return Array.from({ length: size }, (_, i) => {
      const x = ((i + 0.5) * values.length) / size - 0.5;
      const floor = Math.floor(x);
      const t = x - floor;
      const value =
        mode === 'bilinear'
          ? at(floor) * (1 - t) + at(floor + 1) * t
          : at(floor - 1) * cubic(1 + t) +
            at(floor) * cubic(t) +
            at(floor + 1) * cubic(1 - t) +
            at(floor + 2) * cubic(2 - t);
      return Math.min(255, Math.max(0, value));
    });
  }

  for (const mode of ['bilinear', 'bicubic'] as const) {
    it(`${mode} follows the formula along both axes`, () => {
      const image = noise(11, 1, 3, 3);
      const turned: Image = { ...image, width: 1, height: 11 };
      for (const size of [29, 7, 4]) {
        const along = resizeImage(image, size, 1, { mode });
        const across = resizeImage(turned, 1, size, { mode });
        expect(across.data).toEqual(along.data);
        for (let c = 0; c < 3; c++) {
          const wanted = reference(
            [...image.data].filter((_, i) => i % 3 === c),
            size,
            mode,
          );
          wanted.forEach((value, i) => expect(Math.abs(along.data[3 * i + c] - value)).toBeLessThanOrEqual(0.501));
        }
      }
    });
  }

  it('nearest takes the pixel under each centre', () => {
    const image: Image = { data: Uint8Array.of(10, 20, 30, 40), width: 2, height: 2, channels: 1 };
    expect([...resizeImage(image, 4, 2, { mode: 'nearest' }).data]).toEqual([10, 10, 20, 20, 30, 30, 40, 40]);
    expect([...resizeImage(noise(5, 5, 1), 1, 1, { mode: 'nearest' }).data]).toEqual([noise(5, 5, 1).data[12]]);
  });

  it('antialias weighs all source pixels when shrinking', () => {
    const flat: Image = { data: new Uint8Array(64 * 64).fill(99), width: 64, height: 64, channels: 1 };
    for (const mode of ['bilinear', 'bicubic'] as const) {
      expect(resizeImage(flat, 9, 5, { mode, antialias: true }).data.every((value) => value === 99)).toBe(true);
    }
    // A checkerboard turns grey with antialias, and does not without.
    const board: Image = {
      data: Uint8Array.from({ length: 900 }, (_, i) => (((i % 30) + Math.floor(i / 30)) % 2) * 255),
      width: 30,
      height: 30,
      channels: 1,
    };
    const grey = resizeImage(board, 6, 6, { antialias: true });
    expect(Math.max(...grey.data) - Math.min(...grey.data)).toBeLessThan(20);
    const aliased = resizeImage(board, 6, 6);
    expect(Math.max(...aliased.data) - Math.min(...aliased.data)).toBe(255);
  });

  it('refuses bad sizes and modes', async () => {
    await expectError('argument', () => resizeImage(noise(2, 2, 1), 0, 3));
    await expectError('argument', () => resizeImage(noise(2, 2, 1), 2.5, 3));
    await expectError('argument', () => resizeImage(noise(2, 2, 1), 3, 3, { mode: 'lanczos' as 'nearest' }));
    await expectError('shape', () => resizeImage({ ...noise(2, 2, 1), width: 3 }, 3, 3));
  });
});

describe('cropping, padding, drawing', () => {
  it('a crop of a padded image is the image', () => {
    const image = noise(7, 5, 3);
    const padded = padImage(image, { top: 2, left: 3, right: 1 }, [1, 2, 3]);
    expect(padded).toMatchObject({ width: 11, height: 7 });
    expect([...padded.data.subarray(0, 3)]).toEqual([1, 2, 3]);
    expect(cropImage(padded, 3, 2, 7, 5)).toEqual(image);
  });

  it('refuses what does not fit', async () => {
    const image = noise(7, 5, 3);
    await expectError('index-range', () => cropImage(image, 1, 0, 7, 5));
    await expectError('index-range', () => cropImage(image, -1, 0, 2, 2));
    await expectError('argument', () => padImage(image, { top: -1 }));
    await expectError('argument', () => padImage(image, { top: 1 }, [1, 2]));
    await expectError('argument', () => drawBox(image, { x: 0, y: Number.NaN, width: 1, height: 1 }, 0));
  });

  it('draws outlines, cut at the border', () => {
    const image: Image = { data: new Uint8Array(49), width: 7, height: 7, channels: 1 };
    drawBox(image, { x: 1, y: 1, width: 3, height: 9 }, 255);
    const rows = Array.from({ length: 7 }, (_, y) =>
      [...image.data.subarray(7 * y, 7 * y + 7)].map((v) => (v ? '#' : '.')).join(''),
    );
    expect(rows).toEqual(['.......', '.####..', '.#..#..', '.#..#..', '.#..#..', '.#..#..', '.#..#..']);
    drawPolygon(
      image,
      [
        [-100, 3],
        [100, 3],
        [100, 3],
      ],
      [9],
      3,
    );
    expect([...image.data.subarray(14, 35)].every((value) => value === 9)).toBe(true);
  });
});

describe('tensors', () => {
  it('normalizes per channel in both layouts and orders', () => {
    const image: Image = { data: Uint8Array.of(0, 51, 255, 102, 153, 204), width: 2, height: 1, channels: 3 };
    const options = { mean: [0.1, 0.2, 0.3], std: [1, 2, 4] };
    const first = imageToTensor(image, options);
    expect(first.shape).toEqual([1, 3, 1, 2]);
    const wanted = [-0.1, 0.3, 0, 0.2, 0.7 / 4, 0.5 / 4];
    first.data.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 6));
    const last = imageToTensor(image, { ...options, layout: 'channels-last' });
    expect(last.shape).toEqual([1, 1, 2, 3]);
    expect([...last.data]).toEqual([0, 2, 4, 1, 3, 5].map((i) => first.data[i]));
    const bgr = imageToTensor(image, { channelOrder: 'bgr', scale: 1 });
    expect([...bgr.data]).toEqual([255, 204, 51, 153, 0, 102]);
  });

  for (const layout of ['channels-first', 'channels-last'] as const) {
    for (const channelOrder of ['rgb', 'bgr'] as const) {
      it(`comes back from ${layout}, ${channelOrder}`, () => {
        for (const channels of [1, 3, 4] as const) {
          const image = noise(5, 4, channels);
          const options = { layout, channelOrder, mean: 0.45, std: 0.22 };
          expect(tensorToImage(imageToTensor(image, options), options)).toEqual(image);
        }
      });
    }
  }

  it('clamps, and refuses shapes and options that make no sense', async () => {
    expect([...tensorToImage({ data: [-1, 2, 0.5, 0], shape: [1, 1, 2, 2] }).data]).toEqual([0, 255, 128, 0]);
    await expectError('shape', () => tensorToImage({ data: [1, 2], shape: [1, 2, 1, 1] }), /\[1,C,H,W\]/);
    await expectError('shape', () => tensorToImage({ data: [1, 2], shape: [1, 1, 1, 1] }));
    await expectError('argument', () => imageToTensor(noise(2, 2, 3), { mean: [1, 2] }), /mean must be/);
    await expectError('argument', () => imageToTensor(noise(2, 2, 3), { std: 0 }));
    await expectError('argument', () => imageToTensor(noise(2, 2, 3), { layout: 'nchw' as 'channels-first' }));
  });
});
