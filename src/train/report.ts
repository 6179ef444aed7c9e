import { anything, checkOptions, type KnownOf } from '../common/options.ts';
import { ConfusionMatrix } from '../nn/metrics.ts';
import { escapeText, lineChart, matrixChart, type Series } from './chart.ts';
import type { History } from './history.ts';
import { numberText, timeText } from './progress.ts';

/** Of htmlReport. */
export interface ReportOptions {
  /** Title of the page. */
  readonly title?: string;
  /** Names and values that are listed: optimizer, batch size, …. */
  readonly configuration?: { readonly [name: string]: string | number | boolean };
  /** Rows are targets, columns predictions. */
  readonly confusion?: { readonly rows: readonly (readonly number[])[]; readonly classes?: readonly string[] } | null;
  /** The best epoch and what it is the best in. */
  readonly best?: { readonly epoch: number; readonly monitor: string; readonly value: number } | null;
  /** The model's summary. */
  readonly model?: string;
  /** How it ended: "stopped early after epoch 9". */
  readonly status?: string;
}

const known: KnownOf<ReportOptions> = {
  title: anything,
  configuration: anything,
  confusion: anything,
  best: anything,
  model: anything,
  status: anything,
};

const style = `
:root { color-scheme: light dark; --bg: #fbfbfa; --card: #fff; --ink: #1f2328; --soft: #656d76; --line: #dfe2e6;
  --c0: #2f6fde; --c1: #d9730d; --c2: #1a7f6b; --c3: #8250df; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --bg: #111418; --card: #191d23; --ink: #e6e9ed; --soft: #9aa4af; --line: #2d343c;
  --c0: #6ca0ff; --c1: #f0a050; --c2: #4cc3a5; --c3: #b492f5; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 17px; margin: 34px 0 12px; }
.soft, .none { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0 0; }
.tiles div, figure, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0; }
.tiles div { padding: 12px 16px; } .tiles b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 14px; margin-top: 20px; }
figure, .card { padding: 14px 16px; } figcaption { font-weight: 600; margin-bottom: 6px; display: flex; justify-content: space-between; flex-wrap: wrap; }
.key { font-weight: 400; font-size: 13px; color: var(--soft); display: flex; gap: 14px; align-items: center; }
.key i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; background: currentColor; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); } polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
polyline.thin { stroke-width: 1; opacity: .55; } circle { fill: currentColor; stroke: var(--card); stroke-width: 1; }
circle.mark { fill: none; stroke: var(--ink); stroke-width: 1.5; } svg text.mark { fill: var(--ink); font-weight: 600; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); }
.matrix { max-width: 620px; } .right { fill: var(--c0); stroke: var(--line); } .wrong { fill: var(--bad); stroke: var(--line); }
svg text.cell { fill: var(--ink); font-size: 11px; } svg text.on { fill: var(--bg); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 14px; align-items: start; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; } tr.best td { font-weight: 700; }
tr:last-child td { border-bottom: 0; } td.text { white-space: normal; } pre { overflow-x: auto; margin: 0; font-size: 13px; line-height: 1.45; }
`;

const percentNames = /^(accuracy|top\d+|precision|recall|f1|iou|dice)$/;
const valueText = (name: string, value: number): string =>
  percentNames.test(name) ? `${(value * 100).toFixed(2)} %` : numberText(value);

