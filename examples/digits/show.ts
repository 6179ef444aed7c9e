import type { data } from 'convlet/train';

/** Two rows of pixels in a line of characters: upper and lower half of a block. */
const blocks = [' ', '▄', '▀', '█'];

/** Digits side by side, each with what it was taken for: `✓ 7`, or `✗ 7, is 1`. */
export function drawDigits(
  digits: data.MNIST,
  indices: readonly number[],
  answers: readonly number[],
  across = 4,
): string {
  const lines: string[] = [];
  for (let from = 0; from < indices.length; from += across) {
    const row = indices.slice(from, from + across);
    const pictures = row.map((i) => drawDigit(digits.get(i).input.data));
    for (let line = 0; line < pictures[0].length; line++) {
      const text = pictures.map((picture) => picture[line]).join('  ');
      // Blank in all of them.
      if (text.trim() !== '') lines.push(text.trimEnd());
    }
    const captions = row.map((i) => {
      const { target } = digits.get(i);
      return (answers[i] === target ? `✓ ${target}` : `✗ ${answers[i]}, is ${target}`).padStart(14).padEnd(width);
    });
    lines.push(captions.join('  ').trimEnd(), '');
  }
  return lines.join('\n').trimEnd();
}

const [width, height] = [28, 28];

function drawDigit(pixels: ArrayLike<number>): string[] {
  const lit = (x: number, y: number): number => (pixels[y * width + x] > 0.4 ? 1 : 0);
  return Array.from({ length: height / 2 }, (_, line) =>
    Array.from({ length: width }, (_, x) => blocks[2 * lit(x, 2 * line) + lit(x, 2 * line + 1)]).join(''),
  );
}
