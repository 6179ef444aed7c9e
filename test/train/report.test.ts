// What people see of a run: report, charts, the table for other programs, the line on the terminal.
import { describe, expect, test } from 'vitest';
import { lineChart, matrixChart, ticks } from '../../src/train/chart.ts';
import { History } from '../../src/train/history.ts';
import { numberText, ProgressBar, progressLine, timeText } from '../../src/train/progress.ts';
import { htmlReport } from '../../src/train/report.ts';

/** Three epochs; the last one has no validation. */
function history(): History {
  const made = new History();
  const validation = [
    { loss: 0.9, metrics: { accuracy: 0.5, mse: 2 } },
    { loss: 0.7, metrics: { accuracy: 0.75, mse: 1.5 } },
    null,
  ];
  validation.forEach((of, i) => {
    const metrics = { accuracy: 0.6 + i / 10, mse: 3 - i };
    made.epochs.push({
      epoch: i + 1,
      step: 7 * (i + 1),
      seconds: 61.23456 + i,
      lr: 0.1 / (i + 1),
      loss: 1 - i / 8,
      metrics,
      validation: of,
    });
    for (let step = 7 * i + 1; step <= 7 * i + 7; step++) made.add({ step, loss: 2 - step / 20, lr: 0.1 });
  });
  return made;
}

/** What is between tags, row by row. */
const textOf = (html: string): string[] =>
  html
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<svg.*?<\/svg>/gs, '')
    .split(/<\/?(?:div|tr|h\d|figure|pre|p|main|title)[^>]*>/)
    .map((part) =>
      part
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((part) => part !== '');

describe('the report', () => {
  test('says everything, in order', () => {
    const html = htmlReport(history(), {
      title: 'Digits',
      best: { epoch: 2, monitor: 'val_accuracy', value: 0.75 },
      status: 'Running: 3 of 9 epochs.',
      configuration: { 'batch size': 8, compiled: true },
      model: 'Sequential(…)',
      confusion: {
        rows: [
          [3, 1],
          [0, 4],
        ],
        classes: ['a', 'b'],
      },
    });
    expect(textOf(html)).toEqual([
      'Digits',
      'Digits',
      'Running: 3 of 9 epochs.',
      '75.00 % best validation accuracy, epoch 2',
      '3 epochs, 21 steps',
      '3:07 training and validation',
      '0.7500 last training loss',
      'Loss training validation',
      'Accuracy training validation',
      'Mse training validation',
      'Learning rate learning rate',
      'Loss step by step loss of a batch',
      'Confusion matrix of the validation set',
      'class precision recall F1 samples',
      'a 100.00 % 75.00 % 85.71 % 4',
      'b 80.00 % 100.00 % 88.89 % 4',
      'mean 90.00 % 87.50 % 87.30 % 8',
      'Epochs',
      'epoch steps time learning rate loss accuracy mse val. loss val. accuracy val. mse',
      '1 7 61.2 s 0.100 1.0000 60.00 % 3.0000 0.9000 50.00 % 2.0000',
      '2 14 62.2 s 0.0500 0.8750 70.00 % 2.0000 0.7000 75.00 % 1.5000',
      '3 21 63.2 s 0.0333 0.7500 80.00 % 1.0000',
      'Configuration',
      'batch size 8',
      'compiled true',
      'Sequential(…)',
    ]);
    expect([...html.matchAll(/<tr class="best"><td>(\w+)/g)].map(([, name]) => name)).toEqual(['mean', '2']);
    // The best value is marked in its own chart alone.
    const figures = html.split('<figure>').slice(1);
    expect(figures.map((figure) => figure.includes('class="mark"'))).toEqual([false, true, false, false, false]);
    expect(figures.map((figure) => /class="c(\d)/.exec(figure)![1])).toEqual(['0', '0', '0', '2', '3']);
    expect(figures.map((figure) => figure.includes(' thin"'))).toEqual([false, false, false, false, true]);
  });

  test('without what is not there', () => {
    expect(textOf(htmlReport(new History()))).toEqual([
      'Training',
      'Training',
      '0 epochs, 0 steps',
      '0:00 training and validation',
      'Loss: no finite values',
      'Epochs',
      'epoch steps time learning rate loss',
    ]);
    const plain = new History();
    plain.epochs.push({ epoch: 1, step: 3, seconds: 4, lr: 1, loss: 5, metrics: {}, validation: null });
    plain.add({ step: 3, loss: 5, lr: 1 });
    expect(textOf(htmlReport(plain, { best: { epoch: 1, monitor: 'loss', value: 5 } })).slice(2)).toEqual([
      '5.0000 best loss, epoch 1',
      '1 epochs, 3 steps',
      '0:04 training and validation',
      '5.0000 last training loss',
      'Loss training',
      'Epochs',
      'epoch steps time learning rate loss',
      '1 3 4.0 s 1.00 5.0000',
    ]);
    expect(textOf(htmlReport(plain, { model: 'Net' })).slice(-2)).toEqual(['Configuration', 'Net']);
    expect(textOf(htmlReport(plain, { configuration: { seed: 1 } })).slice(-2)).toEqual(['Configuration', 'seed 1']);
    const last = history();
    last.epochs.pop();
    expect(textOf(htmlReport(last))).toContain('0.7000 last validation loss');
  });
});

describe('the table for other programs', () => {
  test('has a column for everything, and a cell that is empty where there is no value', () => {
    expect(history().toCsv()).toBe(
      [
        'epoch,step,seconds,lr,loss,accuracy,mse,val_loss,val_accuracy,val_mse',
        '1,7,61.235,0.1,1,0.6,3,0.9,0.5,2',
        '2,14,62.235,0.05,0.875,0.7,2,0.7,0.75,1.5',
        '3,21,63.235,0.03333333333333333,0.75,0.8,1,,,',
        '',
      ].join('\n'),
    );
    expect(new History().toCsv()).toBe('epoch,step,seconds,lr,loss\n');
  });

  test('a trace of any length keeps some hundred points at equal distances, the same after a restart', () => {
    const whole = new History();
    let restarted = new History();
    for (let step = 1; step <= 5000; step++) {
      const point = { step, loss: step, lr: 0 };
      whole.add(point);
      restarted.add(point);
      if (step % 701 === 0) restarted = History.from(JSON.parse(JSON.stringify(restarted)));
      expect(whole.trace.length).toBeLessThan(512);
      if (step >= 512) expect(whole.trace.length).toBeGreaterThanOrEqual(255);
    }
    const steps = whole.trace.map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: steps.length }, (_, i) => 16 * (i + 1)));
    expect(steps.at(-1)).toBe(4992);
    expect(restarted.trace).toEqual(whole.trace);
  });
});

