/** Columns as wide as their widest cell; numbers (columns listed in `right`) are aligned to the right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  const rule = widths
    .map((width) => '─'.repeat(width))
    .join('  ')
    .trimEnd();
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** 1,234,567 */
export const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');

/** 1.5 MB; powers of 1024. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Six significant digits, as many as float32 always holds: 0.995728, 2.83115e-6, 12. */
export function numberText(value: number, digits = 6): string {
  if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < 1e9)) return String(value);
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) < 1e-4 || Math.abs(rounded) >= 1e9 ? rounded.toExponential() : String(rounded);
}

/** Deno and Bun report a version of Node too, so they are tested first. */
export function engineName(): string {
  const { deno, bun, node } = process.versions;
  return deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : `Node ${node}`;
}

/** One line of at most 100 characters. */
export function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
