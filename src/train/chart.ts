/** A curve: points in the order of x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  /** Number of its colour (a CSS class of the page); the same number is the same thing in every chart. */
  readonly color: number;
  readonly thin?: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly x: string;
  readonly percent?: boolean;
  /** Marks a point. */
  readonly mark?: { readonly x: number; readonly y: number; readonly text: string } | null;
}

const [width, height] = [560, 260];
const margin = { left: 56, right: 16, top: 14, bottom: 36 };

export const escapeText = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** Round numbers that cover low … high in about `count` steps: 1, 2 or 5 times a power of ten apart. */
export function ticks(low: number, high: number, count: number): number[] {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const shortNumber = (value: number): string => {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6))
    return value.toExponential().replace('e+', 'e');
  return String(Number(value.toPrecision(6)));
};
const fixed = (value: number): string => String(Number(value.toFixed(1)));

/** Curves as an SVG element; its colours are the page's CSS classes c0, c1, … */
export function lineChart(series: readonly Series[], { title, x, percent = false, mark = null }: ChartOptions): string {
  const finite = series.map((one) => ({ ...one, points: one.points.filter(([, y]) => Number.isFinite(y)) }));
  const all = finite.flatMap(({ points }) => points);
  if (all.length === 0) return `<p class="none">${escapeText(title)}: no finite values</p>`;
  const range = (axis: 0 | 1): [number, number] => {
    const values = all.map((point) => point[axis]);
    const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    return low === high
      ? [low - Math.max(0.5, Math.abs(low) / 2), high + Math.max(0.5, Math.abs(high) / 2)]
      : [low, high];
  };
  const [left, right] = range(0);
  let [bottom, top] = range(1);
  const room = (top - bottom) * 0.06;
  bottom = bottom >= 0 && bottom - room < 0 ? 0 : bottom - room;
  top = percent && top <= 1 ? Math.min(1, top + room) : top + room;
  const [plotWidth, plotHeight] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  const px = (value: number): number => margin.left + ((value - left) / (right - left)) * plotWidth;
  const py = (value: number): number => margin.top + (1 - (value - bottom) / (top - bottom)) * plotHeight;
  const yText = (value: number): string => (percent ? `${shortNumber(value * 100)} %` : shortNumber(value));

  const parts: string[] = [];
  for (const y of ticks(bottom, top, 5)) {
    parts.push(
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${fixed(py(y))}" y2="${fixed(py(y))}"/>`,
    );
    parts.push(`<text x="${margin.left - 8}" y="${fixed(py(y) + 4)}" text-anchor="end">${yText(y)}</text>`);
  }
  const whole = all.every((point) => Number.isInteger(point[0]));
  for (const value of ticks(left, right, Math.min(8, Math.max(1, right - left))).filter(
    (t) => !whole || Number.isInteger(t),
  ))
    parts.push(`<text x="${fixed(px(value))}" y="${height - 19}" text-anchor="middle">${shortNumber(value)}</text>`);
  parts.push(`<text x="${margin.left + plotWidth / 2}" y="${height - 4}" text-anchor="middle">${escapeText(x)}</text>`);
  for (const { name, points, color, thin } of finite) {
    const at = points.map(([a, b]) => `${fixed(px(a))},${fixed(py(b))}`);
    parts.push(`<polyline class="c${color}${thin ? ' thin' : ''}" points="${at.join(' ')}"/>`);
    if (points.length > 60) continue;
    for (const [a, b] of points) {
      const tip = escapeText(`${name}, ${x} ${shortNumber(a)}: ${yText(b)}`);
      parts.push(
        `<circle class="c${color}" cx="${fixed(px(a))}" cy="${fixed(py(b))}" r="3"><title>${tip}</title></circle>`,
      );
    }
  }
  if (mark !== null) {
    const end = px(mark.x) > margin.left + plotWidth * 0.7;
    // Below the point: the other curve is usually above it.
    const y = py(mark.y) > height - margin.bottom - 24 ? py(mark.y) - 10 : py(mark.y) + 20;
    parts.push(`<circle class="mark" cx="${fixed(px(mark.x))}" cy="${fixed(py(mark.y))}" r="6"/>`);
    parts.push(
      `<text class="mark" x="${fixed(px(mark.x))}" y="${fixed(y)}" text-anchor="${end ? 'end' : 'middle'}">${escapeText(mark.text)}</text>`,
    );
  }
  const svg = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">${parts.join('')}</svg>`;
  const key = finite.map(({ name, color }) => `<span><i class="c${color}"></i>${escapeText(name)}</span>`).join('');
  return `<figure><figcaption>${escapeText(title)}<span class="key">${key}</span></figcaption>${svg}</figure>`;
}

/** A confusion matrix as an SVG element: rows are targets, shaded by their share of the row. */
export function matrixChart(rows: readonly (readonly number[])[], classes: readonly string[]): string {
  const count = rows.length;
  const longest = Math.max(...classes.map((name) => name.length));
  const label = Math.min(110, 14 + 6.6 * longest);
  const cell = Math.max(14, Math.min(44, 480 / count));
  const tilted = longest > 3;
  const size = { width: label + cell * count + 10, height: label + cell * count + 26 };
  const top = (tilted ? label : 24) + 18;
  const parts = [`<text x="${fixed(label + (cell * count) / 2)}" y="12" text-anchor="middle">prediction</text>`];
  const text = (name: string): string => escapeText(name.length > 14 ? `${name.slice(0, 13)}…` : name);
  rows.forEach((row, r) => {
    const total = row.reduce((a, b) => a + b, 0);
    const [x, y] = [label - 6, top + cell * r];
    const above = label + cell * (r + 0.5);
    parts.push(`<text x="${fixed(x)}" y="${fixed(y + cell / 2 + 4)}" text-anchor="end">${text(classes[r])}</text>`);
    parts.push(
      tilted
        ? `<text transform="translate(${fixed(above + 4)} ${fixed(top - 6)}) rotate(-90)">${text(classes[r])}</text>`
        : `<text x="${fixed(above)}" y="${fixed(top - 7)}" text-anchor="middle">${text(classes[r])}</text>`,
    );
    row.forEach((n, c) => {
      const share = total === 0 ? 0 : n / total;
      const kind = r === c ? 'right' : 'wrong';
      const tip = escapeText(`${classes[r]} taken for ${classes[c]}: ${n} of ${total} (${(share * 100).toFixed(1)} %)`);
      // Mistakes are few: their square root is shown.
      const strength = r === c ? share : Math.sqrt(share);
      parts.push(
        `<rect class="${kind}" x="${fixed(label + cell * c)}" y="${fixed(y)}" width="${fixed(cell - 1)}" height="${fixed(cell - 1)}" ` +
          `fill-opacity="${strength.toFixed(3)}"><title>${tip}</title></rect>`,
      );
      if (n > 0 && cell >= 22)
        parts.push(
          `<text class="cell${strength > 0.55 ? ' on' : ''}" x="${fixed(label + cell * (c + 0.5))}" y="${fixed(y + cell / 2 + 4)}" text-anchor="middle">${n}</text>`,
        );
    });
  });
  const tall = tilted ? size.height : top + cell * count + 4;
  return `<svg class="matrix" viewBox="0 0 ${fixed(size.width)} ${fixed(Math.max(tall, top + cell * count + 4))}" role="img" aria-label="confusion matrix">${parts.join('')}</svg>`;
}