describe('charts', () => {
  test.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 10, 5, [0, 2, 4, 6, 8, 10]],
    [0.13, 0.94, 5, [0.2, 0.4, 0.6, 0.8]],
    [-3, 4, 4, [-2, 0, 2, 4]],
    [1, 4, 3, [1, 2, 3, 4]],
    [0, 1e-7, 2, [0, 5e-8, 1e-7]],
    [95, 1200, 5, [500, 1000]],
  ])('ticks from %f to %f in about %i steps', (low, high, count, expected) => {
    expect(ticks(low, high, count)).toEqual(expected);
  });

  /** Numbers of an attribute, for each element of a class. */
  const numbersOf = (svg: string, pattern: RegExp): number[][] =>
    [...svg.matchAll(pattern)].map(([, ...groups]) => groups.map(Number));

  test('points lie where their values are, from the lowest to the highest with a little room', () => {
    const svg = lineChart(
      [
        {
          name: 'a',
          color: 1,
          points: [
            [1, 10],
            [2, 20],
            [5, 15],
          ],
        },
      ],
      { title: 'T', x: 'epoch' },
    );
    const dots = numbersOf(svg, /<circle class="c1" cx="([\d.]+)" cy="([\d.]+)"/g);
    // 560 wide with margins of 56 and 16; 260 high with 14 and 36; 6 % of the range above and below.
    const x = (value: number): number => 56 + ((value - 1) / 4) * 488;
    const y = (value: number): number => 14 + ((20.6 - value) / 11.2) * 210;
    const rounded = (value: number): number => Number(value.toFixed(1));
    const expected = [
      [1, 10],
      [2, 20],
      [5, 15],
    ].map(([a, b]) => [rounded(x(a)), rounded(y(b))]);
    expect(dots).toEqual(expected);
    expect(/points="([^"]+)"/.exec(svg)![1]).toBe(expected.map((pair) => pair.join()).join(' '));
    // Labels of both axes stand at their values.
    const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">([^<]+)</g)].map((m) =>
      m.slice(1),
    );
    expect(labels).toEqual([
      ...[10, 15, 20].map((v) => ['48', String(rounded(y(v) + 4)), 'end', String(v)]),
      ...[1, 2, 3, 4, 5].map((v) => [String(rounded(x(v))), '241', 'middle', String(v)]),
      ['300', '256', 'middle', 'epoch'],
    ]);
    expect(numbersOf(svg, /<line class="grid" x1="([\d.]+)" x2="([\d.]+)" y1="([\d.]+)"/g)).toEqual(
      [10, 15, 20].map((v) => [56, 544, rounded(y(v))]),
    );
    expect(svg).toContain('<title>a, epoch 2: 20</title>');
  });

  test('a marked point has its text below it, above it near the bottom, and to the left near the right end', () => {
    const points = [
      [0, 0],
      [10, 1],
    ] as const;
    const marked = (x: number, y: number): unknown[] => {
      const svg = lineChart([{ name: 'a', color: 0, points }], { title: 'T', x: 'step', mark: { x, y, text: 'best' } });
      const dot = numbersOf(svg, /<circle class="mark" cx="([\d.]+)" cy="([\d.]+)"/g)[0];
      const [, at, height, anchor] = /<text class="mark" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">best</.exec(
        svg,
      )!;
      expect(Number(at)).toBe(dot[0]);
      return [Number((Number(height) - dot[1]).toFixed(1)), anchor];
    };
    expect(marked(1, 0.5)).toEqual([20, 'middle']);
    expect(marked(1, 0)).toEqual([-10, 'middle']);
    expect(marked(9, 0.5)).toEqual([20, 'end']);
  });

  test('shares stay below 100 %, counts above 0; one value, no value, many values', () => {
    const of = (points: [number, number][], percent = false): string =>
      lineChart([{ name: 'a', color: 0, points }], { title: 'T', x: 'step', percent });
    const labels = (svg: string): string[] => [...svg.matchAll(/text-anchor="end">([^<]+)</g)].map(([, text]) => text);
    expect(
      labels(
        of(
          [
            [1, 0.5],
            [2, 1],
          ],
          true,
        ),
      ),
    ).toEqual(['60 %', '80 %', '100 %']);
    expect(
      labels(
        of([
          [1, 0.01],
          [2, 1],
        ]),
      )[0],
    ).toBe('0');
    expect(
      labels(
        of([
          [1, -0.01],
          [2, 1],
        ]),
      )[0],
    ).toBe('0');
    expect(
      labels(
        of([
          [1, 1e7],
          [2, 2e7],
        ]),
      ),
    ).toEqual(['1e7', '1.5e7', '2e7']);
    // The axis begins at 0 where that is near, below it only for what is below it.
    expect(
      of([
        [1, 0.01],
        [2, 1],
      ]),
    ).toContain('y1="224"');
    expect(
      of([
        [1, -0.01],
        [2, 1],
      ]),
    ).not.toContain('y1="224"');
    expect(of([[3, 7]])).toContain('<polyline class="c0" points="300,119"/>');
    expect(of([[1, Number.NaN]])).toBe('<p class="none">T: no finite values</p>');
    expect(
      of([
        [1, 1],
        [2, Number.POSITIVE_INFINITY],
        [3, 2],
      ]),
    ).not.toMatch(/Infinity|NaN/);
    const long = (count: number): number =>
      of(Array.from({ length: count }, (_, i) => [i, i])).split('<circle').length - 1;
    expect([long(60), long(61)]).toEqual([60, 0]);
  });

  test('a confusion matrix: shades are shares of the row, mistakes by their root', () => {
    const svg = matrixChart(
      [
        [8, 2, 0],
        [0, 5, 0],
        [0, 0, 0],
      ],
      ['a', 'b', 'c'],
    );
    const cells = [...svg.matchAll(/<rect class="(\w+)" x="([\d.]+)" y="([\d.]+)" [^>]*fill-opacity="([\d.]+)"/g)];
    const label = 14 + 6.6;
    const place = (i: number): string => String(Number((label + 44 * i).toFixed(1)));
    expect(cells.map((m) => m.slice(1))).toEqual(
      [
        ['0.800', '0.447', '0.000'],
        ['0.000', '1.000', '0.000'],
        ['0.000', '0.000', '0.000'],
      ].flatMap((row, r) => row.map((shade, c) => [r === c ? 'right' : 'wrong', place(c), String(42 + 44 * r), shade])),
    );
    expect(svg).toContain('<title>a taken for b: 2 of 10 (20.0 %)</title>');
    expect([...svg.matchAll(/class="cell( on)?"[^>]*>(\d+)</g)].map((m) => [m[2], m[1] ?? ''])).toEqual([
      ['8', ' on'],
      ['2', ''],
      ['5', ' on'],
    ]);
    // Long names are tilted and cut; many classes have small cells without numbers.
    expect(
      matrixChart(
        [
          [1, 0],
          [0, 1],
        ],
        ['cat', 'a very long name'],
      ),
    ).toMatch(/rotate\(-90\)">a very long n…</);
    expect(matrixChart([[1]], ['abc'])).not.toContain('rotate');
    const many = Array.from({ length: 30 }, (_, r) => Array.from({ length: 30 }, (_, c) => Number(r === c)));
    expect(
      matrixChart(
        many,
        many.map((_, i) => String(i)),
      ),
    ).not.toContain('class="cell');
  });
});