/** A page without anything outside of it: curves, confusion matrix, epochs, configuration. */
export function htmlReport(history: History, options: ReportOptions = {}): string {
  checkOptions('htmlReport', options, known);
  const { title = 'Training', configuration = {}, confusion = null, best = null, model, status } = options;
  const { epochs } = history;
  const last = epochs.at(-1);
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const tiles: [string, string][] = [];
  if (best !== null) {
    const name = best.monitor.replace(/^val_/, '');
    tiles.push([
      valueText(name, best.value),
      `best ${best.monitor.startsWith('val_') ? 'validation ' : ''}${name}, epoch ${best.epoch}`,
    ]);
  }
  tiles.push(
    [String(epochs.length), `epochs, ${last?.step ?? 0} steps`],
    [timeText(seconds), 'training and validation'],
  );
  if (last !== undefined) tiles.push([numberText(last.loss), 'last training loss']);
  if (last?.validation) tiles.push([numberText(last.validation.loss), 'last validation loss']);

  const html = [
    `<h1>${escapeText(title)}</h1>`,
    status === undefined ? '' : `<div class="soft">${escapeText(status)}</div>`,
    `<div class="tiles">${tiles.map(([value, name]) => `<div><b>${escapeText(value)}</b><span>${escapeText(name)}</span></div>`).join('')}</div>`,
    `<div class="charts">${charts(history, best).join('')}</div>`,
  ];
  if (confusion !== null) html.push(...confusionParts(confusion));
  html.push('<h2>Epochs</h2>', `<div class="card scroll">${epochTable(history, best?.epoch)}</div>`);
  const rows = Object.entries(configuration).map(
    ([name, value]) => `<tr><td>${escapeText(name)}</td><td class="text">${escapeText(String(value))}</td></tr>`,
  );
  if (rows.length > 0 || model !== undefined) html.push('<h2>Configuration</h2><div class="pair">');
  if (rows.length > 0) html.push(`<div class="card"><table>${rows.join('')}</table></div>`);
  if (model !== undefined) html.push(`<div class="card"><pre>${escapeText(model)}</pre></div>`);
  if (rows.length > 0 || model !== undefined) html.push('</div>');
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeText(title)}</title><style>${style}</style></head><body><main>`,
    ...html,
    '</main></body></html>\n',
  ].join('\n');
}

function charts({ epochs, trace, metrics }: History, best: ReportOptions['best']): string[] {
  const curve = (
    name: string,
    color: number,
    value: (epoch: History['epochs'][number]) => number | undefined,
  ): Series => ({
    name,
    color,
    points: epochs.flatMap((record) => {
      const y = value(record);
      return y === undefined ? [] : [[record.epoch, y] as const];
    }),
  });
  const both = (
    title: string,
    name: string,
    of: (part: { loss: number; metrics: Record<string, number> }) => number,
  ): string => {
    const series = [
      curve('training', 0, of),
      curve('validation', 1, ({ validation }) => (validation ? of(validation) : undefined)),
    ];
    const hit = best?.monitor === name || best?.monitor === `val_${name}`;
    const mark = hit ? { x: best.epoch, y: best.value, text: valueText(name, best.value) } : null;
    const percent = percentNames.test(name);
    return lineChart(
      series.filter(({ points }) => points.length > 0),
      { title, x: 'epoch', percent, mark },
    );
  };
  const found = [
    both('Loss', 'loss', ({ loss }) => loss),
    ...metrics.map((name) => both(name[0].toUpperCase() + name.slice(1), name, ({ metrics: values }) => values[name])),
  ];
  if (trace.length > 1) {
    const steps = (name: string, color: number, value: 'loss' | 'lr'): Series => ({
      name,
      color,
      thin: value === 'loss',
      points: trace.map((point) => [point.step, point[value]] as const),
    });
    found.push(lineChart([steps('learning rate', 2, 'lr')], { title: 'Learning rate', x: 'step' }));
    found.push(lineChart([steps('loss of a batch', 3, 'loss')], { title: 'Loss step by step', x: 'step' }));
  }
  return found;
}

function confusionParts({ rows, classes }: NonNullable<ReportOptions['confusion']>): string[] {
  const names = classes ?? rows.map((_, i) => String(i));
  const matrix = new ConfusionMatrix(rows.length);
  matrix.counts.set(rows.flat());
  const share = (value: number): string => `<td>${(value * 100).toFixed(2)} %</td>`;
  const lines = matrix
    .report()
    .map(
      ({ precision, recall, f1, support }, c) =>
        `<tr><td>${escapeText(names[c])}</td>${[precision, recall, f1].map(share).join('')}<td>${support}</td></tr>`,
    );
  const mean = (['precision', 'recall', 'f1'] as const).map((score) => share(matrix.average(score))).join('');
  const total = matrix.counts.reduce((a, b) => a + b, 0);
  return [
    '<h2>Confusion matrix of the validation set</h2><div class="pair">',
    `<div class="card">${matrixChart(rows, names)}</div>`,
    '<div class="card scroll"><table><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th>samples</th></tr>',
    `${lines.join('')}<tr class="best"><td>mean</td>${mean}<td>${total}</td></tr></table></div></div>`,
  ];
}

function epochTable({ epochs, metrics }: History, best: number | undefined): string {
  const validated = epochs.some(({ validation }) => validation !== null);
  const names = ['loss', ...metrics];
  const header = [
    'epoch',
    'steps',
    'time',
    'learning rate',
    ...names,
    ...(validated ? names.map((name) => `val. ${name}`) : []),
  ];
  const rows = epochs.map(({ epoch, step, seconds, lr, validation, ...record }) => {
    const values = (part: { loss: number; metrics: Record<string, number> } | null): string[] =>
      names.map((name) => {
        if (part === null) return '';
        return name === 'loss' ? numberText(part.loss) : valueText(name, part.metrics[name]);
      });
    const cells = [String(epoch), String(step), `${seconds.toFixed(1)} s`, lr.toPrecision(3), ...values(record)];
    if (validated) cells.push(...values(validation));
    return `<tr${epoch === best ? ' class="best"' : ''}>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<table><tr>${header.map((name) => `<th>${escapeText(name)}</th>`).join('')}</tr>${rows.join('')}</table>`;
}
