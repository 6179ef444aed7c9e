import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PrimCall } from '../../src/backend/backend.ts';
import { planMemory } from '../../src/compile/memory-plan.ts';
import { Tensor } from '../../src/tensor/tensor.ts';

const floats = (size: number): Tensor => new Tensor('float32', [size], 'row', null);
const call = (prim: string, inputs: (Tensor | null)[], output: Tensor): PrimCall =>
  ({ prim, inputs, outputs: [output], attrs: {} }) as unknown as PrimCall;

interface Program {
  calls: PrimCall[];
  input: Tensor;
  output: Tensor;
}

/**
 * A random program: each call reads one or two earlier tensors, also the same one twice; some are elementwise, some are
 * not, and convolutions may add a residual of the output's size. planned.test.ts runs whole graphs, with views.
 */
const programs: fc.Arbitrary<Program> = fc
  .array(
    fc.record({
      prim: fc.constantFrom('conv', 'residual', 'unary', 'binary', 'copy'),
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
      const output = floats(elementwise ? first.size : prim === 'residual' ? second.size : size);
      tensors.push(output);
      return prim === 'residual' ? call('conv', [first, null, null, second], output) : call(prim, inputs, output);
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
    for (const t of c.inputs) if (t !== null) expect(holds(t), `input of call ${i}`).toBe(true);
    tags.set(c.outputs[0], i + 1);
    arena.fill(i + 1, ...range(c.outputs[0]));
    // A call that is not elementwise must still see its first input while it writes: that may not overlap its output.
    if (c.prim === 'conv' || c.prim === 'copy') expect(holds(c.inputs[0]!), `call ${i} overwrote its input`).toBe(true);
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

  test('a convolution writes over its residual, but not where that is its input too', () => {
    const [a, b, c] = [floats(64), floats(64), floats(64)];
    const apart = planMemory([call('unary', [a], b), call('conv', [a, null, null, b], c)], new Map(), [a], [c]);
    expect(apart.offsets.get(c)).toBe(apart.offsets.get(b));
    const twice = planMemory([call('unary', [a], b), call('conv', [b, null, null, b], c)], new Map(), [a], [c]);
    expect(twice.offsets.get(c)).not.toBe(twice.offsets.get(b));
  });

  test('the offset of a view counts elements of its type', () => {
    const [base, part] = [8, 4].map((size) => new Tensor('float64', [size], 'row', null));
    const views = new Map([[part, { base, offset: 4 }]]);
    const { offsets } = planMemory([call('unary', [part], floats(4))], new Map(), [base], [], views);
    expect(offsets.get(part)! - offsets.get(base)!).toBe(32);
  });

  test('views that it cannot place are refused', () => {
    const [whole, part, inner] = [floats(8), floats(4), floats(2)];
    const plan = (views: [Tensor, Tensor, number][], aliases: [Tensor, Tensor][] = []) =>
      planMemory([], new Map(aliases), [], [], new Map(views.map(([view, base, offset]) => [view, { base, offset }])));
    expect(() =>
      plan([
        [part, whole, 0],
        [inner, part, 0],
      ]),
    ).toThrow('a view itself');
    expect(() => plan([[part, whole, 0]], [[inner, part]])).toThrow('an alias of a view');
    expect(() => plan([[part, whole, 0]], [[part, inner]])).toThrow('an alias of another tensor');
    expect(() => plan([[part, whole, 5]])).toThrow('does not lie in it');
    expect(() => plan([[new Tensor('int32', [4], 'row', null), whole, 0]])).toThrow('is int32, its base float32');
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
