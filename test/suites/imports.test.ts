import { describe, expect, it } from 'vitest';
import { findCycles, layerOf, layerProblems, type SourceModule, scanImports } from './imports.ts';

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

type Kind = 'value' | 'type' | 'dynamic';

/** Modules by path, with what each imports. */
const graph = (edges: Record<string, string[]>, kind: Kind = 'value'): Map<string, SourceModule> =>
  new Map(
    Object.entries(edges).map(([path, targets]) => [
      path,
      { path, text: '', imports: targets.map((target) => ({ specifier: target, target, kind, line: 1 })) },
    ]),
  );

describe('findCycles', () => {
  const straight = { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] };
  const circular = { a: ['b'], b: ['c'], c: ['b'], d: ['d'] };

  it.each(['value', 'type'] as const)('finds cycles of %s imports and nothing else', (kind) => {
    expect(findCycles(graph(straight, kind))).toEqual([]);
    expect(findCycles(graph(circular, kind))).toEqual([['b', 'c'], ['d']]);
  });

  it('finds a cycle of one value import and one type import', () => {
    const mixed = new Map([...graph({ a: ['b'] }), ...graph({ b: ['a'] }, 'type')]);
    expect(findCycles(mixed)).toEqual([['a', 'b']]);
  });

  it('does not count what is imported later', () => {
    expect(findCycles(graph(circular, 'dynamic'))).toEqual([]);
  });
});

const layer = (paths: string[], imports: string[] = []) => ({ paths, imports, what: '' });

describe('layerOf', () => {
  const layers = {
    core: layer(['src/ops/core/']),
    check: layer(['src/ops/check.ts']),
    families: layer(['src/ops/*/']),
    ops: layer(['src/ops/']),
  };

  it.each([
    ['src/ops/core/op.ts', 'core'],
    ['src/ops/core/deep/er.ts', 'core'],
    ['src/ops/check.ts', 'check'],
    ['src/ops/pool/pool.ts', 'families'],
    ['src/ops/pool/check.ts', 'families'],
    ['src/ops/index.ts', 'ops'],
    ['src/opsy/index.ts', undefined],
  ])('%s belongs to %s', (path, name) => {
    expect(layerOf(layers, path)).toBe(name);
  });
});

describe('layerProblems', () => {
  const layers = {
    core: layer(['src/ops/core/']),
    families: layer(['src/ops/*/'], ['core']),
    ops: layer(['src/ops/'], ['families', 'core']),
  };
  const files = {
    'src/ops/core/op.ts': [],
    'src/ops/pool/pool.ts': ['src/ops/core/op.ts', 'src/ops/conv/conv.ts'],
    'src/ops/conv/conv.ts': ['src/ops/core/op.ts'],
    'src/ops/index.ts': ['src/ops/pool/pool.ts', 'src/ops/core/op.ts'],
  };
  const problems = (edges: Record<string, string[]>, kind: Kind = 'value', table = layers): string[] => [
    ...layerProblems(table, graph(edges, kind)),
  ];

  it('allows what the table allows', () => {
    expect(problems(files)).toEqual([]);
  });

  it.each(['value', 'type', 'dynamic'] as const)('refuses %s imports upwards', (kind) => {
    const upwards = { ...files, 'src/ops/core/op.ts': ['src/ops/pool/pool.ts'] };
    const message = "src/ops/core/op.ts:1: layer core may import nothing, not 'src/ops/pool/pool.ts' (families)";
    expect(problems(upwards, kind)).toEqual([message]);
    const fromFamily = { ...files, 'src/ops/conv/conv.ts': ['src/ops/core/op.ts', 'src/ops/index.ts'] };
    expect(problems(fromFamily, kind)).toHaveLength(1);
  });

  it('reports files without a layer and imports of files that are missing', () => {
    expect(problems({ ...files, 'src/new/a.ts': [] })[0]).toContain('no row');
    expect(problems({ ...files, 'src/ops/core/op.ts': ['src/ops/core/gone.ts'] })[0]).toContain('does not exist');
  });

  it('reports rows that name missing files, unused arrows and rows below', () => {
    const gone = { ...layers, core: layer(['src/ops/core/', 'src/ops/gone.ts']) };
    expect(problems(files, 'value', gone)).toEqual([
      'scripts/layers.ts: layer core names src/ops/gone.ts, where no file is',
    ]);
    const unused = { ...files, 'src/ops/index.ts': ['src/ops/pool/pool.ts'] };
    expect(problems(unused)).toEqual(['scripts/layers.ts: no file of layer ops imports core']);
    const below = { ...layers, core: layer(['src/ops/core/'], ['ops']) };
    expect(problems(files, 'value', below)).toEqual([
      'scripts/layers.ts: layer core may import only rows above it, not ops',
    ]);
  });
});
