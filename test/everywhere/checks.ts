// What a bundle must be, and what its run must find.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { filesOf } from '../runtime/package.ts';
import type { Row, Target } from './rows.ts';
import type { Runtime } from './runs.ts';

export interface Report {
  readonly images: { readonly sharp: string; readonly found: object };
  readonly inference: Record<string, unknown>;
  readonly training: Record<string, unknown>;
  readonly node?: object;
}

/** Most bytes of all files: the four builds of the kernels, as text in pages, as they are in Workers, and our code, minified or not. */
const limits: { readonly [T in Target]?: number } = { browser: 1.0e6, workerd: 1.6e6 };

/** Where Next puts what it sends to pages, and what it runs on the edge. */
const partsOfNext = ['.next/static', '.next/server/edge', '.next/server/pages/api'];

/** A bundle for anything but Node has neither sharp nor the code that looks for it. */
export function checkFiles(row: Row, output: string): void {
  const parts = row.target === 'next' ? partsOfNext.map((part) => join(output, part)).filter(existsSync) : [output];
  const files = parts
    .flatMap((part) => filesOf(part).map((path) => join(part, path)))
    .filter((path) => !path.endsWith('.map'));
  const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  console.log(`${row.tool}, ${row.target}, ${row.name}: ${files.length} files, ${bytes} bytes`);
  const scripts = files.filter((path) => /\.[mc]?js$/.test(path));
  expect(scripts).not.toEqual([]);
  if (row.target === 'node') return;
  expect(bytes).toBeLessThan(limits[row.target] ?? Number.POSITIVE_INFINITY);
  const names = files.map((path) => path.slice(output.length));
  expect(names.filter((path) => /sharp|libvips|\.node$/.test(path))).toEqual([]);
  expect(scripts.filter((path) => /libvips|prahs|limitInputPixels/.test(readFileSync(path, 'utf8')))).toEqual([]);
}

/** The numbers of `expected`, which has every build of the kernels, bit for bit; with the relaxed build or without. */
export function checkReport(runtime: Runtime, report: Report, expected: Report, relaxed: boolean): void {
  const builds = ['simd', ...(relaxed ? ['relaxed'] : []), 'js'];
  const fitting = (of: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(of).filter(([name]) => builds.includes(name)));
  const { default: variant, ...inference } = report.inference;
  expect(report.images).toEqual(expected.images);
  expect(Object.keys(report.training).sort()).toEqual([...builds].sort());
  expect(report.training).toEqual(fitting(expected.training));
  expect(inference).toEqual(fitting(expected.inference));
  expect(variant).toBe(relaxed && runtime !== 'edge' ? 'relaxed' : 'simd');
}
