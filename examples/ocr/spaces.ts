import { convertChannels, type Image } from 'convlet/images';

/**
 * A gap is a space if it is at least this share of the ink's height, and this many times the line's median gap, which is
 * the one between letters: fonts of fixed width have wide ones.
 */
const spaceGap = 0.32;
const spaceToLetterGap = 2;
/** A column has ink if one of its pixels differs from the background by this share of the line's contrast. */
const inkContrast = 0.35;

/**
 * Puts in the spaces that the recognition network leaves out between Latin words, where the picture of the line shows
 * an empty gap: PP-OCRv4 was trained on Chinese mostly, and drops many. `positions` gives the middle of each character
 * of `text` as a share of the line's width. Adds nothing where a background is too busy to show gaps.
 */
export function addSpaces(characters: readonly string[], positions: readonly number[], line: Image): string {
  const gaps = gapsOf(line);
  let text = '';
  for (let i = 0; i < characters.length; i++) {
    text += characters[i];
    const next = characters[i + 1];
    if (next === undefined || !takesSpace(characters[i], next)) continue;
    // A decimal point is narrow, so the gaps at its sides are wide.
    if (/^[.,]$/.test(characters[i]) && isDigit(characters[i - 1]) && isDigit(next)) continue;
    if (gaps.some((gap) => gap > positions[i] && gap <= positions[i + 1])) text += ' ';
  }
  return text;
}

/** Between printable ASCII only, and never before closing punctuation. */
function takesSpace(before: string, after: string): boolean {
  return /^[!-~]$/.test(before) && /^[!-~]$/.test(after) && !/[.,;:!?)\]}%]/.test(after);
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && /^[0-9]$/.test(character);
}

/** Middles of the gaps wide enough for a space, as shares of the line's width. */
function gapsOf(line: Image): number[] {
  const { data, width, height } = convertChannels(line, 1);
  const histogram = new Uint32Array(256);
  for (const value of data) histogram[value]++;
  const background = histogram.indexOf(Math.max(...histogram));
  const contrast = Math.max(
    background - histogram.findIndex((n) => n > 0),
    histogram.findLastIndex((n) => n > 0) - background,
  );
  const least = contrast * inkContrast;
  const inkColumns = new Uint8Array(width);
  let top = height;
  let bottom = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (Math.abs(data[y * width + x] - background) <= least) continue;
      inkColumns[x] = 1;
      top = Math.min(top, y);
      bottom = y + 1;
    }
  }
  const gaps: { middle: number; size: number }[] = [];
  let last = -1;
  for (let x = 0; x < width; x++) {
    if (!inkColumns[x]) continue;
    if (last >= 0 && x > last + 1) gaps.push({ middle: (last + x) / 2 / width, size: x - last - 1 });
    last = x;
  }
  const sizes = gaps.map((gap) => gap.size).sort((a, b) => a - b);
  const median = sizes.length < 3 ? 0 : sizes[sizes.length >> 1];
  const smallest = Math.max(spaceGap * (bottom - top), spaceToLetterGap * median);
  return gaps.filter(({ size }) => size >= smallest).map(({ middle }) => middle);
}
