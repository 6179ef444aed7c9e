// Shapes of a model's inputs: from the model and the command line. An error asks for open dimensions that have no size.
import { ConvletError, shapeText } from '../common/error.ts';
import type { OnnxProgram } from '../io/onnx/import.ts';

type Dims = readonly (number | string | null)[];

export interface NamedInput {
  readonly name: string;
  readonly dtype: string;
  readonly optional?: boolean;
  /** The shape that the file declares, with the names of free dimensions; null if the rank is free too. */
  readonly declared: Dims | null;
}

/** The inputs with the names of their free dimensions. */
export function namedInputs({ inputs, model }: OnnxProgram): NamedInput[] {
  const dims = new Map(model.graph.inputs.map(({ name, shape }) => [name, shape]));
  return inputs.map(({ name, dtype, optional }) => ({ name, dtype, optional, declared: dims.get(name) ?? null }));
}

/** `x  float32 [N,3,H,W]` */
export const declaredText = ({ dtype, declared }: NamedInput): string =>
  `${dtype} ${declared === null ? 'of any shape' : shapeText(declared)}`;

export interface ChosenShapes {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Names of inputs whose open batch became 1. */
  readonly batchOne: readonly string[];
}

/**
 * A shape for every input except optional ones that are not given. A dimension whose name has a size in another input gets that size;
 * an open batch of pictures or volumes is 1. If dimensions are still open, throws `argument`, with an option that would set them.
 */
export function chooseShapes(
  what: string,
  inputs: readonly NamedInput[],
  given: ReadonlyMap<string, number[]>,
): ChosenShapes {
  const named = nameShapes(inputs, given);
  const sizes = new Map<string, number>();
  for (const { name, declared } of inputs) {
    declared?.forEach((dim, i) => {
      const size = named.get(name)?.[i];
      if (typeof dim === 'string' && size !== undefined) sizes.set(dim, size);
    });
  }
  const shapes = new Map<string, readonly number[]>();
  const batchOne: string[] = [];
  const open: NamedInput[] = [];
  for (const input of inputs) {
    const { name, declared, optional } = input;
    const own = named.get(name);
    if (own !== undefined) shapes.set(name, own);
    if (own !== undefined || optional) continue;
    const dims = declared?.map((dim) => (typeof dim === 'string' ? (sizes.get(dim) ?? null) : dim)) ?? [null];
    const batch = dims[0] === null && (dims.length === 4 || dims.length === 5);
    if (batch) dims[0] = 1;
    if (dims.includes(null)) open.push(input);
    else shapes.set(name, dims as number[]);
    if (batch) batchOne.push(name);
  }
  if (open.length > 0) throw askFor(what, open, sizes);
  return { shapes, batchOne };
}

/** The given shapes by names of inputs; '' is replaced by the only input's name. Throws `argument` and `unknown-name`. */
export function nameShapes(inputs: readonly NamedInput[], given: ReadonlyMap<string, number[]>): Map<string, number[]> {
  const names = inputs.map(({ name }) => name);
  const required = inputs.filter(({ optional }) => !optional);
  const found = new Map<string, number[]>();
  for (const [key, dims] of given) {
    const name = key === '' && required.length === 1 ? required[0].name : key;
    if (key === '' && required.length !== 1) {
      throw new ConvletError('argument', `--shape expects NAME=DIMS, the inputs are ${names.join(', ')}`);
    }
    if (!names.includes(name)) {
      const known = names.join(', ');
      throw new ConvletError('unknown-name', `--shape: the model has no input '${name}'; its inputs are ${known}`);
    }
    if (found.has(name)) throw new ConvletError('argument', `--shape expects each name once, got '${name}' twice`);
    found.set(name, dims);
  }
  return found;
}

/** Sizes for the examples in errors: a picture of 640 × 480, volumes of 16 slices. */
const examples: { readonly [rank: number]: readonly number[] } = { 4: [1, 3, 480, 640], 5: [1, 3, 16, 112, 112] };

function askFor(what: string, open: readonly NamedInput[], sizes: ReadonlyMap<string, number>): ConvletError {
  const list = open.map(({ name, declared }) => `${name} ${declared === null ? 'of any shape' : shapeText(declared)}`);
  const options = open.map(({ name, declared }) => {
    const dims = declared ?? examples[4].map(() => null);
    const size = (dim: string | null, i: number): number =>
      sizes.get(dim ?? '') ?? examples[dims.length]?.[i] ?? (i === 0 ? 1 : 16);
    const text = dims.map((dim, i) => (typeof dim === 'number' ? dim : size(dim, i))).join('x');
    return `--shape ${/^[\w./:-]+$/.test(name) ? `${name}=${text}` : `'${name}=${text}'`}`;
  });
  const leaves = open.length === 1 ? 'leaves its size open' : 'leave their sizes open';
  return new ConvletError('argument', `${what}: ${list.join(' and ')} ${leaves}: give ${options.join(' ')}`);
}
