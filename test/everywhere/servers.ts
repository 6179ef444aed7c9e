// Servers of built applications: Next, and workerd with what wrangler has written.
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { configuration } from '../../examples/workerd/build.ts';
import { type Server, serve } from '../runtime/workerd/server.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** `next start` of a project that is built. */
export async function startNext(project: string, node: string): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [
    join(project, 'node_modules/next/dist/bin/next'),
    'start',
    '--port',
    `${port}`,
    '--hostname',
    '127.0.0.1',
  ];
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' as const };
  const child = spawn(node, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk));
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const ready = new Promise<void>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`next start is not ready after 60 s: ${errors}`)), 60_000);
    child.once('close', (code) => fail(new Error(`next start ended with ${code}: ${errors}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      if (!/Ready in/.test(chunk.toString())) return;
      clearTimeout(timer);
      done();
    });
  });
  try {
    await ready;
    return { url, errors: () => errors, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The real workerd with the files of `wrangler deploy --outdir`. */
export function startWorker(folder: string): Promise<Server> {
  const others = readdirSync(folder).filter((name) => /\.(wasm|onnx)$/.test(name));
  const config = join(folder, 'config.capnp');
  writeFileSync(config, configuration(['worker.js', ...others]));
  return serve(config);
}

export async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: status ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
