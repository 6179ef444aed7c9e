// Pictures as browsers have them. What a canvas does is played by objects with its methods; test/everywhere has the real ones.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConvletError } from '../../src/common/error.ts';
import { decodeImage, encodePng, type Image, imageToTensor, tensorToImage } from '../../src/io/images/index.ts';

const rgba = Uint8ClampedArray.from({ length: 3 * 2 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256));
const picture: Image = { data: new Uint8Array(rgba), width: 3, height: 2, channels: 4 };
const imageData = { data: rgba, width: 3, height: 2, colorSpace: 'srgb' };

/** A 2D context over pixels; `tainted`: of another origin. */
class Context {
  private readonly size: { width: number; height: number };
  private readonly tainted: boolean;
  drawn: unknown = null;

  constructor(size: { width: number; height: number }, tainted = false) {
    this.size = size;
    this.tainted = tainted;
  }

  drawImage(source: object, x: number, y: number) {
    expect([x, y]).toEqual([0, 0]);
    if (!('pixels' in source)) throw new TypeError('not of type CanvasImageSource');
    this.drawn = source;
  }

  getImageData(x: number, y: number, width: number, height: number) {
    expect([x, y, width, height]).toEqual([0, 0, this.size.width, this.size.height]);
    if (this.tainted) throw Object.assign(new Error('The canvas has been tainted'), { name: 'SecurityError' });
    return imageData;
  }
}

class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels = true;
  private readonly context: Context | null;

  constructor(width: number, height: number, context?: Context | null) {
    this.width = width;
    this.height = height;
    this.context = context === undefined ? new Context({ width, height }) : context;
  }

  getContext(type: string) {
    return type === '2d' ? this.context : null;
  }
}

afterEach(() => vi.unstubAllGlobals());

const failure = async (act: () => unknown): Promise<ConvletError> => {
  try {
    await act();
  } catch (error) {
    expect(error).toBeInstanceOf(ConvletError);
    return error as ConvletError;
  }
  throw new Error('expected a ConvletError');
};

const drawables = [
  { name: 'ImageBitmap', make: () => ({ width: 3, height: 2, pixels: true }) },
  {
    name: 'an <img> that the page shows smaller',
    make: () => ({ naturalWidth: 3, naturalHeight: 2, width: 1, height: 1, pixels: true }),
  },
  { name: 'a <video>', make: () => ({ videoWidth: 3, videoHeight: 2, width: 0, height: 0, pixels: true }) },
  { name: 'a VideoFrame', make: () => ({ displayWidth: 3, displayHeight: 2, pixels: true }) },
];
const held = [
  { name: 'ImageData', make: () => imageData },
  { name: 'a canvas', make: () => new Canvas(3, 2) },
];

describe.each([...held, ...drawables])('$name', ({ make }) => {
  test('becomes an Image of four channels, or of those asked for', async () => {
    vi.stubGlobal('OffscreenCanvas', Canvas);
    expect(await decodeImage(make() as never)).toEqual(picture);
    const rgb = await decodeImage(make() as never, { channels: 3 });
    expect(rgb).toMatchObject({ width: 3, height: 2, channels: 3 });
    expect([...rgb.data.subarray(0, 6)]).toEqual([...rgba.subarray(0, 3), ...rgba.subarray(4, 7)]);
    expect((await failure(() => decodeImage(make() as never, { maxPixels: 5 }))).code).toBe('memory');
  });

  test('becomes a tensor of three channels, or of those asked for', () => {
    vi.stubGlobal('OffscreenCanvas', Canvas);
    const { data, shape } = imageToTensor(make() as never);
    expect(shape).toEqual([1, 3, 2, 3]);
    for (let p = 0; p < 6; p++)
      for (let c = 0; c < 3; c++) expect(data[c * 6 + p]).toBe(Math.fround(rgba[p * 4 + c] / 255));
    expect(imageToTensor(make() as never, { channels: 1, layout: 'channels-last' }).shape).toEqual([1, 2, 3, 1]);
    expect(imageToTensor(make() as never, { channels: 4 }).shape).toEqual([1, 4, 2, 3]);
  });
});

