// The example's Worker, and beside it at GET /probe what this runtime forbids, and at GET /images what it must allow.
import { decodeImage, encodeJpeg, encodePng, type Image } from 'convlet/images';
import worker from '../../../examples/workerd/worker.ts';

/** The smallest module: magic and version. */
const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

const attempts: Record<string, () => unknown> = {
  compile: () => WebAssembly.compile(empty),
  module: () => new WebAssembly.Module(empty),
  instantiate: () => WebAssembly.instantiate(empty),
};

/** Grey levels that come back from both encoders and decoders. */
async function roundTrip(): Promise<number[]> {
  const image: Image = { data: new Uint8Array(3 * 16 * 8).fill(200), width: 16, height: 8, channels: 3 };
  const files = [encodePng(image), encodeJpeg(image)];
  const pictures = await Promise.all(files.map((file) => decodeImage(file, { channels: 1 })));
  return pictures.map(({ data }) => data[0]);
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/images') return Response.json(await roundTrip());
    if (pathname !== '/probe') return worker.fetch(request);
    const results: Record<string, string> = { Buffer: typeof (globalThis as { Buffer?: unknown }).Buffer };
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        await attempt();
        results[name] = 'allowed';
      } catch (error) {
        results[name] = String(error);
      }
    }
    return Response.json(results);
  },
};
