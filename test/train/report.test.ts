// What people see of a run: report, the table for other programs, the line on the terminal.
import { describe, expect, test } from 'vitest';
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
