import { CopyDesc, CopyMode, FillDesc } from '../../../abi/generated/abi.ts';
import { dtypes, type TypedArray } from '../../../common/dtype.ts';
import type { Step } from '../../backend.ts';
import type { CopyAttrs } from '../../prims/copy.ts';
import type { PrimName } from '../../prims/index.ts';
import { coalesce } from '../../strided.ts';
import { Declined, tooManyLoops, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';

/** One loop of a copy; strides in bytes. */
interface Loop {
  readonly n: number;
  readonly x: number;
  readonly y: number;
}

const none: Loop = { n: 1, x: 0, y: 0 };
/** About so many bytes per work unit. */
const unitBytes = 16384;
const maxOuter = 4;

export interface CopyPlan {
  readonly values: Omit<CopyDesc, 'x' | 'y'>;
  readonly units: number;
}

/**
 * The descriptor of a copy of elements of `size` bytes: loops are merged, ordered as in the memory of y, and cut into a
 * 2-D core and outer loops. Null if more loops remain than the kernel has. The caller fills in the addresses.
 */
export function planCopy(attrs: Omit<CopyAttrs, 'inputOffset' | 'outputOffset'>, size: number): CopyPlan | null {
  const loops = byteLoops(attrs, size);
  const element = size === 1 || size === 2 ? 1 : 4;
  const inner = loops.pop()!;
  const runs = inner.x === element && inner.y === element;
  const next = loops[loops.length - 1];
  const interleave = element === 4 && inner.n === 2 && inner.y === 4 && next?.x === 4 && next.y === 8;
  // The loop that is contiguous in x makes the core's lines, if the columns are contiguous in y.
  const contiguous = loops.findIndex((loop) => loop.x === 4);
  const transpose = !runs && !interleave && element === 4 && inner.y === 4 && contiguous >= 0;
  const columns = interleave ? loops.pop()!.n : inner.n;
  const lines = transpose ? loops.splice(contiguous, 1)[0] : (loops.pop() ?? none);
  if (loops.length > maxOuter) return null;
  const repeat = element === 4 && inner.x === 0 && inner.y === 4;
  const words = repeat ? 'repeat' : element === 4 ? 'words' : 'bytes';
  const mode = runs ? 'runs' : interleave ? 'interleave' : transpose ? 'transpose' : words;
  const written = columns * (interleave ? 8 : element);
  const block = Math.min(lines.n, Math.ceil(unitBytes / written / 16) * 16);
  const outer = loops.reverse();
  const [o0, o1, o2, o3] = Array.from({ length: maxOuter }, (_, i) => outer[i] ?? none);
  const values = {
    mode: CopyMode[mode],
    lines: lines.n,
    columns: runs ? written : columns,
    xLine: lines.x,
    xColumn: inner.x,
    yLine: lines.y,
    yColumn: inner.y,
    block,
    n0: o0.n,
    n1: o1.n,
    n2: o2.n,
    x0: o0.x,
    x1: o1.x,
    x2: o2.x,
    x3: o3.x,
    y0: o0.y,
    y1: o1.y,
    y2: o2.y,
    y3: o3.y,
  };
  return { values, units: Math.ceil(lines.n / block) * o0.n * o1.n * o2.n * o3.n };
}

function byteLoops(attrs: Omit<CopyAttrs, 'inputOffset' | 'outputOffset'>, size: number): Loop[] {
  const { dims, inputStrides, outputStrides } = attrs;
  const order = dims.map((_, axis) => axis);
  order.sort((p, q) => Math.abs(outputStrides[q]) - Math.abs(outputStrides[p]) || p - q);
  const pick = (values: readonly number[], scale = 1): number[] => order.map((axis) => values[axis] * scale);
  const sizes = pick(dims);
  const strides = [pick(inputStrides, size), pick(outputStrides, size)];
  if (size === 2 || size === 8) {
    // The two bytes or two words of an element are one more contiguous loop.
    sizes.push(2);
    for (const s of strides) s.push(size / 2);
  }
  const merged = coalesce(sizes, strides);
  const loops = merged.dims.map((n, i) => ({ n, x: merged.strides[0][i], y: merged.strides[1][i] }));
  const last = loops[loops.length - 1];
  const element = size === 1 || size === 2 ? 1 : 4;
  // A copy of a single element: its strides are free.
  if (last.n === 1) loops[loops.length - 1] = { n: 1, x: element, y: element };
  return loops;
}

/** A copy between addresses (of element 0 of the strides); null as in planCopy. */
export function copySteps(
  prim: PrimName,
  session: WasmSession,
  attrs: CopyAttrs,
  size: number,
  addresses: { readonly x: number; readonly y: number },
): Step[] | null {
  if (attrs.dims.includes(0)) return [];
  const x = addresses.x + attrs.inputOffset * size;
  const y = addresses.y + attrs.outputOffset * size;
  const pieces = splitFlat(attrs, size);
  const steps: Step[] = [];
  for (const { part, at } of pieces) {
    const plan = planCopy(part, size);
    if (plan === null) return null;
    const values = { x: x + at, y: y + at, ...plan.values };
    steps.push(session.step(prim, 'copy', CopyDesc, values, plan.units));
  }
  return steps;
}

/** Cuts a copy of one long run into lines of equal length and a rest, so that threads can share it. */
function splitFlat(attrs: CopyAttrs, size: number): { part: CopyAttrs; at: number }[] {
  const { dims, strides } = coalesce(attrs.dims, [attrs.inputStrides, attrs.outputStrides]);
  const length = unitBytes / size;
  const flat = dims.length === 1 && strides[0][0] === 1 && strides[1][0] === 1;
  if (!flat || dims[0] < 2 * length) return [{ part: attrs, at: 0 }];
  const lines = Math.floor(dims[0] / length);
  const part = (n: number, run: number): CopyAttrs => ({
    ...attrs,
    dims: [n, run],
    inputStrides: [length, 1],
    outputStrides: [length, 1],
  });
  const pieces = [{ part: part(lines, length), at: 0 }];
  const rest = dims[0] - lines * length;
  if (rest > 0) pieces.push({ part: part(1, rest), at: lines * unitBytes });
  return pieces;
}

export const copy: WasmPrim<'copy'> = ({ inputs, outputs, attrs }, session) => {
  const [x, y] = [inputs[0]!, outputs[0]];
  if (x.dtype !== y.dtype) return new Declined(`${x.dtype} to ${y.dtype}`);
  const addresses = { x: session.address(x), y: session.address(y) };
  return copySteps('copy', session, attrs, dtypes[x.dtype].bytes, addresses) ?? new Declined(tooManyLoops);
};

/** The four bytes that repeat the one element of `array`; null if eight bytes are needed. */
function patternOf(array: TypedArray): number | null {
  const bytes = new Uint8Array(array.buffer);
  const words = new Uint32Array(Uint8Array.from({ length: 8 }, (_, i) => bytes[i % bytes.length]).buffer);
  return words[0] === words[1] ? words[0] : null;
}

export const fill: WasmPrim<'fill'> = ({ outputs, attrs }, session) => {
  const [y] = outputs;
  const { array, bytes } = dtypes[y.dtype];
  const pattern = patternOf(array.of(attrs.value));
  if (pattern === null) return new Declined(`${attrs.value} in ${y.dtype}`);
  const total = attrs.length * bytes;
  if (total === 0) return [];
  const values = { y: session.address(y), bytes: total, unit: unitBytes, pattern };
  return [session.step('fill', 'fill', FillDesc, values, Math.ceil(total / unitBytes))];
};
