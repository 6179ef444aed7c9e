// Attributes of ops, as text and as JSON.

import { shapeText } from '../common/error.ts';
import { Tensor } from '../tensor/tensor.ts';

/** As JSON values: typed arrays as lists, tensors as type and shape, infinities as text. */
export function plainAttributes(value: unknown): unknown {
  if (value instanceof Tensor) return `${value.dtype} ${shapeText(value.shape)}`;
  if (ArrayBuffer.isView(value)) return plainAttributes(Array.from(value as unknown as ArrayLike<number>));
  if (Array.isArray(value)) return value.map(plainAttributes);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint' || typeof value === 'function') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainAttributes(inner)]));
}

/** `kernel 3x3, stride 2x2, groups 1`, without attributes that are null or empty. */
export function attributesText(attributes: object): string {
  return Object.entries(plainAttributes(attributes) as object)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(', ');
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) {
    const flat = value.map(valueText);
    return flat.length > 12 ? `[${flat.slice(0, 12).join(' ')} … ${flat.length}]` : `[${flat.join(' ')}]`;
  }
  if (typeof value === 'object' && value !== null) return `{${attributesText(value)}}`;
  return String(value);
}
