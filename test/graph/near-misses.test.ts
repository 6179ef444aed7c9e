import { describe, expect, test } from 'vitest';
import { GraphEditor } from '../../src/graph/passes/editor.ts';
import { fuseActivation } from '../../src/graph/passes/fuse.ts';
import { comparePasses, draw, opsOf } from './compare.ts';
import { activationPatterns, type Drawing, type Recogniser } from './near-misses.ts';
import { norms } from './near-misses-norms.ts';
import { activation, structures } from './near-misses-structures.ts';

const recognisers: { readonly [name: string]: Recogniser } = {
  ...activationPatterns,
  ...norms,
  ...structures,
  activation,
};

/** Where a recogniser leaves a graph alone, functions may still become activations of what stands in front of them. */
function untouched(drawing: Drawing, of: Recogniser): string[] {
  const graph = draw(drawing);
  const editor = new GraphEditor(graph);
  if (of !== activation) fuseActivation(editor);
  editor.compact();
  return opsOf(graph);
}

describe.each(Object.entries(recognisers))('%s', (_, recogniser) => {
  test.each(Object.entries(recogniser.takes))('takes %s', (_, [drawing, left]) => {
    expect(opsOf(comparePasses(() => draw(drawing)))).toEqual(left);
  });

  test.each(Object.entries(recogniser.misses))('leaves %s', (_, miss) => {
    const [drawing, left] = typeof miss === 'function' ? [miss, null] : miss;
    expect(opsOf(comparePasses(() => draw(drawing)))).toEqual(left ?? untouched(drawing, recogniser));
  });
});
