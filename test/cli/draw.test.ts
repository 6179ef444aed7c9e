// `convlet inspect --svg` and `--html`: where boxes and lines are, and that what is written is well-formed.
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Edge, placeBoxes } from '../../src/cli/layout.ts';
import { model, valueInfo } from '../io/onnx-builder.ts';
import { convlet, file, mobilenet, prepare, relu } from './program.ts';

prepare();

describe('layout', () => {
  const graphs = fc
    .array(fc.record({ width: fc.integer({ min: 20, max: 200 }), height: fc.integer({ min: 20, max: 60 }) }), {
      minLength: 1,
      maxLength: 30,
    })
    .chain((boxes) =>
      fc.array(fc.tuple(fc.nat(boxes.length - 1), fc.nat(boxes.length - 1)), { maxLength: 60 }).map((pairs) => {
        const edges = new Map<string, Edge>();
        for (const [a, b] of pairs) if (a < b) edges.set(`${a} ${b}`, { from: a, to: b });
        return { boxes, edges: [...edges.values()] };
      }),
    );

  test('boxes do not overlap and are inside, lines go down from box to box and pass no other box', () => {
    fc.assert(
      fc.property(graphs, ({ boxes, edges }) => {
        const { centers, lines, width, height } = placeBoxes(boxes, edges);
        const sides = boxes.map((box, i) => ({
          left: centers[i].x - box.width / 2,
          right: centers[i].x + box.width / 2,
          top: centers[i].y - box.height / 2,
          bottom: centers[i].y + box.height / 2,
        }));
        sides.forEach((a, i) => {
          expect(a.left).toBeGreaterThanOrEqual(0);
          expect(a.right).toBeLessThanOrEqual(width);
          expect(a.top).toBeGreaterThanOrEqual(0);
          expect(a.bottom).toBeLessThanOrEqual(height);
          for (const b of sides.slice(i + 1))
            expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true);
        });
        lines.forEach((line, n) => {
          const { from, to } = edges[n];
          expect(line[0]).toEqual({ x: centers[from].x, y: sides[from].bottom });
          expect(line[line.length - 1]).toEqual({ x: centers[to].x, y: sides[to].top });
          line.slice(1).forEach((point, i) => expect(point.y).toBeGreaterThan(line[i].y));
          for (const point of line.slice(1, -1))
            for (const box of sides) {
              const inside = point.x > box.left && point.x < box.right && point.y > box.top && point.y < box.bottom;
              expect(inside).toBe(false);
            }
        });
      }),
      { numRuns: 200, seed: 11 },
    );
  });

  test('a chain is a straight line, and a branch goes round what it skips', () => {
    const boxes = Array.from({ length: 4 }, () => ({ width: 100, height: 40 }));
    const chain = [0, 1, 2].map((from) => ({ from, to: from + 1 }));
    const straight = placeBoxes(boxes, chain).centers.map(({ x }) => x);
    expect(new Set(straight).size).toBe(1);
    const { centers, lines } = placeBoxes(boxes, [...chain, { from: 0, to: 3 }]);
    const [, beside] = lines[3];
    expect(Math.abs(beside.x - centers[1].x)).toBeGreaterThan(50);
    expect(centers[0].x).toBeCloseTo(centers[3].x);
  });
});

/** Every element that is opened is closed, and no text has a character that belongs to the language. */
function checkXml(text: string): void {
  const open: string[] = [];
  for (const [tag, slash, name, rest] of text.matchAll(/<(\/?)([a-zA-Z]+)((?:[^<>"]|"[^"<]*")*)>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (!rest.endsWith('/')) open.push(name);
    expect(tag).not.toMatch(/NaN|undefined|Infinity/);
  }
  expect(open).toEqual([]);
  const bare = text.replace(/<\/?[a-zA-Z]+(?:[^<>"]|"[^"<]*")*>/g, '');
  expect(bare).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot);)/);
}

describe('pictures', () => {
  test('--svg: a box for each input, layer and output, with what it is', async () => {
    const { code, stdout } = await convlet('inspect', mobilenet, '--json', '--svg', file('tiny.svg'));
    expect(code).toBe(0);
    const svg = readFileSync(file('tiny.svg'), 'utf8');
    checkXml(svg);
    const { layers } = JSON.parse(stdout) as { layers: { name: string; op: string }[] };
    expect(svg.match(/<g class="node">/g)?.length).toBe(layers.length + 2);
    for (const { name, op } of layers) expect(svg).toContain(`<title>${name}\n${op}\n`);
    // One line into each layer and output, and one more for each of the four residual sums.
    expect(svg.match(/<path /g)?.length).toBe(layers.length + 1 + 4);
    expect(svg).toContain('ms (estimated)');
    expect(svg).not.toContain('rgb(');
  });

  test('--profile: measured times in the table and as colours', async () => {
    const { code, stdout } = await convlet('inspect', mobilenet, '--profile', '--svg', file('timed.svg'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^layer +op +output +parameters +MACs +ms +runs$/m);
    const [, time] = /^time +([\d.]+) ms +\(sum of the layers, each by itself\)$/m.exec(stdout)!;
    expect(Number(time)).toBeGreaterThan(0.02);
    const svg = readFileSync(file('timed.svg'), 'utf8');
    checkXml(svg);
    expect(svg).toContain('rgb(240,96,72)');
    expect(svg.match(/rgb\(/g)!.length).toBeGreaterThan(20);
    expect(svg).not.toContain('estimated');
  });

  test('names of the file are text, whatever is in them', async () => {
    const path = file('hostile.onnx');
    const name = '</title><script>alert("x")</script>&\u0001';
    const ends = { inputs: [valueInfo('x', 'float32', [1, 2])], outputs: [valueInfo('<y>&', 'float32', [1, 2])] };
    writeFileSync(path, model({ nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['<y>&'], name }], ...ends }));
    const { code } = await convlet('inspect', path, '--svg', file('hostile.svg'), '--html', file('hostile.html'));
    expect(code).toBe(0);
    const svg = readFileSync(file('hostile.svg'), 'utf8');
    checkXml(svg);
    expect(svg).toContain('&lt;/title&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp; ');
    const page = readFileSync(file('hostile.html'), 'utf8');
    expect(page).toContain(svg);
    expect(page.match(/<script>/g)?.length).toBe(1);
    expect(page).toContain('<title>hostile.onnx</title>');
    // What a page needs is in it.
    expect(page.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=/);
  });

  test('a folder that is not there', async () => {
    const args = ['--shape', 'x=1x2x4x4', '--svg', file('none/a.svg')];
    const { code, stderr } = await convlet('inspect', relu(), ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^convlet: ENOENT/);
  });
});
