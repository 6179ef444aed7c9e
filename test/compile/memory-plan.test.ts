import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PrimCall } from '../../src/backend/backend.ts';
import { planMemory } from '../../src/compile/memory-plan.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

const floats = (size: number): Tensor => new Tensor('float32', [size], 'row', null);
const call = (prim: string, inputs: Tensor[], output: Tensor): PrimCall =>
  ({ prim, inputs, outputs: [output], attrs: {} }) as unknown as PrimCall;

interface Program {
  calls: PrimCall[];
  input: Tensor;
  output: Tensor;
}

/** A random program: each call reads one or two earlier tensors; some are elementwise, some are not. */
const programs: fc.Arbitrary<Program> = fc
  .array(
    fc.record({
      prim: fc.constantFrom('conv', 'unary', 'binary', 'copy'),
      size: fc.integer({ min: 1, max: 4000 }),
      a: fc.nat(),
      b: fc.nat(),
    }),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((rows) => {
    const tensors = [floats(1000)];
    const calls = rows.map(({ prim, size, a, b }) => {
      const first = tensors[a % tensors.length];
      const second = tensors[b % tensors.length];
      const elementwise = prim === 'unary' || prim === 'binary';
      const inputs = prim === 'binary' && second.size === first.size ? [first, second] : [first];
      const output = floats(elementwise ? first.size : size);
      tensors.push(output);
      return call(prim, inputs, output);
    });
    return { calls, input: tensors[0], output: tensors[tensors.length - 1] };
  });

/**
 * Carries out a program on the planned arena with tags instead of numbers: a call checks that each input's bytes still
 * hold that input, then marks its output's bytes. Overlap of live tensors shows as a wrong tag.
 */
function simulate({ calls, input, output }: Program): void {
  const plan = planMemory(calls, new Map(), [input], [output]);
  const arena = new Int32Array(plan.arenaBytes / 4).fill(-1);
  const tags = new Map<Tensor, number>([[input, 0]]);
  const range = (t: Tensor): [number, number] => [plan.offsets.get(t)! / 4, plan.offsets.get(t)! / 4 + t.size];
  const holds = (t: Tensor): boolean => arena.subarray(...range(t)).every((tag) => tag === tags.get(t));
  arena.fill(0, ...range(input));
  calls.forEach((c, i) => {
    for (const t of c.inputs) expect(holds(t!), `input of call ${i}`).toBe(true);
    tags.set(c.outputs[0], i + 1);
    arena.fill(i + 1, ...range(c.outputs[0]));
    // A call that is not elementwise must still see its inputs while it writes: they may not overlap its output.
    if (c.prim === 'conv' || c.prim === 'copy')
      for (const t of c.inputs) expect(holds(t!), `call ${i} overwrote its input`).toBe(true);
  });
  expect(holds(output)).toBe(true);
  expect(plan.arenaBytes).toBeGreaterThanOrEqual(plan.liveBytes > 0 ? 64 : 0);
}

describe('planMemory', () => {
  test('live tensors never share bytes', () => {
    fc.assert(fc.property(programs, simulate), { numRuns: 300 });
  });

  test('a chain of elementwise calls runs in one buffer', () => {
    const [a, b, c] = [floats(1024), floats(1024), floats(1024)];
    const plan = planMemory([call('unary', [a], b), call('unary', [b], c)], new Map(), [a], [c]);
    expect(plan.arenaBytes).toBe(4096);
  });

  test('a value that is needed later is not overwritten', () => {
    const [a, b, c] = [floats(1024), floats(1024), floats(1024)];
    const plan = planMemory([call('unary', [a], b), call('binary', [b, a], c)], new Map(), [a], [c]);
    expect(plan.offsets.get(a)).not.toBe(plan.offsets.get(b));
    expect(plan.arenaBytes).toBe(8192);
  });

  test('a chain of convolutions takes two buffers, and no more than is live at once', () => {
    const tensors = Array.from({ length: 9 }, () => floats(1024));
    const calls = tensors.slice(1).map((t, i) => call('conv', [tensors[i]], t));
    const plan = planMemory(calls, new Map(), [tensors[0]], [tensors[8]]);
    expect(plan.arenaBytes).toBe(8192);
    expect(plan.liveBytes).toBe(8192);
  });

  test('a view keeps its base alive', () => {
    const [a, b, c, d] = [floats(64), floats(64), floats(64), floats(64)];
    const view = new Tensor('float32', [8, 8], 'row', null);
    const calls = [call('conv', [a], b), call('conv', [a], c), call('conv', [view, c], d)];
    const plan = planMemory(calls, new Map([[view, b]]), [a], [d]);
    expect(plan.offsets.get(view)).toBe(plan.offsets.get(b));
    expect(plan.offsets.get(c)).not.toBe(plan.offsets.get(b));
  });
});
