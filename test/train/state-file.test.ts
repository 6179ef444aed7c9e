import { expect, test } from 'vitest';
import { writeSafetensors } from '../../src/io/safetensors.ts';
import { constant } from '../../src/tensor/tensor.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { loadStateDict, saveStateDict } from '../../src/train/state-file.ts';

const tensor = constant(Float32Array.of(1, 2), [2]);

test('names with a slash survive, in files of others too', () => {
  const state = { 'heads.a/b.weight': tensor, 'optimizer/x': tensor, plain: tensor };
  expect([...loadStateDict(saveStateDict(state)).keys()].sort()).toEqual(Object.keys(state).sort());
  expect([...loadStateDict(writeSafetensors([['a/b', tensor]])).keys()]).toEqual(['a/b']);
});

test("of a checkpoint the optimizer's tensors are left out, and no other", () => {
  const optimizer = { state: { 0: { step: 1, momentumBuffer: Float32Array.of(3, 4) } }, paramGroups: [] };
  const bytes = encodeCheckpoint({ model: new Map([['heads.a/b', tensor]]), optimizer, metadata: {} } as never);
  expect([...loadStateDict(bytes).keys()]).toEqual(['heads.a/b']);
});