describe('progress', () => {
  test.each([
    [0, '0:00'],
    [-3, '0:00'],
    [7.4, '0:07'],
    [59.6, '1:00'],
    [3599, '59:59'],
    [3700, '1:01:40'],
    [36_061, '10:01:01'],
  ])('%f seconds are %s', (seconds, text) => {
    expect(timeText(seconds)).toBe(text);
  });

  test.each([
    [0, '0.0000'],
    [0.00123, '0.0012'],
    [0.000999, '9.99e-4'],
    [-0.0005, '-5.00e-4'],
    [99_999, '99999.0000'],
    [100_000, '1.00e+5'],
  ])('%f reads %s', (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  const of = { epoch: 3, epochs: 12, values: [['loss', 0.5]] as [string, number][], secondsLeft: 65 };

  test('the bar takes what the numbers leave, and is as full as the epoch is done', () => {
    const bar = (done: number): string => progressLine({ ...of, done }, 80);
    expect(bar(0)).toBe(`epoch  3/12 ${' '.repeat(30)}   0 %  loss 0.5000  1:05 left`);
    expect(bar(0.5)).toBe(`epoch  3/12 ${'█'.repeat(15)}${' '.repeat(15)}  50 %  loss 0.5000  1:05 left`);
    expect(bar(0.51)).toBe(`epoch  3/12 ${'█'.repeat(15)}▎${' '.repeat(14)}  51 %  loss 0.5000  1:05 left`);
    expect(bar(1)).toBe(`epoch  3/12 ${'█'.repeat(30)} 100 %  loss 0.5000  1:05 left`);
    const [head, tail] = [12, 30];
    expect(progressLine({ ...of, done: 0.5 }, head + tail + 6)).toBe('epoch  3/12 ██▌    50 %  loss 0.5000  1:05 left');
    expect(progressLine({ ...of, done: 0.5 }, head + tail + 5)).toBe('epoch  3/12   50 %  loss 0.5000  1:05 left');
    expect(progressLine({ ...of, done: 0.5 }, 20)).toBe('epoch  3/12   50 % ');
    for (let columns = 1; columns < 100; columns++)
      expect(progressLine({ ...of, done: 0.7 }, columns).length).toBeLessThan(columns);
  });

  test('ten lines a second at most, and none where nobody looks', () => {
    const written: string[] = [];
    const bar = new ProgressBar({ columns: 80, write: (text) => void written.push(text) });
    for (let i = 0; i < 1000; i++) bar.show(() => ({ ...of, done: 0.5 }));
    expect(written.length).toBeLessThanOrEqual(2);
    bar.line('epoch 1');
    expect(written.at(-1)).toBe('\r\x1b[2Kepoch 1\n');
    const none = new ProgressBar(null);
    none.show(() => {
      throw new Error('nobody looks');
    });
    none.line('epoch 1');
  });
});
