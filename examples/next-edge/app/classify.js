import { ConvletError, load } from 'convlet';
import { decodeImage, imageToTensor, resizeImage } from 'convlet/images';

const labels = ['circle', 'square', 'triangle', 'star', 'cross'];

let network;

/**
 * Says which shape a picture shows. `bytes` are those of a PNG or JPEG, `model` is a path or URL of shapes.onnx, read when it is
 * needed first.
 */
export async function classify(bytes, model) {
  network ??= load(model);
  const loaded = await network;
  const picture = await decodeImage(bytes, { channels: 3, maxPixels: 20e6 });
  const { probabilities } = await loaded.run({
    image: imageToTensor(resizeImage(picture, 32, 32, { antialias: true })),
  });
  const top = labels
    .map((label, i) => ({ label, confidence: Number(probabilities.data[i]) }))
    .sort((a, b) => b.confidence - a.confidence);
  return { top, variant: loaded.variant };
}

/** Answers a request whose body is a picture. */
export async function answer(request, model) {
  try {
    return Response.json(await classify(new Uint8Array(await request.arrayBuffer()), model));
  } catch (error) {
    if (!(error instanceof ConvletError)) throw error;
    return Response.json({ error: { code: error.code, message: error.message } }, { status: 400 });
  }
}
