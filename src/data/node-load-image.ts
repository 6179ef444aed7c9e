import type { ConvletErrorCode } from '../common/error.ts';
import type { Channels } from '../io/images/image.ts';

/** How a picture file becomes an input. */
export interface LoadImage {
  readonly path: string;
  readonly channels: Channels;
  /** [height, width]; null: as the file has it. */
  readonly size: readonly [number, number] | null;
  readonly maxPixels: number;
}

/** [C,H,W] in 0 … 1. */
export interface LoadedImage {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** What comes back from a worker. */
export interface WorkerAnswer {
  readonly id: number;
  readonly image?: LoadedImage;
  /** `code` of a ConvletError, `system` of what a file system throws (ENOENT). */
  readonly error?: { readonly code: ConvletErrorCode | null; readonly system?: string; readonly message: string };
}

/** Reads and decodes a picture. The decoders are packages, which are loaded when the first picture is. */
export async function loadImage({ path, channels, size, maxPixels }: LoadImage): Promise<LoadedImage> {
  const { readFile } = await import('node:fs/promises');
  const { decodeImage } = await import('../io/images/node-decode.ts');
  const { resizeImage } = await import('../io/images/resize.ts');
  const { imageToTensor } = await import('../io/images/tensor.ts');
  let image = await decodeImage(new Uint8Array(await readFile(path)), { channels, maxPixels });
  if (size !== null && (image.height !== size[0] || image.width !== size[1]))
    image = resizeImage(image, size[1], size[0], { antialias: true });
  const { shape, data } = imageToTensor(image);
  return { shape: shape.slice(1), data: data as Float32Array<ArrayBuffer> };
}
