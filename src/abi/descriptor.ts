/** How a descriptor field is stored; every kind takes four bytes. `ptr` is a byte address in linear memory. */
export type FieldKind = 'ptr' | 'i32' | 'u32' | 'f32';

/** The layout of an AssemblyScript `*Desc` class: field i is at byte 4·i. `T` is the type of its values. */
export interface DescriptorLayout<T extends object = object> {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * The names of the fields in order; a kind stands before the fields of that kind: `ptr x y i32 batch`. It is one string, since lists
   * of pairs are three times as long and every user of the package loads forty of them.
   */
  readonly fields: string;
  /** Only for the compiler: the names of the fields are those of T. */
  readonly values?: T;
}

type Field = readonly [name: string, kind: FieldKind];

/** Fields of the layouts, parsed once each. */
const fieldsRead = new WeakMap<DescriptorLayout, readonly Field[]>();

/** The fields in their order in memory. */
export function fieldsOf(layout: DescriptorLayout): readonly Field[] {
  let fields = fieldsRead.get(layout);
  if (fields === undefined) {
    let kind: FieldKind = 'ptr';
    const found: Field[] = [];
    for (const word of layout.fields.split(' ')) {
      if (Object.hasOwn(kinds, word)) kind = word as FieldKind;
      else found.push([word, kind]);
    }
    fields = found;
    fieldsRead.set(layout, fields);
  }
  return fields;
}

/** The two views of one linear memory through which descriptors are written. */
export interface DescriptorMemory {
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
}

/** The kinds, with the range of those that are whole numbers. No field has such a name (assembly/tools/generate.ts). */
const kinds: Record<FieldKind, readonly [min: number, max: number] | null> = {
  ptr: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
  u32: [0, 0xffffffff],
  f32: null,
};

/**
 * Writes `values` at byte address `pointer` (a multiple of 4). The op has validated the values, so a missing or unknown field, or an
 * integer field whose value is not an integer of its range, is a bug of convlet and throws a plain Error. An f32 field takes every
 * number, infinities and NaN included: they are legal attribute values.
 */
export function writeDescriptor<T extends object>(
  memory: DescriptorMemory,
  pointer: number,
  layout: DescriptorLayout<T>,
  values: T,
): void {
  const { u32, f32 } = memory;
  const fields = fieldsOf(layout);
  const base = pointer >>> 2;
  if (pointer % 4 !== 0 || !(pointer >= 0) || base + fields.length > u32.length) {
    throw new Error(`${layout.name}: ${pointer} is not the address of ${layout.size} bytes in memory`);
  }
  for (let i = 0; i < fields.length; i++) {
    // Fields are read by index, and unknown keys are found by their number: a model has hundreds of descriptors, and destructuring
    // pairs and a closure per key were half of the allocations of its first run.
    const name = fields[i][0];
    const kind = fields[i][1];
    const value: unknown = values[name as keyof T];
    if (typeof value !== 'number') {
      throw new Error(
        `${layout.name}.${name}: expected a number (${kind}), got ${value === null ? 'null' : typeof value}`,
      );
    }
    const range = kinds[kind];
    if (range === null) {
      f32[base + i] = value;
    } else {
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
