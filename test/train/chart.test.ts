import { describe, expect, test } from 'vitest';
import { lineChart, matrixChart, ticks } from '../../src/train/chart.ts';

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
