// A Cloudflare Worker that says which shape a picture shows. POST the bytes of a PNG or JPEG of 32×32 pixels.
import { ConvletError, load } from 'convlet';
import { decodeImage, imageToTensor } from 'convlet/images';
import network from './shapes.onnx';

const labels = ['circle', 'square', 'triangle', 'star', 'cross'];

// Loaded when the Worker starts. On this runtime `convlet` is the entry that imports its kernels as modules, since
// compiling WebAssembly from bytes is forbidden here.
const model = await load(network);

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') {
      return Response.json(
        { usage: 'POST a PNG or JPEG of 32×32 pixels' },
        { status: 405, headers: { allow: 'POST' } },
      );
    }
    try {
      return Response.json(await classify(new Uint8Array(await request.arrayBuffer())));
    } catch (error) {
      if (!(error instanceof ConvletError)) throw error;
      return Response.json({ error: { code: error.code, message: error.message } }, { status: 400 });
    }
  },
};

async function classify(file: Uint8Array) {
  const picture = await decodeImage(file, { channels: 3, maxPixels: 1e6 });
  const { probabilities } = await model.run({ image: imageToTensor(picture) });
  const top = labels
    .map((label, i) => ({ label, confidence: Number(probabilities.data[i]) }))
    .sort((a, b) => b.confidence - a.confidence);
  return { ...top[0], top, backend: model.backend, variant: model.variant };
}
