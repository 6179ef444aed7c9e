import { crc32 } from '../common/crc32.ts';
import { dtypes } from '../common/dtype.ts';
import type { TensorValue } from '../io/elements.ts';

/** CRC-32 of a text and of tensors: names, element types, shapes and elements, in the order of their names. */
export function checksum(text: string, tensors: ReadonlyMap<string, TensorValue>): string {
  const encoder = new TextEncoder();
  let crc = crc32(encoder.encode(text));
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape, data } = tensors.get(name)!;
    crc = crc32(encoder.encode(`${name}:${dtype}[${shape}]`), crc);
    crc = crc32(new Uint8Array(data.buffer, data.byteOffset, data.length * dtypes[dtype].bytes), crc);
  }
  return crc.toString(16).padStart(8, '0');
}
