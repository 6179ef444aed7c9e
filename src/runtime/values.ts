import {
  type BigIntArray,
  bigIntArrays,
  type DType,
  describe,
  dtypes,
  isArrayOf,
  type TypedArray,
} from '../common/dtype.ts';
import { ConvletError, shapeText } from '../common/error.ts';
import type { DeclaredInput } from '../io/onnx/import.ts';
import { BorrowedStorage } from '../memory/storage.ts';
import { elementCount, type Layout, sameMemory, userLayout } from '../tensor/layout.ts';
import { checkShape, fromBigInts, Tensor, toArray } from '../tensor/tensor.ts';

/**
 * Values of an input: the typed array of its dtype (float32: Float32Array, int64: Int32Array or BigInt64Array, uint8:
 * Uint8Array or Uint8ClampedArray, bool: Uint8Array, …), or plain numbers.
 */
export type InputData = TypedArray | BigIntArray | Uint8ClampedArray | readonly number[];

/**
 * What `run` takes for one input: a Tensor, or values with their shape, in logical row-major order or that of the model's
 * `layout`. Where the model fixes all dimensions the values alone do. Nothing is kept of them after the run.
 */
export type ModelInput = Tensor | InputData | { readonly data: InputData; readonly shape?: readonly number[] };
export type ModelInputs = { readonly [name: string]: ModelInput };

/** Arrays of the caller's for outputs: typed arrays of their dtype, exactly as long as they have elements. */
export type OutputArrays = { readonly [name: string]: TypedArray | BigIntArray };

/**
 * The value of every input as a tensor, without optional ones that are not given, or an error that says which does not
 * fit. `layout`: that of plain arrays.
 */
export function checkInputs(infos: readonly DeclaredInput[], inputs: ModelInputs, layout: Layout): Map<string, Tensor> {
  const names = infos.map((input) => input.name);
  if (typeof inputs !== 'object' || inputs === null || isValues(inputs) || inputs instanceof Tensor) {
    const got = typeof inputs === 'object' ? describe(inputs) : String(inputs);
    const form = `run({ ${names.map((name) => `${name}: …`).join(', ')} })`;
    throw new ConvletError('argument', `run: expects an object of inputs by name, ${form}, got ${got}`);
  }
  for (const name of Object.keys(inputs)) {
    if (names.includes(name)) continue;
    throw new ConvletError('unknown-name', `run: the model has no input '${name}'; its inputs are ${names.join(', ')}`);
  }
  return new Map(
    infos.flatMap((info) => {
      // Not what every object inherits: a model may well have an input 'constructor'.
      const given = Object.hasOwn(inputs, info.name) ? inputs[info.name] : undefined;
      if (info.optional && given === undefined) return [];
      return [[info.name, oneOrZero(checkInput(info, given, layout))]];
    }),
  );
}

function checkInput(info: DeclaredInput, given: ModelInput | undefined, layout: Layout): Tensor {
  const what = `input '${info.name}'`;
  const expected = `${info.dtype} ${info.shape === null ? 'of any shape' : shapeText(info.shape)}`;
  if (given === undefined || given === null) {
    throw new ConvletError('missing-input', `run: ${what} (${expected}) is missing`);
  }
  if (typeof given !== 'object')
    throw new ConvletError('dtype', `run: ${what} expects values (${expected}), got a ${typeof given}`);
  if (given instanceof Tensor) return fits(info, given);
  const { data, shape: own } = isValues(given) ? { data: given } : given;
  const type = dtypes[info.dtype];
  const dims = own ?? fixedShape(info);
  if (dims === null) {
    const form = `{ ${info.name}: { data, shape: ${shapeText(defaultShape(info.shape))} } }`;
    throw new ConvletError('shape', `run: ${what} needs a shape that fits ${expected}: ${form}`);
  }
  const shape = checkShape(`run: ${what}`, dims);
  const array = inStorage(`run: ${what}`, data, info.dtype);
  if (!isArrayOf<TypedArray>(array, type.array)) {
    const isPicture = 'channels' in given || ('width' in given && 'height' in given);
    const advice = isPicture ? ': it is a picture; give what imageToTensor of convlet/images makes of it' : '';
    const got = `${describe(array)}${advice}`;
    throw new ConvletError('dtype', `run: ${what} expects a ${type.array.name} (${expected}), got ${got}`);
  }
  if (array.length !== elementCount(shape)) {
    const wanted = elementCount(shape);
    throw new ConvletError(
      'shape',
      `run: ${what} has ${array.length} values, shape ${shapeText(shape)} needs ${wanted}`,
    );
  }
  const order = userLayout(layout, shape.length);
  return fits(info, new Tensor(info.dtype, shape, order, new BorrowedStorage(array)));
}

