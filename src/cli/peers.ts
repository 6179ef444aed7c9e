// Other engines, if they are installed in the working directory: `convlet bench MODEL --compare onnxruntime-web,onnxruntime-node`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConvletError } from '../common/error.ts';
import { percentile } from '../runtime/measure.ts';
import type { Model } from '../runtime/model.ts';
import { compare } from './compare.ts';

/** The part of ONNX Runtime's interface that is used here; all its packages have it. */
interface Ort {
  readonly env: { readonly wasm?: { numThreads?: number } };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown;
  readonly InferenceSession: { create(model: Uint8Array | string, options: object): Promise<OrtSession> };
}
interface OrtSession {
  run(feeds: { readonly [name: string]: unknown }): Promise<{ readonly [name: string]: OrtValue }>;
  release(): Promise<void>;
}
interface OrtValue {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

interface Package {
  readonly options: (threads: number) => object;
  readonly prepare?: (ort: Ort, threads: number) => void;
}

const packages: { readonly [name: string]: Package } = {
  'onnxruntime-node': {
    options: (threads) => ({ executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 }),
  },
  'onnxruntime-web': {
    options: () => ({ executionProviders: ['wasm'] }),
    prepare({ env }, threads) {
      if (env.wasm) env.wasm.numThreads = threads;
    },
  },
};

/** Names of `--compare`; throws `argument` for others, before a model is read. */
export function parsePeers(text: string): string[] {
  const names = text.split(',');
  for (const name of names) {
    if (Object.hasOwn(packages, name)) continue;
    const known = Object.keys(packages).join(' or ');
    throw new ConvletError('argument', `--compare expects ${known} (or both, with a comma), got '${name}'`);
  }
  return [...new Set(names)];
}

export interface Peer {
  readonly name: string;
  readonly version: string;
  run(): Promise<{ readonly [name: string]: OrtValue }>;
  dispose(): Promise<void>;
}

type Inputs = { readonly [name: string]: { readonly data: ArrayLike<number>; readonly shape: readonly number[] } };

/** Opens the package that a program in the working directory would find. Throws `environment` if there is none. */
export async function openPeer(name: string, path: string, model: Model, inputs: Inputs): Promise<Peer> {
  const { options, prepare } = packages[name];
  const folder = join(process.cwd(), 'package.json');
  let ort: Ort;
  let version = '';
  try {
    const require = createRequire(folder);
    const loaded = (await import(pathToFileURL(require.resolve(name)).href)) as { readonly default?: Ort } & Ort;
    ort = loaded.InferenceSession === undefined ? loaded.default! : loaded;
    version = versionOf(require.resolve(name));
  } catch (cause) {
    const message = `--compare: ${name} is not installed here: npm install ${name}`;
    throw new ConvletError('environment', message, { cause });
  }
  prepare?.(ort, model.threads);
  const source = /^(https?|data|blob):/.test(path) ? new Uint8Array(await (await fetch(path)).arrayBuffer()) : path;
  const session = await ort.InferenceSession.create(source, {
    graphOptimizationLevel: 'all',
    ...options(model.threads),
  });
  const feeds = Object.fromEntries(
    model.inputs.flatMap((info) => {
      if (!Object.hasOwn(inputs, info.name)) return [];
      const { data, shape } = inputs[info.name];
      return [[info.name, new ort.Tensor(info.dtype, dataFor(info.dtype, data), shape)]];
    }),
  );
  return { name, version, run: () => session.run(feeds), dispose: () => session.release() };
}

function versionOf(file: string): string {
  const [folder] = /^.*[\\/]node_modules[\\/]onnxruntime-\w+/.exec(file) ?? [];
  if (folder === undefined) return '';
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string }).version ?? '';
}

/** convlet stores int64 in 32 bits: the other engine gets 64-bit integers. */
function dataFor(dtype: string, data: ArrayLike<number>): unknown {
  if (dtype === 'int64') return BigInt64Array.from(data, BigInt);
  if (dtype === 'uint64') return BigUint64Array.from(data, BigInt);
  if (dtype === 'float16' || dtype === 'bfloat16')
    throw new ConvletError('unsupported', `--compare: inputs of ${dtype} are not taken`);
  return data;
}

export interface PeerTiming {
  readonly name: string;
  readonly version: string;
  /** Milliseconds. */
  readonly median: number;
  /** Milliseconds of convlet in the same rounds. */
  readonly own: number;
  readonly runs: number;
  /** The greatest difference of an output, relative to the output's greatest value. */
  readonly difference: number;
}

const rounds = 8;

/** Times another engine and convlet alternately, after a warm-up of both. */
export async function timePeer(peer: Peer, model: Model, inputs: Inputs, seconds: number): Promise<PeerTiming> {
  const own = await model.run(inputs as Parameters<Model['run']>[0]);
  const other = await peer.run();
  let difference = 0;
  for (const [name, { shape, data }] of Object.entries(own)) {
    const { dims, data: theirs } = other[name];
    const { maxAbsolute, problem } = compare(
      name,
      peer.name,
      { shape, data },
      { shape: dims, data: numbers(theirs) },
      exact,
    );
    let greatest = 0;
    for (let i = 0; i < data.length; i++) greatest = Math.max(greatest, Math.abs(data[i]));
    difference = Math.max(difference, problem === null ? maxAbsolute / (greatest || 1) : Number.POSITIVE_INFINITY);
  }
  const times: { readonly own: number[]; readonly peer: number[] } = { own: [], peer: [] };
  for (let round = 0; round <= rounds; round++) {
    // The first round warms up.
    const keep = round > 0;
    await timeFor(seconds / 2 / rounds, () => peer.run(), keep ? times.peer : []);
    await timeFor(seconds / 2 / rounds, () => model.run(inputs as Parameters<Model['run']>[0]), keep ? times.own : []);
  }
  const median = (values: number[]): number => percentile(Float64Array.from(values).sort(), 50);
  return {
    ...{ name: peer.name, version: peer.version, difference },
    ...{ median: median(times.peer), own: median(times.own), runs: times.peer.length },
  };
}

const exact = { rtol: 0, atol: 0 };
const numbers = (data: ArrayLike<number | bigint>): ArrayLike<number> =>
  typeof data[0] === 'bigint' ? Array.from(data, Number) : (data as ArrayLike<number>);

async function timeFor(seconds: number, run: () => Promise<unknown>, times: number[]): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  let now: number;
  do {
    const start = performance.now();
    await run();
    now = performance.now();
    times.push(now - start);
  } while (now < end);
}
