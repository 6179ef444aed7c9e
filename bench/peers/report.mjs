// Results as a Markdown table and as a picture, and those that miss thresholds.json.
import { readFileSync } from 'node:fs';
import { engines } from './engines/index.mjs';
import { ratioOf } from './rounds.mjs';

const base = 'convlet';
/** An engine that got less of a core than this was measured on a busy machine. */
const busyLimit = 0.9;
const percent = (share) => `${(100 * share).toFixed(0)} %`;
const own = (name) => engines[name]?.adapter === 'convlet';
const digits = (ms) => (ms === undefined ? '–' : ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3));

/** `results`: { node, cpu, threads, rounds, rows: { MODEL: { macs, engines: { ENGINE: … } } } }. */
export function markdown(results, title) {
  const names = namesOf(results);
  const others = names.filter((name) => name !== base);
  const lines = [`# ${title}`, '', describe(results), ''];
  lines.push(`Milliseconds, median / minimum:`, '', ...table(['', ...names], rowsOf(results, names, timeCell)));
  if (names.includes(base)) {
    const caption = `How many times as fast as each engine ${base} is: ratio of medians (and of the rounds: median, least–most):`;
    lines.push('', caption, '', ...table(['', ...others], rowsOf(results, others, ratioCell)));
  }
  const failures = Object.entries(results.rows).flatMap(([row, { engines: list }]) =>
    Object.entries(list).flatMap(([name, { failure }]) => (failure ? [`- ${row}, ${name}: ${failure}`] : [])),
  );
  const starved = Object.entries(results.rows).flatMap(([row, { engines: list }]) =>
    Object.entries(list).flatMap(([name, { busy }]) => (busy < busyLimit ? [`${row} ${name} ${percent(busy)}`] : [])),
  );
  if (starved.length > 0)
    lines.push('', `The machine was busy; shares of a core that engines got: ${starved.join(', ')}.`);
  if (failures.length > 0) lines.push('', 'Not measured:', '', ...failures);
  return `${lines.join('\n')}\n`;
}

export function startupMarkdown(results) {
  const rows = Object.entries(results.engines).map(([name, { imported, first, peakMB, failure }]) =>
    failure
      ? [name, failure, '', '', '']
      : [name, ...[imported, first, first - results.engines.bare.first, peakMB].map((value) => value.toFixed(0))],
  );
  const head = ['', 'imported ms', 'first result ms', 'more than bare Node ms', 'peak MB'];
  return `# Process start to first ${results.model} result\n\n${describe(results)}\n\n${table(head, rows).join('\n')}\n`;
}

const describe = ({ node, cpu, threads, rounds }) =>
  `Node ${node.replace('v', '')}, ${cpu}, ${threads} thread${threads > 1 ? 's' : ''}, batch 1 unless the name says so, f32, ${rounds} rounds.`;

function namesOf({ rows }) {
  const all = new Set(Object.values(rows).flatMap((row) => Object.keys(row.engines)));
  return Object.keys(engines).filter((name) => all.has(name));
}

const rowsOf = ({ rows }, names, cell) =>
  Object.entries(rows).map(([row, { engines: list }]) => [row, ...names.map((name) => cell(list[name], list))]);

const timeCell = (result) => (result?.median === undefined ? '–' : `${digits(result.median)} / ${digits(result.min)}`);

const spread = ({ median, least, most }) => `${median.toFixed(2)}, ${least.toFixed(2)}–${most.toFixed(2)}`;

function ratioCell(result, list) {
  const ratio = ratioOf(list[base], result);
  if (ratio === null) return '–';
  return `**${ratio.ofMedians.toFixed(2)}** (${spread(ratio)})`;
}

const table = (head, rows) => [
  `| ${head.join(' | ')} |`,
  `|---|${'--:|'.repeat(head.length - 1)}`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];

const palette = ['#2f6fb3', '#e08a1e', '#3a9a5b', '#b5485d', '#7a5ea8', '#6b7280', '#4aa3a2', '#a0783c', '#c46bb0'];
const layout = { left: 190, bar: 13, gap: 3, group: 16, top: 84, width: 900, right: 70 };