const isValues = (given: object): given is InputData => ArrayBuffer.isView(given) || Array.isArray(given);

/** Values that come in another array than the dtype is stored in. */
function inStorage(what: string, data: InputData, dtype: DType): TypedArray {
  if (Array.isArray(data)) return toArray(what, data, dtype);
  const bigger = bigIntArrays[dtype];
  if (bigger !== undefined && isArrayOf<BigIntArray>(data, bigger)) return fromBigInts(what, data, dtype);
  if (dtype === 'uint8' && isArrayOf(data, Uint8ClampedArray))
    return new Uint8Array(data.buffer, data.byteOffset, data.length);
  return data as TypedArray;
}

/** Truth values as 0 and 1, which kernels count on; any other number but 0 is true. */
function oneOrZero(tensor: Tensor): Tensor {
  if (tensor.dtype !== 'bool' || tensor.array.every((value) => value <= 1)) return tensor;
  const values = Uint8Array.from(tensor.array, (value) => Number(value !== 0));
  return new Tensor('bool', tensor.shape, tensor.layout, new BorrowedStorage(values));
}

function fits(info: DeclaredInput, tensor: Tensor): Tensor {
  if (tensor.dtype !== info.dtype) {
    throw new ConvletError('dtype', `run: input '${info.name}' expects ${info.dtype}, got ${tensor.dtype}`);
  }
  const { shape } = info;
  if (shape === null) return tensor;
  if (tensor.rank === shape.length && shape.every((d, i) => d === null || d === tensor.shape[i])) return tensor;
  const got = shapeText(tensor.shape);
  throw new ConvletError('shape', `run: input '${info.name}' expects shape ${shapeText(shape)}, got ${got}`);
}

function fixedShape({ shape }: DeclaredInput): readonly number[] | null {
  return shape?.every((d) => d !== null) ? (shape as number[]) : null;
}

/** The declared shape with 1 for what may vary. */
export function defaultShape(shape: readonly (number | null)[] | null): number[] {
  return shape?.map((d) => d ?? 1) ?? [];
}

/** The elements in the order of `layout`, without a copy where they lie so. */
export function inOrder(tensor: Tensor, layout: Layout): TypedArray {
  return sameMemory(tensor.shape, tensor.layout, layout) ? tensor.array : tensor.dataIn(layout);
}

/** Copies that do not change any more when the caller's arrays do. */
export function snapshots(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const { dtype, shape, layout } = tensor;
      return [name, new Tensor(dtype, shape, layout, new BorrowedStorage(tensor.dataIn(layout)))];
    }),
  );
}

interface Slot {
  readonly name: string;
  readonly array: (typeof dtypes)[DType]['array'];
  readonly fixed: boolean;
  readonly target: Tensor;
}

/**
 * The inputs of one plan, for the run after one with the same shapes: takes what fits without further ado and allocates
 * nothing. Everything else is for `checkInputs` to judge.
 */
export class InputSlots {
  static readonly name: string = 'InputSlots';

  private readonly slots: readonly Slot[];
  private readonly names: ReadonlySet<string>;

  constructor(infos: readonly DeclaredInput[], targets: ReadonlyMap<string, Tensor>) {
    // What the graph does not read has no place in the plan: such a model takes the long way.
    this.slots = infos.flatMap((info) => {
      const target = targets.get(info.name);
      if (target === undefined) return [];
      return [{ name: info.name, array: dtypes[info.dtype].array, fixed: fixedShape(info) !== null, target }];
    });
    this.names = new Set(this.slots.length === infos.length ? infos.map((info) => info.name) : []);
  }

