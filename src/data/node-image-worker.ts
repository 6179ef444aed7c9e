// The thread that decodes pictures for ImageFolder.
import { parentPort } from 'node:worker_threads';
import { ConvletError } from '../common/error.ts';
import { type LoadImage, loadImage, type WorkerAnswer } from './node-load-image.ts';

parentPort!.on('message', async ({ id, request }: { id: number; request: LoadImage }) => {
  try {
    const image = await loadImage(request);
    parentPort!.postMessage({ id, image } satisfies WorkerAnswer, [image.data.buffer]);
  } catch (error) {
    // Errors lose their class and code on the way.
    const { message, code: system } = error as Error & { code?: string };
    const code = error instanceof ConvletError ? error.code : null;
    parentPort!.postMessage({ id, error: { code, system, message } } satisfies WorkerAnswer);
  }
});
