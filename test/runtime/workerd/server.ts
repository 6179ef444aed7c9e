import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface Server {
  /** Without a slash at its end. */
  readonly url: string;
  /** What the runtime wrote on its standard error: uncaught exceptions of the Worker. */
  errors(): string;
  stop(): Promise<void>;
}

/** Starts the real workerd on a free port of 127.0.0.1. Rejects where it ends or says nothing for `timeout` ms. */
export async function serve(config: string, timeout = 20_000): Promise<Server> {
  const { default: binary } = createRequire(import.meta.url)('workerd') as { default: string };
  // Descriptor 3 is the control channel: one line of JSON for each socket that listens.
  const child = spawn(binary, ['serve', config, '--socket-addr=http=127.0.0.1:0', '--control-fd=3'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const port = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`workerd did not listen within ${timeout} ms: ${errors}`)),
      timeout,
    );
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`workerd ended with ${code}: ${errors}`)));
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
      const event = JSON.parse(line) as { event: string; port?: number };
      if (event.event !== 'listen' || event.port === undefined) return;
      clearTimeout(timer);
      resolve(event.port);
    });
  });
  try {
    return { url: `http://127.0.0.1:${await port}`, errors: () => errors, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
