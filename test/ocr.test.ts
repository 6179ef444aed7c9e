import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { boxesOf, detect, detectionInput } from '../examples/ocr/detect.ts';
import { type Box, boxSize, convexHull, cutOut, minAreaRectangle, turnLeft } from '../examples/ocr/geometry.ts';
import { linesOf } from '../examples/ocr/layout.ts';
import { networkOf, readAlphabet } from '../examples/ocr/network.ts';
import { decodeCtc, recognise, recognitionInput } from '../examples/ocr/recognise.ts';
import { addSpaces } from '../examples/ocr/spaces.ts';
import { decodeImage, type Image, type Point } from '../src/io/images/index.ts';

/** A map with the value inside each rectangle (centre, size, angle in degrees), and 0.05 outside. */
function mapOf(
  width: number,
  height: number,
  rectangles: { x: number; y: number; w: number; h: number; angle?: number; value?: number }[],
) {
  const data = new Float32Array(width * height).fill(0.05);
  for (const { x, y, w, h, angle = 0, value = 0.9 } of rectangles) {
    const cos = Math.cos((angle * Math.PI) / 180);
    const sin = Math.sin((angle * Math.PI) / 180);
    for (let i = 0; i < data.length; i++) {
      const dx = (i % width) - x;
      const dy = Math.floor(i / width) - y;
      const inside = Math.abs(dx * cos + dy * sin) <= w / 2 && Math.abs(dy * cos - dx * sin) <= h / 2;
      if (inside) data[i] = value;
    }
  }
  return { data, shape: [1, 1, height, width] };
}

function expectBox(box: Box, wanted: Point[], tolerance: number): void {
  wanted.forEach(([x, y], i) => {
    expect(Math.abs(box[i][0] - x), `corner ${i}: ${box} for ${wanted}`).toBeLessThanOrEqual(tolerance);
    expect(Math.abs(box[i][1] - y), `corner ${i}: ${box} for ${wanted}`).toBeLessThanOrEqual(tolerance);
  });
}

function corners(x: number, y: number, w: number, h: number, angle = 0): Point[] {
  const cos = Math.cos((angle * Math.PI) / 180);
  const sin = Math.sin((angle * Math.PI) / 180);
  return [
    [-w / 2, -h / 2],
    [w / 2, -h / 2],
    [w / 2, h / 2],
    [-w / 2, h / 2],
  ].map(([dx, dy]) => [x + dx * cos - dy * sin, y + dx * sin + dy * cos]);
}

