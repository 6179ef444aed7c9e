import { ConvletError } from '../common/error.ts';
import { readResponse, type Transfer, throwIfAborted } from '../common/source.ts';

/** What a URL answers. Throws `environment` where nothing can be had of it, `aborted`, and `memory` for more than the limit. */
export async function fetchBytes(source: string | URL, transfer: Transfer = {}): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(source, { signal: transfer.signal as AbortSignal | undefined });
  } catch (cause) {
    throwIfAborted('load', transfer.signal);
    throw new ConvletError('environment', `load: cannot fetch '${String(source)}'`, { cause });
  }
  return readResponse(response, transfer);
}
