import type { TensorValue } from '../io/elements.ts';
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from '../io/safetensors.ts';
import type { StateDict } from '../nn/module.ts';

/** A state dict as the bytes of a safetensors file, which PyTorch's safetensors reads too. */
export function saveStateDict(state: StateDict): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(state).map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, data }] as const,
  );
  return writeSafetensors(tensors, [['format', 'pt']]);
}

/**
 * The state dict in a safetensors file, for `model.loadStateDict`. Of a checkpoint of `saveCheckpoint` the optimizer's tensors
 * (`optimizer/…`) are left out; other names may have slashes.
 *
 * @throws ConvletError `malformed`, `unsupported`
 */
export function loadStateDict(bytes: Uint8Array): Map<string, TensorValue> {
  const tensors = readSafetensors(bytes);
  if (!readSafetensorsMetadata(bytes).has('convlet')) return tensors;
  return new Map([...tensors].filter(([name]) => !name.startsWith('optimizer/')));
}
