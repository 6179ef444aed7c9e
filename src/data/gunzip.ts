import { ConvletError } from '../common/error.ts';

const magic = [0x1f, 0x8b];

/** Bytes of a file's content. */
type Size = { readonly exactly: number } | { readonly atMost: number };

const limitOf = (size: Size): number => ('exactly' in size ? size.exactly : size.atMost);
const sizeText = (size: Size): string => `${'exactly' in size ? '' : 'at most '}${limitOf(size)} bytes`;

/**
 * The content of a file that may be compressed with gzip (told by its first bytes).
 *
 * @param name of the file, for errors
 * @param expected bytes of the whole content, from its first `headBytes` bytes, or the most that there may be: no more is
 * ever unpacked. Throws what is wrong with the header
 * @throws ConvletError `malformed` naming the file and the numbers of bytes
 */
export async function unpack(
  bytes: Uint8Array,
  name: string,
  headBytes: number,
  expected: (head: Uint8Array) => Size,
): Promise<Uint8Array> {
  const fits = (content: Uint8Array): Uint8Array => {
    if (content.length < headBytes)
      throw new ConvletError(
        'malformed',
        `${name}: expects a header of ${headBytes} bytes, got ${content.length} bytes`,
      );
    const size = expected(content.subarray(0, headBytes));
    if ('exactly' in size ? content.length === size.exactly : content.length <= size.atMost) return content;
    throw new ConvletError('malformed', `${name}: expects ${sizeText(size)}, got ${content.length}`);
  };
  if (bytes[0] !== magic[0] || bytes[1] !== magic[1]) return fits(bytes);

  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new globalThis.DecompressionStream('gzip'))
    .getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let size: Size | null = null;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        const what = `its gzip data (${bytes.length} bytes) is truncated or damaged after ${length} bytes of content`;
        throw new ConvletError('malformed', `${name}: ${what}`, { cause });
      });
      if (done) break;
      chunks.push(value);
      length += value.length;
      if (size === null && length >= headBytes) size = expected(joined(chunks, headBytes));
      if (size !== null && length > limitOf(size))
        throw new ConvletError('malformed', `${name}: expects ${sizeText(size)} when unpacked, got more`);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
  return fits(joined(chunks, length));
}

/** The first `length` bytes of chunks. */
function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, length - at);
    out.set(part, at);
    at += part.length;
    if (at === length) break;
  }
  return out;
}
