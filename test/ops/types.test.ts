// Names and attributes of ops are checked where they are applied. What must not compile is marked, so that tsc fails if it does.
import { expect, test } from 'vitest';
import { apply } from '../../src/autograd/index.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { newValue } from '../../src/graph/graph.ts';
import { opCases } from '../../src/ops/cases.ts';
import { trainingOps } from '../../src/ops/training.ts';

test('wrong names and attributes do not compile', () => {
  const builder = new GraphBuilder();
  const x = newValue('x', 'float32', [2, 3]);
  const never = (): void => {
    // @ts-expect-error no op has this name
    builder.add('convolution', [x], {}, 'node');
    // @ts-expect-error an attribute is missing
    builder.add('softmax', [x], {}, 'node');
    // @ts-expect-error an attribute of another op
    builder.add('relu', [x], { axis: 1 }, 'node');
    // @ts-expect-error a value that the attribute cannot have
    builder.add('pad', [x], { begin: [0, 0], end: [0, 0], mode: 'zero', value: 0 }, 'node');
    // @ts-expect-error attributes that cannot be left out
    apply('transpose', [null]);
    apply('relu', [null]);
  };
  expect(never).toBeTypeOf('function');
  expect(builder.add('softmax', [x], { axis: 1 }, 'node')[0].shape).toEqual([2, 3]);
});

test('every op that has attributes and cases is listed in src/ops/index.ts or src/ops/training.ts', () => {
  expect(Object.keys(opCases).filter((name) => !trainingOps.has(name))).toEqual([]);
});
