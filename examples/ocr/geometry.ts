import type { Image, Point } from 'convlet/images';

/** Corners of a (rotated) rectangle, clockwise from the top left. */
export type Box = readonly [topLeft: Point, topRight: Point, bottomRight: Point, bottomLeft: Point];

export function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** Width and height of a box: the longer of each pair of opposite sides. */
export function boxSize([a, b, c, d]: Box): { width: number; height: number } {
  return { width: Math.max(distance(a, b), distance(d, c)), height: Math.max(distance(a, d), distance(b, c)) };
}

/** Andrew's monotone chain. Returns the corners of the hull without points on its edges; input of any order. */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (sorted.length < 3) return sorted;
  const chain = (ordered: readonly Point[]) => {
    const hull: Point[] = [];
    for (const point of ordered) {
      while (hull.length >= 2 && cross(hull[hull.length - 2], hull[hull.length - 1], point) <= 0) hull.pop();
      hull.push(point);
    }
    hull.pop();
    return hull;
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
}

function cross(o: Point, a: Point, b: Point): number {
  return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
}

/**
 * The rectangle of least area around a convex polygon, as one of its sides lies along a side of the polygon (Freeman and
 * Shapira, 1975). It is made `margin` larger on each side.
 */
export function minAreaRectangle(hull: readonly Point[], margin = 0): Box {
  let best = { area: Number.POSITIVE_INFINITY, ux: 1, uy: 0, left: 0, right: 0, top: 0, bottom: 0 };
  for (let i = 0; i < hull.length; i++) {
    const from = hull[i];
    const to = hull[(i + 1) % hull.length];
    const length = distance(from, to) || 1;
    // A single point has no direction: upright then.
    const ux = hull.length === 1 ? 1 : (to[0] - from[0]) / length;
    const uy = (to[1] - from[1]) / length;
    let left = Number.POSITIVE_INFINITY;
    let top = Number.POSITIVE_INFINITY;
    let right = Number.NEGATIVE_INFINITY;
    let bottom = Number.NEGATIVE_INFINITY;
    for (const [x, y] of hull) {
      const along = x * ux + y * uy;
      const across = y * ux - x * uy;
      left = Math.min(left, along);
      right = Math.max(right, along);
      top = Math.min(top, across);
      bottom = Math.max(bottom, across);
    }
    const area = (right - left) * (bottom - top);
    if (area < best.area) best = { area, ux, uy, left, right, top, bottom };
  }
  const { ux, uy } = best;
  const corner = (along: number, across: number): Point => [along * ux - across * uy, along * uy + across * ux];
  return orderCorners([
    corner(best.left - margin, best.top - margin),
    corner(best.right + margin, best.top - margin),
    corner(best.right + margin, best.bottom + margin),
    corner(best.left - margin, best.bottom + margin),
  ]);
}

/** The two leftmost corners are the box's left side. */
function orderCorners(corners: Point[]): Box {
  const [a, b, c, d] = corners.sort((p, q) => p[0] - q[0]);
  const [topLeft, bottomLeft] = a[1] <= b[1] ? [a, b] : [b, a];
  const [topRight, bottomRight] = c[1] <= d[1] ? [c, d] : [d, c];
  return [topLeft, topRight, bottomRight, bottomLeft];
}

/** Mean of the map's values whose centres lie in the box or on its edge. */
export function meanInside(map: ArrayLike<number>, width: number, height: number, box: Box): number {
  const xs = box.map((point) => point[0]);
  const ys = box.map((point) => point[1]);
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const right = Math.min(width - 1, Math.ceil(Math.max(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(...ys)));
  let sum = 0;
  let count = 0;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const inside = box.every((corner, i) => cross(corner, box[(i + 1) % 4], [x, y]) >= -1e-6);
      if (!inside) continue;
      sum += map[y * width + x];
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** The part of the image under a box, set upright, by bilinear sampling; the edge pixel stands in outside the image. */
export function cutOut(image: Image, box: Box): Image {
  const size = boxSize(box);
  const width = Math.max(1, Math.round(size.width));
  const height = Math.max(1, Math.round(size.height));
  const { channels, data: from } = image;
  const data = new Uint8Array(width * height * channels);
  const [a, b, c, d] = box;
  for (let v = 0; v < height; v++) {
    const t = v / height;
    const startX = a[0] + (d[0] - a[0]) * t;
    const startY = a[1] + (d[1] - a[1]) * t;
    const stepX = (b[0] + (c[0] - b[0]) * t - startX) / width;
    const stepY = (b[1] + (c[1] - b[1]) * t - startY) / width;
    for (let u = 0; u < width; u++) {
      const x = Math.min(image.width - 1, Math.max(0, startX + u * stepX));
      const y = Math.min(image.height - 1, Math.max(0, startY + u * stepY));
      const x0 = Math.floor(x);
      const y0 = Math.floor(y);
      const fx = x - x0;
      const fy = y - y0;
      const right = x0 + 1 < image.width ? channels : 0;
      const below = y0 + 1 < image.height ? image.width * channels : 0;
      const i = (y0 * image.width + x0) * channels;
      const o = (v * width + u) * channels;
      for (let k = 0; k < channels; k++) {
        const upper = from[i + k] * (1 - fx) + from[i + right + k] * fx;
        const lower = from[i + below + k] * (1 - fx) + from[i + below + right + k] * fx;
        data[o + k] = upper * (1 - fy) + lower * fy + 0.5;
      }
    }
  }
  return { data, width, height, channels };
}

/** The image turned by 90° counterclockwise. */
export function turnLeft({ data: from, width, height, channels }: Image): Image {
  const data = new Uint8Array(from.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * channels;
      const o = ((width - 1 - x) * height + y) * channels;
      for (let c = 0; c < channels; c++) data[o + c] = from[i + c];
    }
  }
  return { data, width: height, height: width, channels };
}