test('an Image keeps its channels', () => {
  expect(imageToTensor(picture).shape).toEqual([1, 4, 2, 3]);
  const tensor = imageToTensor(picture, { channels: 3 });
  expect(tensor.shape).toEqual([1, 3, 2, 3]);
  expect(tensorToImage(tensor, { channels: 3 }).channels).toBe(3);
  expect(() => tensorToImage(tensor, { channels: 4 })).toThrow(/channels is 4, got \[1,3,2,3\]/);
});

test('a document makes the canvas where there is no OffscreenCanvas', async () => {
  vi.stubGlobal('document', { createElement: (name: string) => (name === 'canvas' ? new SettableCanvas() : null) });
  expect(await decodeImage(drawables[0].make() as never)).toEqual(picture);
});

class SettableCanvas {
  width = 300;
  height = 150;
  getContext() {
    return new Context(this);
  }
}

describe('files', () => {
  const file = new Uint8Array(encodePng(picture));
  test.each([
    { name: 'Blob', make: () => new Blob([file]) },
    { name: 'File', make: () => new File([file], 'a.png') },
    { name: 'Response', make: () => new Response(file) },
    { name: 'ArrayBuffer', make: () => file.slice().buffer },
    { name: 'DataView', make: () => new DataView(file.buffer, file.byteOffset, file.byteLength) },
    { name: 'Buffer', make: () => Buffer.from(file) },
  ])('$name', async ({ make }) => {
    expect(await decodeImage(make())).toEqual(picture);
    const { code, message } = await failure(() => imageToTensor(make() as never));
    expect([code, message]).toEqual(['argument', expect.stringMatching(/await decodeImage\(file\)/)]);
  });
});

describe('what cannot be', () => {
  test.each([
    {
      name: 'a path',
      given: 'cat.png',
      code: 'argument',
      message: /expects the bytes of a PNG or JPEG file.*got string/,
    },
    { name: 'null', given: null, code: 'argument', message: /got null/ },
    { name: 'an empty object', given: {}, code: 'argument', message: /got Object/ },
    { name: 'floats', given: { ...imageData, data: new Float32Array(24) }, code: 'dtype', message: /8 bits/ },
    {
      name: 'three channels',
      given: { ...imageData, data: new Uint8ClampedArray(18) },
      code: 'shape',
      message: /24 el/,
    },
    { name: 'no canvas', given: { width: 3, height: 2, pixels: true }, code: 'environment', message: /has no canvas/ },
    { name: 'a page', given: new TextEncoder().encode('<!doctype html><html>'), code: 'unsupported', message: /HTML/ },
    { name: 'a status', given: new Response('', { status: 403 }), code: 'environment', message: /answered 403/ },
  ])('$name', async ({ given, code, message }) => {
    const error = await failure(() => decodeImage(given as never));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test('a picture that is not loaded yet', async () => {
    vi.stubGlobal('OffscreenCanvas', Canvas);
    const error = await failure(() => decodeImage({ naturalWidth: 0, naturalHeight: 0, pixels: true } as never));
    expect(error.message).toMatch(/has 0 pixels; wait until it is loaded/);
  });

  test('what a canvas does not draw', async () => {
    vi.stubGlobal('OffscreenCanvas', Canvas);
    const error = await failure(() => decodeImage({ width: 3, height: 2 } as never));
    expect(error.message).toMatch(/a canvas cannot draw this Object/);
  });

  test('a picture of another origin', async () => {
    const canvas = new Canvas(3, 2, new Context({ width: 3, height: 2 }, true));
    const error = await failure(() => decodeImage(canvas as never));
    expect([error.code, error.message]).toEqual(['environment', expect.stringMatching(/crossOrigin/)]);
  });

  test('a canvas of WebGL is drawn on another one', async () => {
    vi.stubGlobal('OffscreenCanvas', Canvas);
    expect(await decodeImage(new Canvas(3, 2, null) as never)).toEqual(picture);
  });
});
