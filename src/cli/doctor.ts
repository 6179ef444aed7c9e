import type { Command } from 'commander';
import { ConvletError } from '../common/error.ts';
import { loadSharp } from '../io/images/sharp.ts';
import { ProtoWriter } from '../io/onnx/protobuf-writer.ts';
import type { LoadOptions } from '../runtime/load.ts';
import { seededInputs } from '../runtime/measure.ts';
import { load } from '../runtime/node.ts';
import { compare } from './compare.ts';
import { type Machine, machine, versions } from './machine.ts';
import { formatTable } from './table.ts';

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what convlet finds here, and whether each way to run a network works')
    .option('--json', 'the same as JSON')
    .action(doctor);
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

async function doctor(flags: { readonly json?: boolean }): Promise<void> {
  const found = machine();
  const checks = await checkAll(found);
  const sharp = (await loadSharp()) !== undefined;
  const hints = hintsFor(found, sharp);
  if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
  if (flags.json) {
    console.log(JSON.stringify({ versions, machine: found, sharp, checks, hints }, null, 2));
    return;
  }
  const yes = (value: boolean, otherwise: string): string => (value ? 'yes' : `no: ${otherwise}`);
  const rows = [
    ['convlet', versions.package],
    ['kernels', versions.kernels],
    ['runtime', `${found.runtime}, ${found.platform}`],
    ['SIMD', yes(found.simd, "only backend 'js' runs")],
    ['relaxed SIMD', yes(found.relaxed, 'Node has it from 22 on; the build simd runs instead')],
    ['threads', `up to ${found.threads} (${found.processors} processors)`],
    ['shared memory', yes(found.sharedMemory, 'one thread')],
    ['pictures', sharp ? 'decoded by sharp' : 'decoded by convlet (sharp is not installed: large JPEGs take longer)'],
  ];
  for (const [name, text] of rows) console.log(`${name.padEnd(13)}  ${text}`);
  console.log(
    `\n${formatTable(
      ['way to run', '', ''],
      checks.map((c) => [c.name, c.ok ? 'ok' : 'FAILS', c.text]),
    )}`,
  );
  console.log(`\n${hints.map((hint) => `- ${hint}`).join('\n')}`);
}

/** Runs a network on every backend, build and kind of threads that should work here, and compares the results with plain JS. */
async function checkAll({ simd, relaxed, processors, sharedMemory }: Machine): Promise<Check[]> {
  const network = testNetwork();
  const ways: [string, LoadOptions][] = [['plain JS', { backend: 'js' }]];
  if (simd) ways.push(['simd', { variant: 'simd' }]);
  if (relaxed) ways.push(['relaxed', { variant: 'relaxed' }]);
  if (simd && sharedMemory) {
    ways.push([`${Math.max(2, Math.min(processors, 8))} threads`, { threads: Math.max(2, Math.min(processors, 8)) }]);
    ways.push(['off the main thread', { leader: 'worker' }]);
  }
  const checks: Check[] = [];
  let expected: ReadonlyMap<string, Values> | null = null;
  for (const [name, options] of ways) {
    const start = performance.now();
    try {
      const outputs = await runOn(network, options);
      const wrong = expected && different(outputs, expected);
      expected ??= outputs;
      const time = `${(performance.now() - start).toFixed(0)} ms from load to result`;
      checks.push({ name, ok: !wrong, text: wrong || time });
    } catch (error) {
      checks.push({ name, ok: false, text: error instanceof ConvletError ? error.message : String(error) });
    }
  }
  return checks;
}

interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

async function runOn(network: Uint8Array, options: LoadOptions): Promise<ReadonlyMap<string, Values>> {
  const model = await load(network, options);
  try {
    return new Map(Object.entries(await model.run(seededInputs(model, new Map()))));
  } finally {
    model.dispose();
  }
}

function different(outputs: ReadonlyMap<string, Values>, expected: ReadonlyMap<string, Values>): string | null {
  for (const [name, values] of expected) {
    const { same, maxAbsolute } = compare(name, 'plain JS', outputs.get(name)!, values, { rtol: 1e-4, atol: 1e-4 });
    if (!same) return `${name} is off by ${maxAbsolute}`;
  }
  return null;
}

const channels = 16;
const size = 12;

/** An ONNX file: convolution (3 × 3, weights an input), ReLU, softmax over the channels of the averages. */
function testNetwork(): Uint8Array {
  const message = (write: (writer: ProtoWriter) => unknown): ProtoWriter => {
    const writer = new ProtoWriter();
    write(writer);
    return writer;
  };
  const value = (name: string, dims: readonly number[]): ProtoWriter => {
    const shape = message((w) => dims.forEach((dim) => w.message(1, new ProtoWriter().int(1, dim))));
    const type = new ProtoWriter().message(1, new ProtoWriter().int(1, 1).message(2, shape));
    return new ProtoWriter().string(1, name).message(2, type);
  };
  const node = (op: string, inputs: readonly string[], output: string): ProtoWriter =>
    message((w) => {
      for (const input of inputs) w.string(1, input);
      w.string(2, output).string(4, op);
    });
  const graph = new ProtoWriter()
    .message(1, node('Conv', ['x', 'weight'], 'sums'))
    .message(1, node('Relu', ['sums'], 'positive'))
    .message(1, node('GlobalAveragePool', ['positive'], 'averages'))
    .message(1, node('Softmax', ['averages'], 'y'))
    .string(2, 'doctor')
    .message(11, value('x', [1, channels, size, size]))
    .message(11, value('weight', [channels, channels, 3, 3]))
    .message(12, value('y', [1, channels, 1, 1]))
    .message(12, value('positive', [1, channels, size - 2, size - 2]));
  return new ProtoWriter().int(1, 8).message(7, graph).message(8, new ProtoWriter().int(2, 13)).finish();
}

/** Hints: what would make runs faster, and what other runtimes need. */
function hintsFor({ relaxed, processors }: Machine, sharp: boolean): string[] {
  const hints: string[] = [];
  if (processors > 1) hints.push("threads: one run is one thread's work unless load is told: { threads: 'auto' }");
  if (!relaxed) hints.push('Node 22 and newer have relaxed SIMD (fused multiply–add), about a tenth faster');
  else if (process.versions.v8 !== undefined && process.versions.bun === undefined)
    hints.push('node --experimental-wasm-revectorize joins pairs of vectors to 256 bits where the processor has them');
  if (!sharp) hints.push('npm install sharp: pictures are decoded by native code');
  hints.push("pages: a Content-Security-Policy needs script-src 'wasm-unsafe-eval', or load({ backend: 'js' })");
  hints.push(
    'pages: shared memory needs the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
  );
  return hints;
}
