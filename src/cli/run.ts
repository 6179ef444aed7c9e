import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Command } from 'commander';
import { ConvletError, shapeText } from '../common/error.ts';
import { readNpy, writeNpy } from '../io/npy.ts';
import type { LoadOptions } from '../runtime/load.ts';
import { seededInputs } from '../runtime/measure.ts';
import type { Model, ModelInput, ModelOutput } from '../runtime/model.ts';
import { type Comparison, compare, comparisonText, type Tolerance } from './compare.ts';
import { openModel } from './open.ts';
import {
  addEngineOptions,
  collect,
  type EngineFlags,
  engineOptions,
  parseCount,
  parsePairs,
  parseShapes,
  parseTolerance,
  parseWord,
} from './options.ts';
import { addPictureOptions, type PictureFlags, type PictureOptions, pictureInput, pictureOptions } from './pictures.ts';
import { startProgress } from './progress.ts';
import { chooseShapes, declaredText, type NamedInput, nameShapes } from './shapes.ts';
import { jsonNumber, type Statistics, statisticsOf, topOf } from './statistics.ts';
import { formatTable, numberText } from './table.ts';

interface RunFlags extends EngineFlags, PictureFlags {
  readonly input?: string[];
  readonly shape?: string[];
  readonly random?: string;
  readonly output?: string;
  readonly top: string;
  readonly labels?: string;
  readonly compare?: string[];
  readonly against?: string;
  readonly rtol: string;
  readonly atol: string;
  readonly json?: boolean;
}

export function runCommand(program: Command): void {
  const command = program
    .command('run')
    .description('run a model once; 1 is the exit status where --compare or --against finds a difference')
    .argument('<model>', 'path or URL of an .onnx file')
    .option('--input <name=file>', 'a .npy, .png or .jpg file for an input; may be repeated', collect)
    .option('--random <seed>', 'random numbers for the inputs that have no file (integers are 0)')
    .option('--shape <name=dims>', 'shape of a random input, or size of a picture, e.g. input=1x3x224x224', collect)
    .option('--output <dir>', 'write each output as NAME.npy into this directory')
    .option('--top <k>', 'how many of the largest values to print', '5')
    .option('--labels <file>', 'a text file with one label a line')
    .option('--compare <name=file>', 'a .npy file that an output should be like (FILE alone for the only one)', collect)
    .option('--against <engine>', 'compare with another way to run it: js, simd or relaxed')
    .option('--rtol <r>', 'comparisons: |value − expected| may be atol + r · |expected|', '1e-3')
    .option('--atol <a>', 'comparisons: see --rtol', '1e-5')
    .option('--json', `the outputs as JSON, with all values of those of at most ${mostValues} elements`);
  addEngineOptions(addPictureOptions(command)).action(run);
}

/** The most values of an output that are printed as JSON: `--output` is for larger outputs. */
const mostValues = 10_000;

interface Settings {
  readonly files: ReadonlyMap<string, string>;
  readonly shapes: ReadonlyMap<string, number[]>;
  readonly seed: number | null;
  readonly pictures: PictureOptions;
  readonly engine: LoadOptions;
  readonly against: LoadOptions | null;
  readonly tolerance: Tolerance;
  readonly top: number;
  readonly labels: readonly string[] | null;
}

/** Checks all settings that can be checked before the model is read. */
function settingsOf(flags: RunFlags): Settings {
  const engine = engineOptions(flags);
  const other = flags.against && parseWord('--against', flags.against, 'js', 'simd', 'relaxed');
  const against: LoadOptions | null = other
    ? { ...engine, ...(other === 'js' ? { backend: other } : { backend: 'wasm', variant: other }) }
    : null;
  return {
    files: parsePairs('--input', flags.input ?? []),
    shapes: parseShapes(flags.shape ?? []),
    seed: flags.random === undefined ? null : parseCount('--random', flags.random, 0),
    pictures: pictureOptions(flags),
    ...{ engine, against },
    tolerance: { rtol: parseTolerance('--rtol', flags.rtol), atol: parseTolerance('--atol', flags.atol) },
    top: parseCount('--top', flags.top),
    labels: flags.labels === undefined ? null : readFileSync(flags.labels, 'utf8').split(/\r?\n/),
  };
}

