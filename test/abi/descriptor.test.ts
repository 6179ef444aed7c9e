import { describe, expect, it } from 'vitest';
import { type DescriptorLayout, writeDescriptor } from '../../src/abi/descriptor.ts';

interface Values {
  x: number;
  count: number;
  step: number;
  alpha: number;
}

const layout: DescriptorLayout<Values> = {
  name: 'TestDesc',
  size: 16,
  fields: 'ptr x u32 count i32 step f32 alpha',
};

function memoryOf(words: number) {
  const buffer = new ArrayBuffer(words * 4);
  return { u32: new Uint32Array(buffer), f32: new Float32Array(buffer), view: new DataView(buffer) };
}

const good: Values = { x: 0x80000040, count: 7, step: -3, alpha: 0.5 };

describe('writeDescriptor', () => {
  it('writes each field in its own representation', () => {
    const memory = memoryOf(6);
    writeDescriptor(memory, 8, layout, good);
    const { view } = memory;
    expect(view.getUint32(8, true)).toBe(0x80000040);
    expect(view.getUint32(12, true)).toBe(7);
    expect(view.getInt32(16, true)).toBe(-3);
    expect(view.getFloat32(20, true)).toBe(0.5);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([0, 0]);
  });

  it('keeps infinities and NaN of f32 fields', () => {
    for (const alpha of [Infinity, -Infinity, NaN]) {
      const memory = memoryOf(4);
      writeDescriptor(memory, 0, layout, { ...good, alpha });
      expect(memory.f32[3]).toBe(alpha);
    }
  });

  it.each([
    ['a missing field', { x: 0, count: 1, step: 1 }, /TestDesc\.alpha: expected a number/],
    ['an unknown field', { ...good, beta: 1 }, /no field is named beta/],
    ['a fraction', { ...good, count: 1.5 }, /TestDesc\.count: expected an integer/],
    ['NaN as integer', { ...good, step: NaN }, /TestDesc\.step/],
    ['an infinite integer', { ...good, step: Infinity }, /TestDesc\.step/],
    ['a negative count', { ...good, count: -1 }, /TestDesc\.count/],
    ['a step beyond 32 bits', { ...good, step: 2 ** 31 }, /TestDesc\.step/],
    ['a negative pointer', { ...good, x: -4 }, /TestDesc\.x/],
    ['a boolean', { ...good, count: true }, /TestDesc\.count: expected a number/],
  ])('refuses %s', (_, values, message) => {
    expect(() => writeDescriptor(memoryOf(4), 0, layout, values as Values)).toThrow(message);
  });

  it.each([2, -4, 4, NaN, 0x7ffffff0])('refuses to write 16 bytes at %s of 16', (pointer) => {
    expect(() => writeDescriptor(memoryOf(4), pointer, layout, good)).toThrow(/not the address/);
  });
});
