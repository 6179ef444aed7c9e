import { Worker } from 'node:worker_threads';
import { ConvletError } from '../common/error.ts';
import type { LoadedImage, LoadImage, WorkerAnswer } from './node-load-image.ts';

interface Waiting {
  readonly worker: PoolWorker;
  resolve(image: LoadedImage): void;
  reject(error: Error): void;
}

interface PoolWorker {
  readonly thread: Worker;
  /** Requests that it has not answered. */
  load: number;
}

/** Threads that decode pictures. They do not keep the process alive. */
export class ImagePool {
  static readonly name: string = 'ImagePool';

  private readonly workers: PoolWorker[];
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  /** The program of the threads is a text (scripts/worker-source.ts), which is loaded when threads are asked for. */
  static async start(count: number): Promise<ImagePool> {
    const { workerSource } = await import('./generated/image-worker.ts');
    return new ImagePool(count, workerSource);
  }

  private constructor(count: number, source: string) {
    this.workers = Array.from({ length: count }, () => {
      const worker: PoolWorker = { thread: new Worker(source, { eval: true }), load: 0 };
      worker.thread.unref();
      worker.thread.on('message', (answer: WorkerAnswer) => this.answer(answer));
      worker.thread.on('error', (cause) => this.fail(worker, `a decoding thread failed: ${cause.message}`, cause));
      worker.thread.on('exit', () => this.fail(worker, 'a decoding thread ended'));
      return worker;
    });
  }

  load(request: LoadImage): Promise<LoadedImage> {
    const worker = this.workers.reduce((least, other) => (other.load < least.load ? other : least));
    const id = ++this.last;
    // While an answer is awaited, the process must not end.
    if (worker.load++ === 0) worker.thread.ref();
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { worker, resolve, reject });
      worker.thread.postMessage({ id, request });
    });
  }

  async dispose(): Promise<void> {
    await Promise.all(this.workers.map(({ thread }) => thread.terminate()));
  }

  private answer({ id, image, error }: WorkerAnswer): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return;
    this.waiting.delete(id);
    if (--waiting.worker.load === 0) waiting.worker.thread.unref();
    if (image !== undefined) {
      waiting.resolve(image);
      return;
    }
    const { code, system, message } = error!;
    waiting.reject(
      code === null ? Object.assign(new Error(message), { code: system }) : new ConvletError(code, message),
    );
  }

  private fail(worker: PoolWorker, message: string, cause?: unknown): void {
    // No more work for it: others may go on.
    worker.load = Number.POSITIVE_INFINITY;
    for (const [id, waiting] of this.waiting) {
      if (waiting.worker !== worker) continue;
      this.waiting.delete(id);
      waiting.reject(new ConvletError('environment', `ImageFolder: ${message}`, { cause }));
    }
  }
}
