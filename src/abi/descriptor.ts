/** How a descriptor field is stored; every kind takes four bytes. `ptr` is a byte address in linear memory. */
export type FieldKind = 'ptr' | 'i32' | 'u32' | 'f32';

/** The layout of an AssemblyScript `*Desc` class: field i is at byte 4·i. `T` is the type of the values it takes. */
export interface DescriptorLayout<T extends object = object> {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly fields: readonly (readonly [name: keyof T & string, kind: FieldKind])[];
}

/** The two views of one linear memory that a descriptor is written through. */
export interface DescriptorMemory {
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
}

const integerRange: Record<Exclude<FieldKind, 'f32'>, readonly [min: number, max: number]> = {
  ptr: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
  u32: [0, 0xffffffff],
};

/**
 * Writes `values` at byte address `pointer` (a multiple of 4). Values have been validated by the op that calls this, so what
 * this refuses (a missing or unknown field, an integer field that is no integer of its range) is a bug of convlet and throws
 * a plain Error. An f32 field takes every number, infinities and NaN included: they are legal attribute values.
 */
export function writeDescriptor<T extends object>(
  memory: DescriptorMemory,
  pointer: number,
  layout: DescriptorLayout<T>,
  values: T,
): void {
  const { u32, f32 } = memory;
  const { fields } = layout;
  const base = pointer >>> 2;
  if (pointer % 4 !== 0 || !(pointer >= 0) || base + fields.length > u32.length) {
    throw new Error(`${layout.name}: ${pointer} is not the address of ${layout.size} bytes in memory`);
  }
  for (let i = 0; i < fields.length; i++) {
    // By index, and unknown keys by their number alone: hundreds of descriptors make a model, and destructuring pairs and a
    // closure per key took half of what its first run allocated.
    const name = fields[i][0];
    const kind = fields[i][1];
    const value: unknown = values[name];
    if (typeof value !== 'number') {
      throw new Error(
        `${layout.name}.${name}: expected a number (${kind}), got ${value === null ? 'null' : typeof value}`,
      );
    }
    if (kind === 'f32') {
      f32[base + i] = value;
    } else {
      const range = integerRange[kind];
      const min = range[0];
      const max = range[1];
      if (!Number.isInteger(value) || value < min || value > max) {
        throw new Error(`${layout.name}.${name}: expected an integer from ${min} to ${max} (${kind}), got ${value}`);
      }
      u32[base + i] = value;
    }
  }
  // All fields are there, so more keys than fields means an unknown one.
  let keys = 0;
  for (const _ in values) keys++;
  if (keys === fields.length) return;
  for (const key in values) {
    if (!fields.some(([name]) => name === key)) throw new Error(`${layout.name}: no field is named ${key}`);
  }
}