async function run(path: string, flags: RunFlags): Promise<void> {
  const settings = settingsOf(flags);
  const progress = startProgress();
  progress.show('loading');
  const { model, inputs: infos } = await openModel(path, settings.engine);
  try {
    const inputs = await readInputs(model, infos, settings);
    const expected = expectedOutputs(model, flags.compare ?? []);
    progress.show('running');
    const start = performance.now();
    const outputs = await model.run(inputs);
    const milliseconds = performance.now() - start;
    const comparisons: Comparison[] = [];
    for (const [output, { file, value }] of expected)
      comparisons.push(compare(output, file, outputs[output], value, settings.tolerance));
    if (settings.against !== null) comparisons.push(...(await runAgainst(path, settings, inputs, outputs)));
    progress.end();
    if (flags.json) printJson(path, model, milliseconds, outputs, comparisons, settings);
    else print(model, milliseconds, outputs, comparisons, settings);
    if (flags.output !== undefined) save(flags.output, outputs);
    if (comparisons.some(({ same }) => !same)) process.exitCode = 1;
  } finally {
    progress.end();
    model.dispose();
  }
}

type Inputs = { readonly [name: string]: ModelInput };

async function readInputs(model: Model, infos: readonly NamedInput[], settings: Settings): Promise<Inputs> {
  const { files, seed } = settings;
  const shapes = nameShapes(infos, settings.shapes);
  for (const name of files.keys()) {
    if (infos.some((info) => info.name === name)) continue;
    const names = infos.map((info) => info.name).join(', ');
    throw new ConvletError('unknown-name', `--input: the model has no input '${name}'; its inputs are ${names}`);
  }
  const missing = infos.filter(({ name, optional }) => !files.has(name) && !optional && seed === null);
  if (missing.length > 0) {
    const list = missing.map((info) => `${info.name} (${declaredText(info)})`).join(', ');
    const give = missing.map(({ name }) => `--input ${name}=FILE`).join(' ');
    throw new ConvletError('missing-input', `run: no file for ${list}: give ${give}, or --random SEED`);
  }
  const read: { [name: string]: ModelInput } = Object.create(null);
  const known = new Map(shapes);
  for (const [name, file] of files) {
    const info = model.inputs.find((input) => input.name === name)!;
    const value = await readInput(name, shapes.get(name) ?? info.shape, file, settings);
    const wanted = shapes.get(name);
    if (wanted !== undefined && shapeText(value.shape) !== shapeText(wanted)) {
      const got = shapeText(value.shape);
      throw new ConvletError('shape', `--shape ${name} expects ${shapeText(wanted)}, the file has ${got}`);
    }
    read[name] = value;
    known.set(name, [...value.shape]);
  }
  if (seed === null) return read;
  const { shapes: chosen } = chooseShapes('run', infos, known);
  return { ...seededInputs(model, chosen, seed), ...read };
}

async function readInput(
  name: string,
  shape: readonly (number | null)[] | null,
  file: string,
  { pictures }: Settings,
): Promise<{ data: ModelOutput['data']; shape: readonly number[] }> {
  const bytes = new Uint8Array(readFileSync(file));
  return extname(file).toLowerCase() === '.npy' ? readNpy(bytes) : pictureInput(name, shape ?? [], bytes, pictures);
}

interface Expected {
  readonly file: string;
  readonly value: { readonly shape: readonly number[]; readonly data: ModelOutput['data'] };
}

