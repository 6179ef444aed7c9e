import { ConvletError } from '../../common/error.ts';
import { type Color, colorBytes } from './edit.ts';
import { checkImage, type Image } from './image.ts';

/** x and y in pixels; (0, 0) is the centre of the top left pixel. */
export type Point = readonly [x: number, y: number];

/** Draws the outline of an upright rectangle into the image (in place). Parts outside the image are left out. */
export function drawBox(
  image: Image,
  box: { x: number; y: number; width: number; height: number },
  color: Color,
  thickness = 1,
): void {
  const { x, y, width, height } = box;
  const corners: Point[] = [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ];
  drawPolygon(image, corners, color, thickness);
}

/** Draws the outline of a closed polygon, `thickness` pixels wide, into the image (in place). */
export function drawPolygon(image: Image, points: readonly Point[], color: Color, thickness = 1): void {
  checkImage(image, 'drawPolygon');
  if (!(thickness > 0 && thickness < 1e4)) {
    throw new ConvletError('argument', `drawPolygon: thickness must be positive, got ${thickness}`);
  }
  const pixel = colorBytes(color, image.channels, 'drawPolygon');
  for (const point of points) {
    if (!(Number.isFinite(point[0]) && Number.isFinite(point[1]))) {
      throw new ConvletError('argument', `drawPolygon: points must be finite, got (${point[0]}, ${point[1]})`);
    }
  }
  for (let i = 0; i < points.length; i++) {
    drawLine(image, points[i], points[(i + 1) % points.length], pixel, thickness / 2);
  }
}

/** Colours all pixels whose centre is at most `radius` away from the segment. */
function drawLine(image: Image, from: Point, to: Point, pixel: readonly number[], radius: number): void {
  const { data, width, height, channels } = image;
  const dx = to[0] - from[0];
  const dy = to[1] - from[1];
  const lengthSquared = dx * dx + dy * dy || 1;
  const top = Math.max(0, Math.ceil(Math.min(from[1], to[1]) - radius));
  const bottom = Math.min(height - 1, Math.floor(Math.max(from[1], to[1]) + radius));
  const left = Math.max(0, Math.ceil(Math.min(from[0], to[0]) - radius));
  const right = Math.min(width - 1, Math.floor(Math.max(from[0], to[0]) + radius));
  // A little more than half a pixel, so that a line of thickness 1 has no holes.
  const reach = Math.max(radius, 0.5) ** 2 + 1e-6;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const t = Math.min(1, Math.max(0, ((x - from[0]) * dx + (y - from[1]) * dy) / lengthSquared));
      const distance = (from[0] + t * dx - x) ** 2 + (from[1] + t * dy - y) ** 2;
      if (distance > reach) continue;
      const o = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) data[o + c] = pixel[c];
    }
  }
}
