import { ConvletError } from '../common/error.ts';

export async function fetchBytes(source: string | URL): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(source);
  } catch (cause) {
    throw new ConvletError('environment', `load: cannot fetch '${String(source)}'`, { cause });
  }
  if (!response.ok) throw new ConvletError('environment', `load: '${String(source)}' answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