/** The files of --compare, by output. */
function expectedOutputs(model: Model, texts: readonly string[]): Map<string, Expected> {
  const names = model.outputs.map(({ name }) => name);
  const found = new Map<string, Expected>();
  for (const text of texts) {
    const named = names.find((name) => text.startsWith(`${name}=`));
    const output = named ?? (names.length === 1 && !/^[^=/.]+=/.test(text) ? names[0] : undefined);
    if (output === undefined) {
      throw new ConvletError(
        'argument',
        `--compare expects OUTPUT=FILE, got '${text}'; the outputs are ${names.join(', ')}`,
      );
    }
    if (found.has(output))
      throw new ConvletError('argument', `--compare expects each name once, got '${output}' twice`);
    const file = named === undefined ? text : text.slice(named.length + 1);
    found.set(output, { file, value: readNpy(new Uint8Array(readFileSync(file))) });
  }
  return found;
}

async function runAgainst(
  path: string,
  { against, tolerance }: Settings,
  inputs: Inputs,
  outputs: { readonly [name: string]: ModelOutput },
): Promise<Comparison[]> {
  const { model } = await openModel(path, against!);
  try {
    const others = await model.run(inputs);
    const engine = `${model.backend} ${model.variant}`;
    return Object.entries(others).map(([name, other]) => compare(name, engine, outputs[name], other, tolerance));
  } finally {
    model.dispose();
  }
}

function print(
  model: Model,
  milliseconds: number,
  outputs: { readonly [name: string]: ModelOutput },
  comparisons: readonly Comparison[],
  { top, labels }: Settings,
): void {
  for (const [name, output] of Object.entries(outputs)) {
    console.log(`\n${name}  ${output.dtype} ${shapeText(output.shape)}`);
    console.log(statisticsText(statisticsOf(output.data)));
    const rows = topOf(output.data, top).map((i) => [String(i), numberText(output.data[i]), labels?.[i] ?? '']);
    if (rows.length > 0) console.log(formatTable(['index', 'value', labels === null ? '' : 'label'], rows, [0, 1]));
  }
  if (comparisons.length > 0) console.log(`\n${comparisons.map(comparisonText).join('\n')}`);
  const how = `${model.backend}, ${model.variant}; first run, compilation of the plan included`;
  console.log(`\n${milliseconds.toFixed(1)} ms (${how})`);
}

function statisticsText({ count, min, max, mean, nan }: Statistics): string {
  if (count === 0) return 'no elements';
  const odd = nan === 0 ? '' : `  NaN ${nan} of ${count}`;
  return `min ${numberText(min)}  max ${numberText(max)}  mean ${numberText(mean)}${odd}`;
}

function printJson(
  path: string,
  { backend, variant, threads }: Model,
  milliseconds: number,
  outputs: { readonly [name: string]: ModelOutput },
  comparisons: readonly Comparison[],
  { top, labels }: Settings,
): void {
  const described = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
    const { count: _, ...statistics } = statisticsOf(data);
    const largest = topOf(data, top).map((index) => ({
      ...{ index, value: jsonNumber(data[index]) },
      ...(labels === null ? {} : { label: labels[index] ?? '' }),
    }));
    const values = data.length <= mostValues ? { data: Array.from(data, jsonNumber) } : {};
    const numbers = Object.fromEntries(Object.entries(statistics).map(([key, value]) => [key, jsonNumber(value)]));
    return [name, { dtype, shape, ...numbers, top: largest, ...values }] as const;
  });
  const compared = comparisons.map((comparison) =>
    Object.fromEntries(
      Object.entries(comparison).map(([key, value]) => [key, typeof value === 'number' ? jsonNumber(value) : value]),
    ),
  );
  const report = { model: path, backend, variant, threads, milliseconds, outputs: Object.fromEntries(described) };
  console.log(JSON.stringify({ ...report, comparisons: compared }));
}

function save(directory: string, outputs: { readonly [name: string]: ModelOutput }): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, { dtype, shape, data }] of Object.entries(outputs)) {
    writeFileSync(join(directory, `${name.replace(/[^\w.-]/g, '_')}.npy`), writeNpy({ dtype, shape, data }));
  }
}
