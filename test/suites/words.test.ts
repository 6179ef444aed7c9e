import { expect, test } from 'vitest';
import { wordProblems } from './words.ts';

const found = (text: string) =>
  wordProblems(text).map(({ line, message }) => `${line} ${/'(.*?)'/.exec(message)?.[1]}`);

test('words in comments are found, with their lines', () => {
  expect(found('/** Frees it. */\nconst a = 1;\n// It is Given back here.\n')).toEqual(['3 Given back']);
  expect(found('/**\n * What a plan hands\n * out at the end.\n */')).toEqual(['1 hands out']);
  expect(found('call(); /* loose */ other(); // whoever\n')).toEqual(['1 loose', '1 whoever']);
});

test('code, strings and parts of words are not', () => {
  expect(found("const loose = 'hands out // loose'; // loosen\n")).toEqual([]);
  expect(found('const text = `/* somebody */`;\nlet handsOut = "it\\"s // attic";\n')).toEqual([]);
  expect(found('// Returns the tensors.\nconst url = "https://attic"; // wakes\n')).toEqual([]);
});
