import { describe, expect, it } from 'vitest';
import { findCycles, type SourceModule, scanImports } from './imports.ts';

describe('scanImports', () => {
  it('tells value, type and dynamic imports apart and resolves relative ones', () => {
    const text = [
      "import a, { type B } from './a.ts';",
      "import type { C } from '../c.ts';",
      'import {',
      '  d,',
      '  e,',
      "} from 'node:fs';",
      "export * from './f.ts';",
      "export type { G } from './g.ts';",
      "import './h.ts';",
      'const note = "import x from \'./no.ts\'";',
      "type T = import('./t.ts').Tensor;",
      "const later = await import('./later.ts');",
      "// import('./comment.ts')",
      'const computed = await import(name);',
      'rule.import(context);',
      'interface Rule { import(context: Context): void }',
      'export const plain = 1;',
    ].join('\n');
    const brief = scanImports('src/x/y.ts', text).map((i) => [i.kind, i.specifier, i.target ?? '-', i.line]);
    expect(brief).toEqual([
      ['value', './a.ts', 'src/x/a.ts', 1],
      ['type', '../c.ts', 'src/c.ts', 2],
      ['value', 'node:fs', '-', 3],
      ['value', './f.ts', 'src/x/f.ts', 7],
      ['type', './g.ts', 'src/x/g.ts', 8],
      ['value', './h.ts', 'src/x/h.ts', 9],
      ['type', './t.ts', 'src/x/t.ts', 11],
      ['dynamic', './later.ts', 'src/x/later.ts', 12],
      ['dynamic', 'name', '-', 14],
    ]);
  });
});

describe('findCycles', () => {
  const graph = (edges: Record<string, string[]>, kind: 'value' | 'type' = 'value'): Map<string, SourceModule> =>
    new Map(
      Object.entries(edges).map(([path, targets]) => [
        path,
        { path, text: '', imports: targets.map((target) => ({ specifier: target, target, kind, line: 1 })) },
      ]),
    );

  it('finds cycles and nothing else', () => {
    expect(findCycles(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toEqual([]);
    expect(findCycles(graph({ a: ['b'], b: ['c'], c: ['b'], d: ['d'] }))).toEqual([['b', 'c'], ['d']]);
  });

  it('does not count imports of types', () => {
    expect(findCycles(graph({ a: ['b'], b: ['a'] }, 'type'))).toEqual([]);
  });
});
