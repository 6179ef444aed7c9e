import { type Box, boxSize } from './geometry.ts';

/** What stands in one box, and where. */
export interface Placed {
  box: Box;
}

/**
 * Reading order: boxes gathered into lines from top to bottom, each line's from left to right. A box belongs to a line
 * if it overlaps it vertically by at least half of the smaller height. The page's slant (the median of the boxes') is
 * taken out first.
 */
export function linesOf<T extends Placed>(items: readonly T[]): T[][] {
  const slope = median(items.map(({ box }) => slant(box)).filter(Number.isFinite));
  const placed = items.map((item) => {
    const { box } = item;
    const x = box.reduce((sum, corner) => sum + corner[0], 0) / 4;
    const y = box.reduce((sum, corner) => sum + corner[1], 0) / 4 - slope * x;
    const upright = (box[3][1] - box[0][1] + box[2][1] - box[1][1]) / 2;
    return { item, x, top: y - upright / 2, bottom: y + upright / 2 };
  });
  placed.sort((a, b) => a.top + a.bottom - (b.top + b.bottom));
  const lines: { top: number; bottom: number; members: typeof placed }[] = [];
  for (const member of placed) {
    const line = lines.find(({ top, bottom }) => {
      const overlap = Math.min(bottom, member.bottom) - Math.max(top, member.top);
      return overlap >= 0.5 * Math.min(bottom - top, member.bottom - member.top);
    });
    // A line keeps the height of its first box, so that a tall one does not draw the next line in.
    if (line) line.members.push(member);
    else lines.push({ top: member.top, bottom: member.bottom, members: [member] });
  }
  lines.sort((a, b) => a.top + a.bottom - (b.top + b.bottom));
  return lines.map(({ members }) => members.sort((a, b) => a.x - b.x).map(({ item }) => item));
}

/** Rise per pixel of a box's upper and lower edge; NaN for boxes that are not clearly wider than high. */
function slant(box: Box): number {
  const { width, height } = boxSize(box);
  if (width < 2 * height) return Number.NaN;
  return (box[1][1] - box[0][1] + box[2][1] - box[3][1]) / (box[1][0] - box[0][0] + box[2][0] - box[3][0]);
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  values.sort((a, b) => a - b);
  return values[values.length >> 1];
}
