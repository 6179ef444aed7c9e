import { convertChannels, type Image, type ImageTensor, imageToTensor, type Point, resizeImage } from 'convlet/images';
import { type Box, boxSize, convexHull, meanInside, minAreaRectangle } from './geometry.ts';
import type { Network } from './network.ts';

/**
 * Text detection with a DB network (Liao et al., "Real-time Scene Text Detection with Differentiable Binarization",
 * 2020), with PaddleOCR's parameters: the network gives each pixel's probability to lie in the shrunk middle of a line.
 */
export interface DetectOptions {
  /** The longest side of the network's input, in pixels. */
  limit: number;
  /** A pixel is text from this probability on. */
  threshold: number;
  /** A box is text from this mean probability on. */
  boxThreshold: number;
  /** A box grows by area × ratio / perimeter, as the network was trained on shrunk boxes. */
  unclipRatio: number;
  /** Boxes with a shorter side are noise; in pixels of the network's input. */
  minSide: number;
}

const defaults: DetectOptions = { limit: 960, threshold: 0.3, boxThreshold: 0.6, unclipRatio: 1.5, minSide: 3 };

export interface DetectedBox {
  box: Box;
  /** Mean probability in the box, 0 to 1. */
  score: number;
}

/** Boxes of the text in an image, in the image's pixels, in no order. */
export async function detect(
  image: Image,
  network: Network,
  options: Partial<DetectOptions> = {},
): Promise<DetectedBox[]> {
  const input = detectionInput(image, options);
  const output = await network(input.data, input.shape);
  return boxesOf(output, image, options);
}

/** The network's input [1,3,H,W]: both sides multiples of 32, the longest about `limit` at most, BGR, normalized. */
export function detectionInput(image: Image, options: Partial<DetectOptions> = {}): ImageTensor {
  const { limit } = { ...defaults, ...options };
  const ratio = Math.min(1, limit / Math.max(image.width, image.height));
  const side = (length: number) => Math.max(32, Math.round((length * ratio) / 32) * 32);
  const resized = resizeImage(convertChannels(image, 3), side(image.width), side(image.height), { mode: 'bilinear' });
  // ImageNet's values in the order R, G, B, used on B, G, R: so the network was trained.
  return imageToTensor(resized, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], channelOrder: 'bgr' });
}

/** DB's post-processing of the probability map [1,1,H,W]; `size` is that of the image, to whose pixels boxes are scaled. */
export function boxesOf(
  map: { data: ArrayLike<number>; shape: readonly number[] },
  size: { width: number; height: number },
  options: Partial<DetectOptions> = {},
): DetectedBox[] {
  const { threshold, boxThreshold, unclipRatio, minSide } = { ...defaults, ...options };
  const [height, width] = map.shape.slice(-2);
  const toImage = ([x, y]: Point): Point => [
    Math.min(size.width, Math.max(0, (x / width) * size.width)),
    Math.min(size.height, Math.max(0, (y / height) * size.height)),
  ];
  const found: DetectedBox[] = [];
  for (const outline of regions(map.data, width, height, threshold)) {
    const hull = convexHull(outline);
    const shrunk = minAreaRectangle(hull);
    const shrunkSize = boxSize(shrunk);
    if (Math.min(shrunkSize.width, shrunkSize.height) < minSide) continue;
    const score = meanInside(map.data, width, height, shrunk);
    if (score < boxThreshold) continue;
    const perimeter = 2 * (shrunkSize.width + shrunkSize.height);
    const margin = (shrunkSize.width * shrunkSize.height * unclipRatio) / perimeter;
    const [a, b, c, d] = minAreaRectangle(hull, margin);
    const box: Box = [toImage(a), toImage(b), toImage(c), toImage(d)];
    const { width: boxWidth, height: boxHeight } = boxSize(box);
    if (boxWidth > 3 && boxHeight > 3) found.push({ box, score });
  }
  return found;
}

/** Regions of touching pixels (8 neighbours) above the threshold: of each, the first and last pixel of all its rows. */
function regions(map: ArrayLike<number>, width: number, height: number, threshold: number): Point[][] {
  const seen = new Uint8Array(width * height);
  const found: Point[][] = [];
  const stack: number[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || !(map[start] > threshold)) continue;
    const rows = new Map<number, [first: number, last: number]>();
    seen[start] = 1;
    stack.push(start);
    while (stack.length > 0) {
      const pixel = stack.pop() as number;
      const x = pixel % width;
      const y = (pixel - x) / width;
      const row = rows.get(y);
      if (!row) rows.set(y, [x, x]);
      else if (x < row[0]) row[0] = x;
      else if (x > row[1]) row[1] = x;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const next = ny * width + nx;
          if (seen[next] || !(map[next] > threshold)) continue;
          seen[next] = 1;
          stack.push(next);
        }
      }
    }
    const outline: Point[] = [];
    for (const [y, [first, last]] of rows) outline.push([first, y], [last, y]);
    found.push(outline);
  }
  return found;
}