/** Horizontal bars: how many times as fast as each engine convlet is; the line is at 1. */
export function picture(results, title) {
  const names = namesOf(results).filter((name) => !own(name));
  const groups = Object.entries(results.rows).map(([row, { engines: list }]) => ({
    row,
    bars: names.flatMap((name) => {
      const ratio = ratioOf(list[base], list[name]);
      return ratio === null ? [] : [{ name, ratio: ratio.ofMedians }];
    }),
  }));
  const { left, bar, gap, group, top, width, right } = layout;
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const x = (ratio) => left + ((width - left - right) * ratio) / most;
  const parts = [];
  let y = top;
  for (const { row, bars } of groups) {
    const height = bars.length * (bar + gap);
    parts.push(label(left - 10, y + height / 2 + 4, row, 'end', 13));
    for (const { name, ratio } of bars) {
      const fill = palette[names.indexOf(name) % palette.length];
      const length = (x(ratio) - left).toFixed(1);
      parts.push(`<rect x="${left}" y="${y}" width="${length}" height="${bar}" rx="2" fill="${fill}"/>`);
      parts.push(label(x(ratio) + 5, y + bar - 2, `${ratio.toFixed(2)}×`, 'start', 11));
      y += bar + gap;
    }
    y += group;
  }
  const one = x(1).toFixed(1);
  parts.push(`<line x1="${one}" y1="${top - 8}" x2="${one}" y2="${y - group}" stroke="#222" stroke-dasharray="4 3"/>`);
  const each = (width - 40) / Math.max(names.length, 1);
  const legend = names.flatMap((name, i) => [
    `<rect x="${(20 + i * each).toFixed(0)}" y="54" width="12" height="12" rx="2" fill="${palette[i % palette.length]}"/>`,
    label(20 + i * each + 18, 64, engines[name].native ? `${name} (native)` : name, 'start', 12),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 20}" viewBox="0 0 ${width} ${y + 20}"`,
    ` font-family="system-ui, sans-serif" fill="#222">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    label(20, 26, title, 'start', 17),
    label(20, 44, `${describe(results)} Longer is better for convlet; the line is equal speed.`, 'start', 11),
    ...legend,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function label(x, y, text, anchor, size) {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${Number(x).toFixed(1)}" y="${Number(y).toFixed(1)}" text-anchor="${anchor}" font-size="${size}">${safe}</text>`;
}

const thresholds = JSON.parse(readFileSync(new URL('thresholds.json', import.meta.url), 'utf8'));

/** A line for each result that misses its threshold. Results that were not measured do not count; a failed engine is a miss. */
export function modelMisses({ rows, node, threads }) {
  if (threads !== 1) return ['the thresholds are for one thread'];
  const major = Number.parseInt(node.slice(1), 10);
  const wanted = thresholds.models[major >= 24 ? '24' : '20'];
  const misses = [];
  for (const [row, { engines: list }] of Object.entries(rows)) {
    for (const [name, least] of Object.entries(wanted[row] ?? {})) {
      if (list[name] === undefined || list[base] === undefined) continue;
      const ratio = ratioOf(list[base], list[name]);
      if (ratio === null) misses.push(`${row}: no ratio to ${name} (${list[base].failure ?? list[name].failure})`);
      else if (ratio.ofMedians < least) misses.push(`${row}: ${ratio.ofMedians.toFixed(2)} × ${name}, wanted ${least}`);
    }
    for (const [name, { least, models }] of Object.entries(thresholds.threads)) {
      const ratio = models.includes(row) ? ratioOf(list[name], list[base]) : null;
      if (ratio?.ofMedians < least)
        misses.push(`${row}: ${name} ${ratio.ofMedians.toFixed(2)} × ${base}, wanted ${least}`);
    }
    const [single, images] = thresholds.batch[row] ?? [];
    const [batch, one] = [list[base]?.median / images, rows[single]?.engines[base]?.median];
    if (batch > one) misses.push(`${row}: ${batch.toFixed(2)} ms per image, ${single} takes ${one.toFixed(2)}`);
  }
  return misses;
}

/** Compares every single op with the fastest WebAssembly engine, by the minima of their times. */
export function opMisses({ rows }) {
  const misses = [];
  for (const [row, { engines: list }] of Object.entries(rows)) {
    const peers = Object.entries(list).filter(
      ([name, r]) => !own(name) && !engines[name].native && r.min !== undefined,
    );
    if (peers.length === 0 || list[base] === undefined) continue;
    const [name, fastest] = peers.reduce((a, b) => (b[1].min < a[1].min ? b : a));
    const rule = Object.entries(thresholds.ops.rows).find(([pattern]) => new RegExp(pattern, 'u').test(row));
    const least = rule?.[1] ?? thresholds.ops.default;
    const ratio = fastest.min / list[base].min;
    if (!(ratio >= least)) misses.push(`${row}: ${ratio.toFixed(2)} × ${name}, wanted ${least}`);
  }
  return misses;
}

export function startupMisses({ engines: list }) {
  const over = list[base].first - list.bare.first;
  const { overBareMs } = thresholds.startup;
  return over <= overBareMs ? [] : [`startup: ${over.toFixed(0)} ms more than bare Node, at most ${overBareMs} wanted`];
}

/** One line per engine for the terminal. */
export function consoleLines(list, macs) {
  return Object.entries(list).map(([name, result]) => {
    if (result.failure) return `  ${name.padEnd(18)} ${result.failure}`;
    const ratio = name === base ? null : ratioOf(list[base], result);
    const rate = macs > 0 ? `${((2 * macs) / result.median / 1e6).toFixed(1)} GFLOP/s` : '';
    const compared = ratio ? `convlet is ${ratio.ofMedians.toFixed(2)} × (${spread(ratio)})` : '';
    const time = `${digits(result.median)} / ${digits(result.min)} ms`;
    return `  ${name.padEnd(18)} ${time.padStart(18)} ${rate.padStart(15)}  error ${result.error.toExponential(1)}  cpu ${percent(result.busy).padStart(5)}  ${compared}`;
  });
}
