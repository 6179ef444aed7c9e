import { expect, test } from 'vitest';
import { mutantsOf, mutated } from './mutants.ts';

const source = `
import { a } from './a.ts';
type Length = 3 | 4;
export function f(x: number, y?: number[]): number | null {
  if (x < 3 && y) return null;
  note(\`\${x + 1}\`);
  const z = (y ?? []).filter((v) => v > 0) as number[];
  if (z.length === 0) throw new Error('none of ' + x + 1);
  return -Math.min(...z) + x;
}
`;

const texts = mutantsOf('f.ts', source).map(({ line, was, now }) => `${line}: ${was} → ${now}`);

test('each fault is one replaced piece of code', () => {
  expect(texts).toEqual([
    '5: x < 3 && y → !(x < 3 && y)',
    '5: if (x < 3 && y) return null; → {}',
    '5: x < 3 && y → (x < 3)',
    '5: x < 3 && y → y',
    '5: && → ||',
    '5: < → <=',
    '5: < → >=',
    '5: 3 → 4',
    '5: 3 → 2',
    '6: note(`$'.concat('{x + 1}`); → ;'),
    '7: (y ?? []).filter((v) => v > 0) → (y ?? [])',
    '7: y ?? [] → y',
    '7: y ?? [] → []',
    '7: > → >=',
    '7: > → <=',
    '7: 0 → 1',
    '8: z.length === 0 → !(z.length === 0)',
    "8: if (z.length === 0) throw new Error('none of ' + x + 1); → {}",
    '8: === → !==',
    '8: 0 → 1',
    '9: + → -',
    '9: -Math.min(...z) → Math.min(...z)',
    '9: min → max',
  ]);
});

test('a mutant differs from the source in that piece alone', () => {
  const mutants = mutantsOf('f.ts', source);
  const boundary = mutants.find(({ was }) => was === '<')!;
  expect(mutated(source, boundary)).toBe(source.replace('x < 3', 'x <= 3'));
  expect(new Set(mutants.map((mutant) => mutated(source, mutant))).size).toBe(mutants.length);
  expect(mutants.every((mutant) => mutated(source, mutant) !== source)).toBe(true);
});
