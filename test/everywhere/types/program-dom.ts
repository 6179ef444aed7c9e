// What browsers and Node have fits the structural types of the package.
import { load } from 'convlet';
import { decodeImage, encodePng, imageToTensor } from 'convlet/images';

export async function page(canvas: HTMLCanvasElement, file: File, picture: ImageBitmap): Promise<void> {
  const controller = new AbortController();
  const model = await load(new URL('https://example.org/model.onnx'), { signal: controller.signal });
  await load(await fetch('model.onnx'), { onProgress: ({ loaded, total }) => console.log(loaded, total) });
  await load(file);
  await load('model.onnx', { workerUrl: new URL('worker.js', 'https://example.org') });
  await load('model.onnx', { kernels: new WebAssembly.Module(new Uint8Array(8)) });
  const image = await decodeImage(canvas);
  await decodeImage(file);
  await decodeImage(picture);
  await decodeImage(new ImageData(1, 1));
  const out = await model.run({
    image: imageToTensor(image),
    ids: new BigInt64Array(4),
    raw: new Uint8ClampedArray(4),
  });
  console.log(out, encodePng(image).byteLength);
}