  /** Copies the inputs into the plan; false, with some of them copied, if one is not what it was in shape or kind. */
  fill(inputs: ModelInputs): boolean {
    if (typeof inputs !== 'object' || inputs === null || this.names.size === 0) return false;
    for (const name in inputs) if (!this.names.has(name)) return false;
    const { slots } = this;
    for (let i = 0; i < slots.length; i++) {
      if (!Object.hasOwn(inputs, slots[i].name) || !fillSlot(slots[i], inputs[slots[i].name])) return false;
    }
    return true;
  }
}

function fillSlot(slot: Slot, given: ModelInput | undefined): boolean {
  if (typeof given !== 'object' || given === null) return false;
  const { target } = slot;
  let source: unknown;
  if (given instanceof Tensor) {
    if (given.dtype !== target.dtype || given.layout !== target.layout || !sameShape(given.shape, target.shape))
      return false;
    source = given.array;
  } else if (ArrayBuffer.isView(given)) {
    if (!slot.fixed) return false;
    source = given;
  } else {
    const { data, shape } = given as { readonly data?: unknown; readonly shape?: readonly number[] };
    if (shape === undefined ? !slot.fixed : !sameShape(shape, target.shape)) return false;
    source = data;
  }
  if (!isArrayOf<TypedArray>(source, slot.array) || source.length !== target.size) return false;
  if (target.dtype === 'bool') copyTruth(source as Uint8Array, target.array as Uint8Array);
  else target.array.set(source as Float32Array);
  return true;
}

function copyTruth(from: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i] === 0 ? 0 : 1;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (!Array.isArray(a) || a.length !== b.length) return false;
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Throws unless `into` names outputs of the model; those that the plan knows must fit as well. */
export function checkOutputArrays(
  names: ReadonlySet<string>,
  known: ReadonlyMap<string, Tensor>,
  into: OutputArrays,
): void {
  if (typeof into !== 'object' || into === null) {
    throw new ConvletError('argument', `run: expects an object of arrays by output name, got ${String(into)}`);
  }
  for (const name in into) {
    if (!names.has(name)) {
      const all = [...names].join(', ');
      throw new ConvletError('unknown-name', `run: the model has no output '${name}'; its outputs are ${all}`);
    }
    const tensor = known.get(name);
    if (tensor !== undefined) checkOutputArray(name, tensor, into[name]);
  }
}

function checkOutputArray(name: string, tensor: Tensor, array: TypedArray | BigIntArray): void {
  const { array: type } = dtypes[tensor.dtype];
  const bigger = bigIntArrays[tensor.dtype];
  if (!isArrayOf<TypedArray>(array, type) && !(bigger !== undefined && isArrayOf<BigIntArray>(array, bigger))) {
    const got = describe(array);
    throw new ConvletError('dtype', `run: output '${name}' (${tensor.dtype}) expects a ${type.name}, got ${got}`);
  }
  if (array.length !== tensor.size) {
    const shape = shapeText(tensor.shape);
    throw new ConvletError(
      'shape',
      `run: output '${name}' expects an array of ${tensor.size} (shape ${shape}), got one of ${array.length}`,
    );
  }
}

/** Copies outputs into the caller's arrays, those of rank 4 and 5 in `layout`. */
export function writeOutputs(
  plan: ReadonlyMap<string, Tensor>,
  late: ReadonlyMap<string, Tensor> | undefined,
  into: OutputArrays,
  layout: Layout,
): void {
  for (const name in into) {
    const tensor = late?.get(name) ?? plan.get(name);
    if (tensor === undefined) throw new Error(`output '${name}' was not computed`);
    const array = into[name];
    checkOutputArray(name, tensor, array);
    const values = inOrder(tensor, userLayout(layout, tensor.rank));
    if (isBigInts(array)) for (let i = 0; i < values.length; i++) array[i] = BigInt(values[i]);
    else array.set(values as Float32Array);
  }
}

const isBigInts = (array: TypedArray | BigIntArray): array is BigIntArray =>
  isArrayOf(array, BigInt64Array) || isArrayOf(array, BigUint64Array);

/** int64 and uint64 in arrays of 64 bits; other values as they are. */
export function widened(dtype: DType, values: TypedArray): TypedArray | BigIntArray {
  const bigger = bigIntArrays[dtype];
  return bigger === undefined ? values : bigger.from(Array.from(values, BigInt));
}
