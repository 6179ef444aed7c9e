// The files of the package as a browser without a bundler loads them, under every set of headers that pages may have.
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { models, root } from '../runtime/package.ts';
import { here } from './project.ts';

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
/** The import map of the pages is inside of them. */
const policy = (script: string, worker: string) => ({
  'content-security-policy': `default-src 'none'; connect-src 'self'; script-src 'self' 'unsafe-inline' ${script}; worker-src ${worker}`,
});

/** The first part of a path says with which headers everything below it is served. */
export const headers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  isolated: isolation,
  'isolated-strict': { ...isolation, ...policy("'wasm-unsafe-eval'", "'self'") },
  'isolated-blob': { ...isolation, ...policy("'wasm-unsafe-eval'", "'self' blob:") },
  'no-wasm': policy('', "'self'"),
};

const folders: Readonly<Record<string, string>> = {
  convlet: join(root, 'build'),
  examples: join(root, 'examples'),
  models,
  modules: join(root, 'node_modules'),
  pages: join(here, 'pages'),
};

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Of packages that modules import by name, the file for browsers. */
const bare: Readonly<Record<string, string>> = {
  fflate: 'fflate/esm/browser.js',
  'fast-png': 'fast-png/lib/index.js',
};

/** By URLs, as servers of modules write them: import maps do not reach into workers. */
const located = (text: string, prefix: string): string =>
  text.replace(/from\s*"([a-z][a-z-]*)"/g, (whole, name: string) =>
    name in bare ? `from"/${prefix}/modules/${bare[name]}"` : whole,
  );

export interface ModuleServer {
  readonly url: string;
  /** What the next page sends that was opened with `&send` at the end of its address. */
  sent(): Promise<unknown>;
  close(): Promise<void>;
}

export async function serveModules(more: Readonly<Record<string, string>> = {}): Promise<ModuleServer> {
  const all = { ...folders, ...more };
  let take: (report: unknown) => void = () => {};
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        take(JSON.parse(Buffer.concat(chunks).toString()));
        response.end();
      });
      return;
    }
    const [, variant, folder, ...rest] = normalize(
      decodeURIComponent(new URL(request.url!, 'http://x').pathname),
    ).split('/');
    const path = all[folder] === undefined ? '' : join(all[folder], ...rest);
    if (headers[variant] === undefined || !statSync(path, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { ...headers[variant], 'content-type': type, 'cache-control': 'no-store' });
    const bytes = readFileSync(path);
    response.end(folder === 'convlet' && type === 'text/javascript' ? located(bytes.toString(), variant) : bytes);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () =>
      new Promise((resolve) => {
        take = resolve;
      }),
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
