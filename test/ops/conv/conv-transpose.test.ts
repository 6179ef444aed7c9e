import { describe, expect, test } from 'vitest';
import * as family from '../../../src/ops/conv/conv-transpose.ts';
import { execute } from '../../../src/ops/core/execute.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { jsBackend } from '../../support/js-backend.ts';
import { inferError, opTests } from '../harness.ts';

const { convTranspose } = family;
opTests('conv-transpose', family);

const attrs = {
  stride: [1, 1],
  padBegin: [0, 0],
  padEnd: [0, 0],
  outputPadding: [0, 0],
  dilation: [1, 1],
  groups: 1,
  activation: null,
};

describe('convTranspose by hand', () => {
  test('patches overlap and add up', () => {
    const x = tensor([1, 2], [1, 1, 2]);
    const weight = tensor([1, 10, 100], [1, 1, 3]);
    const given = {
      stride: [2],
      padBegin: [0],
      padEnd: [0],
      outputPadding: [1],
      dilation: [1],
      groups: 1,
      activation: null,
    };
    const [y] = execute(jsBackend(), convTranspose, [x, weight, tensor([0.5])], given);
    expect([...y.data]).toEqual([1.5, 10.5, 102.5, 20.5, 200.5, 0.5]);
  });

  test('groups keep to their channels', () => {
    const x = tensor([1, 2, 3, 4], [1, 4, 1, 1]);
    const weight = tensor([1, 2, 3, 4], [4, 1, 1, 1]);
    const [y] = execute(jsBackend(), convTranspose, [x, weight, null], { ...attrs, groups: 2 });
    expect(y.shape).toEqual([1, 2, 1, 1]);
    expect([...y.data]).toEqual([1 + 4, 9 + 16]);
  });
});

describe('convTranspose: what does not fit', () => {
  const x = [1, 8, 4, 4];
  const ok = [8, 6, 3, 3];
  test.each([
    [
      'channels',
      [x, [6, 8, 3, 3]],
      {},
      'shape: convTranspose: weight expects 6 input channels, input has 8 (shape [1,8,4,4])',
    ],
    ['groups', [x, ok], { groups: 3 }, 'argument: convTranspose: groups expects a divisor of 8 input channels, got 3'],
    ['stride', [x, ok], { stride: [0, 0] }, 'argument: convTranspose: stride expects 2 whole numbers ≥ 1, got [0,0]'],
    [
      'outputPadding as large as the stride',
      [x, ok],
      { stride: [2, 2], outputPadding: [0, 2] },
      'argument: convTranspose: outputPadding of axis W expects less than stride 2 or dilation 1, got 2',
    ],
    [
      'negative outputPadding',
      [x, ok],
      { outputPadding: [-1, 0] },
      'argument: convTranspose: outputPadding expects 2 whole numbers ≥ 0, got [-1,0]',
    ],
    ['bias', [x, ok, [8]], {}, 'shape: convTranspose: bias expects shape [6], got [8]'],
    [
      'empty output',
      [x, ok],
      { padBegin: [3, 0], padEnd: [3, 0] },
      'shape: convTranspose: output would be empty: axis H of 4 cells gives 0 (stride 1, kernel 3, dilation 1, padding 3 + 3, outputPadding 0)',
    ],
  ] as const)('%s', (_, shapes, given, message) => {
    expect(inferError(convTranspose, shapes, { ...attrs, ...given })).toBe(`ConvletError ${message}`);
  });
});