describe('boxesOf', () => {
  it('finds upright rectangles, enlarged, in the pixels of the image', () => {
    // 61 × 11 pixels have 60 × 10 between their centres: margin 60 · 10 · 1.5 / 140.
    const margin = (60 * 10 * 1.5) / 140;
    const map = mapOf(128, 64, [{ x: 50, y: 30, w: 60, h: 10 }]);
    const [found, ...others] = boxesOf(map, { width: 256, height: 64 });
    expect(others).toEqual([]);
    expect(found.score).toBeCloseTo(0.9, 5);
    const wanted = corners(50, 30, 60 + 2 * margin, 10 + 2 * margin).map(([x, y]): Point => [2 * x, y]);
    expectBox(found.box, wanted, 1e-3);
  });

  for (const angle of [-40, -12, 5, 30, 43]) {
    it(`finds a rectangle turned by ${angle}°`, () => {
      const map = mapOf(200, 200, [{ x: 100, y: 95, w: 90, h: 16, angle }]);
      const [found, ...others] = boxesOf(map, { width: 200, height: 200 }, { unclipRatio: 2 });
      expect(others).toEqual([]);
      const margin = (90 * 16 * 2) / (2 * (90 + 16));
      expectBox(found.box, corners(100, 95, 90 + 2 * margin, 16 + 2 * margin, angle), 2.5);
    });
  }

  it('keeps touching regions together, separate ones apart, and leaves out noise and weak ones', () => {
    const map = mapOf(160, 100, [
      { x: 30, y: 20, w: 40, h: 8 },
      { x: 110, y: 20, w: 40, h: 8 },
      // Two squares that touch at a corner only: one region, whose rectangle they fill by half.
      { x: 24, y: 60, w: 8, h: 8 },
      { x: 33, y: 69, w: 8, h: 8 },
      // Above the pixel threshold, below the box threshold.
      { x: 110, y: 60, w: 40, h: 8, value: 0.5 },
      { x: 80, y: 85, w: 60, h: 1 },
    ]);
    const found = boxesOf(map, { width: 160, height: 100 }, { boxThreshold: 0.55 });
    expect(found.length).toBe(2);
    expect(boxesOf(map, { width: 160, height: 100 }, { boxThreshold: 0.45 }).length).toBe(4);
    expect(boxesOf(map, { width: 160, height: 100 }, { threshold: 0.95 })).toEqual([]);
  });

  it('stays inside the image', () => {
    const map = mapOf(64, 64, [{ x: 10, y: 5, w: 40, h: 12 }]);
    const [{ box }] = boxesOf(map, { width: 64, height: 64 });
    for (const [x, y] of box) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('geometry', () => {
  it('the hull of a grid is its corners', () => {
    const points: Point[] = [];
    for (let y = 0; y < 5; y++) for (let x = 0; x < 7; x++) points.push([x, y]);
    const hull = convexHull(points);
    expect(hull.length).toBe(4);
    expect(new Set(hull.map(String))).toEqual(new Set(['0,0', '6,0', '6,4', '0,4']));
  });

  it('the least rectangle of a point and of a line', () => {
    expect(minAreaRectangle(convexHull([[3, 4]]), 2)).toEqual([
      [1, 2],
      [5, 2],
      [5, 6],
      [1, 6],
    ]);
    const size = boxSize(
      minAreaRectangle(
        convexHull([
          [0, 0],
          [3, 4],
        ]),
        1,
      ),
    );
    expect(size.width).toBeCloseTo(7, 9);
    expect(size.height).toBeCloseTo(2, 9);
  });

  it('cuts an upright box exactly, and a turned one along its sides', () => {
    const image: Image = { data: Uint8Array.from({ length: 30 }, (_, i) => i), width: 6, height: 5, channels: 1 };
    expect([
      ...cutOut(image, [
        [1, 2],
        [4, 2],
        [4, 4],
        [1, 4],
      ]).data,
    ]).toEqual([13, 14, 15, 19, 20, 21]);
    // Down the columns: the box's upper side runs from (5, 0) to (5, 4).
    expect([
      ...cutOut(image, [
        [5, 0],
        [5, 4],
        [3, 4],
        [3, 0],
      ]).data,
    ]).toEqual([5, 11, 17, 23, 4, 10, 16, 22]);
    // Half way between pixels, and past the edge.
    expect([
      ...cutOut(image, [
        [0.5, 0.5],
        [1.5, 0.5],
        [1.5, 1.5],
        [0.5, 1.5],
      ]).data,
    ]).toEqual([4]);
    expect([
      ...cutOut(image, [
        [5, 4],
        [7, 4],
        [7, 5],
        [5, 5],
      ]).data,
    ]).toEqual([29, 29]);
  });

  it('turns left', () => {
    const image: Image = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 3, height: 2, channels: 1 };
    expect(turnLeft(image)).toEqual({ data: Uint8Array.of(3, 6, 2, 5, 1, 4), width: 2, height: 3, channels: 1 });
  });
});

describe('decodeCtc', () => {
  const alphabet = ['', 'a', 'b', ' '];
  /** Probabilities of a path of classes: `p` for the class, the rest shared. */
  const path = (classes: number[], p = 0.7) =>
    classes.flatMap((best) => alphabet.map((_, k) => (k === best ? p : (1 - p) / 3)));

  it('joins repetitions, and keeps letters that a blank separates', () => {
    const data = [...path([0, 1, 1, 0, 1, 2, 2, 2, 3, 0, 2]), ...path(Array(11).fill(0))];
    const [line, empty] = decodeCtc({ data, shape: [2, 11, 4] }, alphabet);
    expect(line.characters.join('')).toBe('aab b');
    expect(line.steps).toEqual([1.5, 4, 6, 8, 10]);
    expect(line.confidence).toBeCloseTo(0.7, 9);
    expect(empty).toEqual({ characters: [], steps: [], confidence: 0 });
  });

  it('confidence is the mean over the characters', () => {
    const data = [...path([1], 0.5), ...path([0], 0.99), ...path([2], 0.9)];
    expect(decodeCtc({ data, shape: [1, 3, 4] }, alphabet)[0].confidence).toBeCloseTo(0.7, 9);
  });

  it('refuses an alphabet of another size', () => {
    expect(() => decodeCtc({ data: path([1]), shape: [1, 1, 4] }, ['', 'a'])).toThrow(/4 classes/);
  });
});

describe('linesOf', () => {
  const place = (text: string, x: number, y: number, w: number, h: number, slope = 0) => {
    const box: Box = [
      [x, y + slope * x],
      [x + w, y + slope * (x + w)],
      [x + w, y + h + slope * (x + w)],
      [x, y + h + slope * x],
    ];
    return { text, box };
  };
  const read = (items: ReturnType<typeof place>[]) =>
    linesOf(items).map((line) => line.map(({ text }) => text).join(' '));

  it('reads line by line, also on a slanted page', () => {
    for (const slope of [0, 0.06, -0.06]) {
      const items = [
        place('e', 400, 82, 60, 18, slope),
        place('c', 10, 50, 100, 22, slope),
        place('a', 10, 10, 100, 40, slope),
        place('d', 300, 53, 80, 16, slope),
        place('b', 500, 24, 120, 20, slope),
        place('f', 700, 81, 60, 18, slope),
      ];
      expect(read(items)).toEqual(['a b', 'c d', 'e f']);
    }
  });

  it('takes no boxes', () => {
    expect(linesOf([])).toEqual([]);
  });
});

describe('addSpaces', () => {
  /** Black bars on white: [from, to) of each letter; 20 pixels high. */
  const bars = (width: number, letters: [number, number][], fill = 255): Image => {
    const data = new Uint8Array(width * 24).fill(fill);
    for (const [from, to] of letters)
      for (let y = 2; y < 22; y++) data.fill(255 - fill, y * width + from, y * width + to);
    return { data, width, height: 24, channels: 1 };
  };
  const letters: [number, number][] = [
    [2, 10],
    [12, 20],
    [30, 38],
    [41, 49],
  ];
  const positions = letters.map(([from, to]) => (from + to) / 2 / 60);

  it('puts a space where the gap is wide, on light and dark backgrounds', () => {
    expect(addSpaces([...'abcd'], positions, bars(60, letters))).toBe('ab cd');
    expect(addSpaces([...'abcd'], positions, bars(60, letters, 0))).toBe('ab cd');
  });

  it('adds none beside a space, before punctuation, in decimals and in other scripts', () => {
    expect(
      addSpaces(['a', 'b', ' ', 'c', 'd'], [...positions.slice(0, 2), 0.4, ...positions.slice(2)], bars(60, letters)),
    ).toBe('ab cd');
    expect(addSpaces([...'ab,d'], positions, bars(60, letters))).toBe('ab,d');
    expect(
      addSpaces(
        [...'2.50'],
        positions,
        bars(60, [
          [2, 10],
          [12, 14],
          [24, 38],
          [41, 49],
        ]),
      ),
    ).toBe('2.50');
    expect(addSpaces([...'ab文d'], positions, bars(60, letters))).toBe('ab文d');
  });
});

describe('the networks’ inputs', () => {
  it('detection: sides are multiples of 32, BGR, normalized', () => {
    const image: Image = { data: new Uint8Array(1500 * 700 * 3), width: 1500, height: 700, channels: 3 };
    for (let i = 0; i < image.data.length; i += 3) image.data.set([255, 0, 51], i);
    const { data, shape } = detectionInput(image);
    expect(shape).toEqual([1, 3, 448, 960]);
    const pixels = 448 * 960;
    expect(data[0]).toBeCloseTo((0.2 - 0.485) / 0.229, 5);
    expect(data[pixels]).toBeCloseTo((0 - 0.456) / 0.224, 5);
    expect(data[2 * pixels]).toBeCloseTo((1 - 0.406) / 0.225, 5);
    const small: Image = { data: new Uint8Array(10), width: 10, height: 1, channels: 1 };
    expect(detectionInput(small).shape).toEqual([1, 3, 32, 32]);
  });

  it('recognition: 48 high, zeros on the right', () => {
    const line: Image = { data: new Uint8Array(100 * 24 * 3).fill(255), width: 100, height: 24, channels: 3 };
    const { data, shape } = recognitionInput([line, { ...line, data: new Uint8Array(7200) }], 320);
    expect(shape).toEqual([2, 3, 48, 320]);
    expect([data[0], data[199], data[200], data[319], data[320]]).toEqual([1, 1, 0, 0, 1]);
    expect([data[3 * 48 * 320], data[3 * 48 * 320 + 200]]).toEqual([-1, 0]);
  });

  it('a fake network sees each box once and the texts come back in order', async () => {
    const image: Image = { data: new Uint8Array(900 * 100).fill(200), width: 900, height: 100, channels: 1 };
    const widths = [100, 700, 120, 90, 500, 110, 130, 95, 99, 105, 115];
    const boxes = widths.map(
      (w): Box => [
        [0, 10],
        [w, 10],
        [w, 34],
        [0, 34],
      ],
    );
    const alphabet = ['', ...widths.map(String)];
    const shapes: string[] = [];
    let done = 0;
    // "Reads" a line by its width: how much of the input is not padding.
    const texts = await recognise(
      image,
      boxes,
      async (data, shape) => {
        shapes.push(shape.join());
        const [n, , , width] = shape;
        const out = new Float32Array(n * alphabet.length);
        for (let i = 0; i < n; i++) {
          const row = data.subarray(i * 3 * 48 * width, i * 3 * 48 * width + width);
          const end = row.indexOf(0);
          out[i * alphabet.length + 1 + widths.indexOf((end < 0 ? width : end) / 2)] = 1;
        }
        return { data: out, shape: [n, 1, alphabet.length] };
      },
      alphabet,
      (count) => {
        done = count;
      },
    );
    expect(texts.map(({ text }) => text)).toEqual(widths.map(String));
    expect(done).toBe(widths.length);
    expect(shapes.sort()).toEqual(['1,3,48,1120', '1,3,48,1440', '1,3,48,320', '8,3,48,320']);
  });

  it('detect and networkOf pass through what the model has', async () => {
    const image: Image = { data: new Uint8Array(64 * 64), width: 64, height: 64, channels: 1 };
    const network = networkOf({
      inputs: [{ name: 'x' }],
      outputs: [{ name: 'y' }],
      run: async ({ x }) => {
        expect(x.shape).toEqual([1, 3, 64, 64]);
        return { y: mapOf(64, 64, [{ x: 30, y: 30, w: 40, h: 10 }]) };
      },
    });
    expect(await detect(image, network)).toHaveLength(1);
  });
});

describe('the files', () => {
  it('the alphabet has blank, characters and space', async () => {
    const alphabet = await readAlphabet();
    expect(alphabet.length).toBe(6625);
    expect([alphabet[0], alphabet.at(-1)]).toEqual(['', ' ']);
    for (const character of '0Az%?') expect(alphabet).toContain(character);
  });

  it('the page is what its source says', async () => {
    const folder = new URL('../examples/ocr/', import.meta.url);
    const image = await decodeImage(new Uint8Array(await readFile(new URL('page.png', folder))));
    expect(image).toMatchObject({ width: 900, height: 1200, channels: 1 });
    const texts = [...(await readFile(new URL('page.svg', folder), 'utf8')).matchAll(/<text[^>]*>([^<]*)</g)];
    const lines = (await readFile(new URL('page.txt', folder), 'utf8')).trim().split('\n');
    expect(lines.flatMap((line) => line.split('  ')).sort()).toEqual(texts.map((match) => match[1]).sort());
  });
});
