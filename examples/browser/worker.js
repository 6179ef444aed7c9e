// All that takes time: loading the network, decoding pictures, running.
import { load } from 'convlet';
import { cropImage, decodeImage, imageToTensor, resizeImage } from 'convlet/images';

const labels = ['circle', 'square', 'triangle', 'star', 'cross'];

// As many threads as the machine runs at once where the page is cross-origin isolated, else one.
const loading = load(new URL('../workerd/shapes.onnx', import.meta.url), { threads: 'auto' });

/** The middle of a picture, as large as the network wants it. */
function square(picture) {
  const side = Math.min(picture.width, picture.height);
  const [x, y] = [picture.width, picture.height].map((size) => Math.floor((size - side) / 2));
  return resizeImage(cropImage(picture, x, y, side, side), 32, 32, { antialias: true });
}

/** A File, an ImageBitmap, or null, which asks what runs here. */
async function classify(picture) {
  const model = await loading;
  const where = `${model.variant} kernels, ${model.threads} thread${model.threads > 1 ? 's' : ''}`;
  if (picture === null) return { text: `ready: ${where}` };
  const start = performance.now();
  const image = square(await decodeImage(picture, { channels: 3 }));
  if (picture instanceof ImageBitmap) picture.close();
  const { probabilities } = await model.run({ image: imageToTensor(image) });
  const top = labels
    .map((label, i) => ({ label, confidence: probabilities.data[i] }))
    .sort((a, b) => b.confidence - a.confidence);
  return { top, text: `${(performance.now() - start).toFixed(1)} ms, ${where}` };
}

/** One after the other, so that answers keep their order. */
let last = Promise.resolve();
self.onmessage = ({ data }) => {
  last = last.then(async () => {
    try {
      self.postMessage(await classify(data));
    } catch (error) {
      self.postMessage({ error: error.message });
    }
  });
};
