// Pictures in browsers: pixels (ImageData), drawable objects (canvas, ImageBitmap, <img>, <video>, VideoFrame), and
// files (Blob, Response). Types are structural: convlet's declarations need no DOM.
import { describe, isArrayOf } from '../../common/dtype.ts';
import { ConvletError } from '../../common/error.ts';
import { checkSize, type Image } from './image.ts';

/** Pixels as a canvas gives them: 8 bits, RGBA, alpha not multiplied in. */
export interface ImageDataLike {
  /** RGBA, row by row. */
  readonly data: Uint8ClampedArray | Uint8Array;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
}

/** A canvas, of the page or an OffscreenCanvas (or of a package of Node's). */
export interface CanvasLike {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Only the 2D context is asked for. */
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of the DOM's fit no narrower type
  getContext(type: '2d', settings?: any): any;
}

/** An object that a canvas can draw: an ImageBitmap; an <img>, <video> or VideoFrame has sizes under other names. */
export interface DrawableLike {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
}

/** A picture that is already decoded. */
export type PictureLike = Image | ImageDataLike | CanvasLike | DrawableLike;

/** The part of CanvasRenderingContext2D that pictures are read with. */
interface Context {
  drawImage(source: unknown, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): ImageDataLike;
}

interface Canvases {
  readonly OffscreenCanvas?: new (width: number, height: number) => CanvasLike;
  readonly document?: { createElement(name: 'canvas'): { width: number; height: number } & CanvasLike };
}

/** Whether the picture is an Image. */
export const isImage = (picture: unknown): picture is Image =>
  typeof picture === 'object' && picture !== null && 'channels' in picture;

const isImageData = (picture: object): picture is ImageDataLike => 'data' in picture && 'width' in picture;
const isCanvas = (picture: object): picture is CanvasLike =>
  typeof (picture as { getContext?: unknown }).getContext === 'function';

/** Widths and heights, best first: <video>, VideoFrame, <img>, ImageBitmap. */
const sizes = [
  ['videoWidth', 'videoHeight'],
  ['displayWidth', 'displayHeight'],
  ['naturalWidth', 'naturalHeight'],
  ['width', 'height'],
] as const;

/**
 * The pixels of a decoded picture: an Image unchanged, everything else as RGBA; null for other values.
 *
 * @throws ConvletError `environment` if the pixels cannot be read: no canvas, or a picture of another origin
 */
export function pixelsOf(picture: unknown, where: string): Image | null {
  if (typeof picture !== 'object' || picture === null || ArrayBuffer.isView(picture)) return null;
  if (isImage(picture)) return picture;
  if (isImageData(picture)) return fromImageData(picture, where);
  if (isCanvas(picture)) {
    checkSize(picture.width, picture.height, where);
    // A canvas with a WebGL context has no 2D context: it is drawn on another canvas.
    const context: Context | null = picture.getContext('2d');
    if (context !== null) return read(context, picture.width, picture.height, where);
    return draw(picture, picture.width, picture.height, where);
  }
  const named = picture as { readonly [name: string]: unknown };
  const size = sizes.find(([width]) => typeof named[width] === 'number');
  return size === undefined ? null : draw(picture, named[size[0]] as number, named[size[1]] as number, where);
}

function fromImageData({ data, width, height }: ImageDataLike, where: string): Image {
  if (!isArrayOf(data, Uint8ClampedArray) && !isArrayOf(data, Uint8Array))
    throw new ConvletError('dtype', `${where}: ImageData expects 8 bits a sample, got a ${describe(data)}`);
  checkSize(width, height, where);
  if (data.length !== width * height * 4) {
    const wanted = `${width}×${height} pixels of RGBA have ${width * height * 4} elements, got ${data.length}`;
    throw new ConvletError('shape', `${where}: ${wanted} (an Image says its channels)`);
  }
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height, channels: 4 };
}

function draw(picture: object, width: number, height: number, where: string): Image {
  if (width === 0 || height === 0)
    throw new ConvletError('argument', `${where}: the picture has 0 pixels; wait until it is loaded`);
  checkSize(width, height, where);
  const context: Context | null = newCanvas(width, height, where).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new ConvletError('environment', `${where}: this runtime's canvas has no 2D context`);
  try {
    context.drawImage(picture, 0, 0);
  } catch (cause) {
    const got = describe(picture);
    throw new ConvletError('argument', `${where}: a canvas cannot draw this ${got}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return read(context, width, height, where);
}

function newCanvas(width: number, height: number, where: string): CanvasLike {
  const { OffscreenCanvas, document } = globalThis as unknown as Canvases;
  if (OffscreenCanvas !== undefined) return new OffscreenCanvas(width, height);
  if (document !== undefined) return Object.assign(document.createElement('canvas'), { width, height });
  throw new ConvletError(
    'environment',
    `${where}: this runtime has no canvas to read the picture with; give the bytes of its file to decodeImage`,
  );
}

function read(context: Context, width: number, height: number, where: string): Image {
  let pixels: ImageDataLike;
  try {
    pixels = context.getImageData(0, 0, width, height);
  } catch (cause) {
    const why = 'the browser does not give the pixels of a picture of another origin (load it with crossOrigin)';
    throw new ConvletError('environment', `${where}: ${why}: ${(cause as Error).message}`, { cause });
  }
  return fromImageData(pixels, where);
}
