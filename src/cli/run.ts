import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Command } from 'commander';
import { ConvletError, shapeText } from '../common/error.ts';
import { decodeImage, imageToTensor, resizeImage } from '../io/images/node.ts';
import { readNpy, writeNpy } from '../io/npy.ts';
import type { ModelInput, ModelInputInfo, ModelOutput } from '../runtime/model.ts';
import { load } from '../runtime/node.ts';
import { collect, type EngineFlags, engineOptions, parseCount, parseNumbers, parsePairs } from './options.ts';
import { formatTable } from './table.ts';

interface RunFlags extends EngineFlags {
  readonly input: string[];
  readonly output?: string;
  readonly mean: string;
  readonly std: string;
  readonly scale: string;
  readonly bgr?: boolean;
  readonly top: string;
  readonly labels?: string;
}

export function runCommand(program: Command): void {
  program
    .command('run')
    .description('run a model once on files')
    .argument('<model>', 'path or URL of an .onnx file')
    .option('--input <name=file>', 'a .npy, .png or .jpg file for an input; may be repeated', collect, [])
    .option('--output <dir>', 'write each output as NAME.npy into this directory')
    .option('--scale <factor>', 'pictures: multiply bytes by this first', String(1 / 255))
    .option('--mean <values>', 'pictures: then subtract, one value or one per channel', '0')
    .option('--std <values>', 'pictures: then divide by, one value or one per channel', '1')
    .option('--bgr', 'pictures: channels in the order blue, green, red')
    .option('--top <k>', 'how many of the largest values to print', '5')
    .option('--labels <file>', 'a text file with one label a line')
    .option('--backend <name>', 'wasm or js')
    .option('--variant <name>', 'auto, simd or relaxed')
    .option('--threads <n>', 'threads')
    .action(run);
}

async function run(path: string, flags: RunFlags): Promise<void> {
  const top = parseCount('--top', flags.top);
  const model = await load(path, engineOptions(flags));
  try {
    const files = parsePairs('--input', flags.input);
    const inputs: { [name: string]: ModelInput } = {};
    for (const [name, file] of files) {
      const info = model.inputs.find((input) => input.name === name);
      if (info === undefined) {
        const names = model.inputs.map((input) => input.name).join(', ');
        throw new ConvletError('unknown-name', `--input: the model has no input '${name}'; its inputs are ${names}`);
      }
      inputs[name] = await readInput(info, file, flags);
    }
    const start = performance.now();
    const outputs = await model.run(inputs);
    const elapsed = performance.now() - start;
    const labels = flags.labels === undefined ? null : readFileSync(flags.labels, 'utf8').split(/\r?\n/);
    for (const [name, output] of Object.entries(outputs)) report(name, output, top, labels);
    console.log(
      `\n${elapsed.toFixed(1)} ms (${model.backend}, ${model.variant}; first run, compilation of the plan included)`,
    );
    if (flags.output !== undefined) save(flags.output, outputs);
  } finally {
    model.dispose();
  }
}

async function readInput(info: ModelInputInfo, file: string, flags: RunFlags): Promise<ModelInput> {
  const bytes = new Uint8Array(readFileSync(file));
  if (extname(file).toLowerCase() === '.npy') return readNpy(bytes);
  const shape = info.shape ?? [];
  const [, channels, height, width] = shape;
  if (shape.length !== 4 || (channels !== 1 && channels !== 3)) {
    throw new ConvletError(
      'shape',
      `--input ${info.name}: a picture fits [N,3,H,W] or [N,1,H,W], not ${shapeText(shape)}`,
    );
  }
  const decoded = await decodeImage(bytes, { channels });
  const sized = width && height ? resizeImage(decoded, width, height, { mode: 'bilinear', antialias: true }) : decoded;
  return imageToTensor(sized, {
    scale: parseNumbers('--scale', flags.scale)[0],
    mean: perChannel('--mean', flags.mean),
    std: perChannel('--std', flags.std),
    channelOrder: flags.bgr ? 'bgr' : 'rgb',
  });
}

/** One value stands for all channels. */
function perChannel(option: string, text: string): number | number[] {
  const values = parseNumbers(option, text);
  return values.length === 1 ? values[0] : values;
}

function report(
  name: string,
  { dtype, shape, data }: ModelOutput,
  top: number,
  labels: readonly string[] | null,
): void {
  console.log(`\n${name}  ${dtype} ${shapeText(shape)}`);
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const v of data) {
    min = Math.min(min, v);
    max = Math.max(max, v);
    sum += v;
  }
  console.log(`min ${min}  max ${max}  mean ${sum / data.length}`);
  const order = Array.from(data.keys())
    .sort((a, b) => data[b] - data[a])
    .slice(0, top);
  const rows = order.map((i) => [String(i), String(data[i]), labels?.[i] ?? '']);
  if (rows.length > 0) console.log(formatTable(['index', 'value', labels === null ? '' : 'label'], rows, [0, 1]));
}

function save(directory: string, outputs: { [name: string]: ModelOutput }): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, { dtype, shape, data }] of Object.entries(outputs)) {
    writeFileSync(join(directory, `${name.replace(/[^\w.-]/g, '_')}.npy`), writeNpy({ dtype, shape, data }));
  }
}
