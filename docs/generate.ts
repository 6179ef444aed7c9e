// npm run docs: writes docs/ops.md from the tables of ops and the importer's tables, and the tables of ARCHITECTURE.md.
// test/docs.test.ts fails where a committed file is not what this makes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FamilyName, families, familyNames } from '../scripts/families.ts';
import type { Session } from '../src/backend/backend.ts';
import type { PrimName } from '../src/backend/prims/index.ts';
import { WasmBackend } from '../src/backend/wasm/backend.ts';
import { allPrims } from '../src/backend/wasm/training-prims.ts';
import { allocateArray } from '../src/common/dtype.ts';
import { findHandler, latestOpset, supportedOperators } from '../src/io/onnx/ops/index.ts';
import { HostMemory } from '../src/memory/storage.ts';
import type { OpCase } from '../src/ops/case.ts';
import { execute } from '../src/ops/core/execute.ts';
import type { OpDef } from '../src/ops/core/op.ts';
import { trainingOps } from '../src/ops/training.ts';
import { canBeChannelsLast, elementCount } from '../src/tensor/layout.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { casesOf } from '../test/ops/cases.ts';
import { pages, withTables } from './pages.ts';
import { table } from './table.ts';

const root = new URL('../', import.meta.url);
const opsPage = new URL('docs/ops.md', root);

/** The plain-SIMD kernels, noting which prims of a call they take. */
class Recorder extends WasmBackend {
  readonly taken = new Set<PrimName>();
  readonly left = new Set<PrimName>();

  constructor() {
    super(new WebAssembly.Module(readFileSync(new URL('build/kernels.simd-train.wasm', root))), 'simd', {
      prims: allPrims,
    });
  }

  override session(parent?: Session): ReturnType<WasmBackend['session']> {
    const session = super.session(parent);
    const prepare = session.prepare.bind(session);
    session.prepare = (call) => {
      const steps = prepare(call);
      const kernel = steps.every((step) => step.kernel !== 'js');
      (kernel ? this.taken : this.left).add(call.prim);
      return steps;
    };
    return session;
  }
}

/** Whether a case has elements, float32 ones and none of another floating-point type. */
const isFloat32 = ({ inputs }: OpCase<unknown>): boolean => {
  const given = inputs.filter((input) => input !== null);
  const types = given.map((input) => input.dtype ?? 'float32');
  const empty = given.some((input) => input.shape.includes(0));
  return !empty && types.includes('float32') && !types.some((type) => /^(float64|float16|bfloat16)$/.test(type));
};

/** Inputs of a case in the layouts that the op asks for, so that no conversion is recorded. */
function inputsOf(op: OpDef, { inputs, attrs }: OpCase<unknown>): (Tensor | null)[] {
  const infos = inputs.map((input) => input && { dtype: input.dtype ?? 'float32', shape: input.shape });
  const placed = infos.map(
    (info) => info && { ...info, layout: canBeChannelsLast(info.shape.length) ? ('channelsLast' as const) : 'row' },
  ) as Parameters<OpDef['layouts']>[0];
  const wanted = op.evaluate === undefined ? op.layouts(placed, attrs, op.infer(infos, attrs)).inputs : [];
  return inputs.map((input, i) => {
    if (input === null) return null;
    const dtype = input.dtype ?? 'float32';
    const array = allocateArray(dtype, elementCount(input.shape));
    const [lo, hi] = input.range ?? [0, 1];
    if (input.values !== undefined) array.set(input.values);
    else array.fill((lo + hi) / 2);
    const layout = canBeChannelsLast(input.shape.length) ? (wanted[i] ?? 'row') : 'row';
    const storage = new HostMemory().allocate(array.byteLength);
    const tensor = new Tensor(dtype, input.shape, layout, storage, input.constant ?? false);
    tensor.array.set(array as Float32Array);
    return tensor;
  });
}

/** What an op is lowered to and who runs it, over its float32 cases (over all of them where there are none). */
function opRow(op: OpDef): [prims: string, runs: string] {
  if (op.evaluate !== undefined) return ['–', 'plain JS, after the plan'];
  const backend = new Recorder();
  const all = casesOf(op);
  if (all.length === 0) throw new Error(`${op.name} has no cases, so that nobody knows what it runs`);
  const cases = all.filter(isFloat32);
  for (const opCase of cases.length > 0 ? cases : all) {
    execute(backend, op, inputsOf(op, opCase), opCase.attrs);
  }
  const prims = [...new Set([...backend.taken, ...backend.left])].sort();
  if (prims.length === 0) return ['–', 'nothing to run'];
  const runs =
    backend.left.size === 0 ? 'kernel' : backend.taken.size === 0 ? 'plain JS' : 'kernel; some cases plain JS';
  return [code(prims), runs];
}

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

/** Ops by family: those that the files of its folder export, alone or in a list. */
async function opsByFamily(): Promise<Map<FamilyName, OpDef[]>> {
  const known = new Set<unknown>(trainingOps.values());
  const order = new Map([...trainingOps.values()].map((op, i) => [op, i]));
  const found = new Map<FamilyName, OpDef[]>();
  const seen = new Set<unknown>();
  for (const family of familyNames) {
    const files = readdirSync(new URL(`src/ops/${family}/`, root));
    const modules = await Promise.all(files.map((file) => import(new URL(`src/ops/${family}/${file}`, root).href)));
    const ops = modules
      .flatMap((module) => Object.values(module).flat())
      .filter((value) => known.has(value) && !seen.has(value)) as OpDef[];
    // By the table: a module's own order is not kept by every loader.
    ops.sort((a, b) => order.get(a)! - order.get(b)!);
    for (const op of ops) seen.add(op);
    found.set(family, [...new Set(ops)]);
  }
  const missed = [...known].filter((op) => !seen.has(op)).map((op) => (op as OpDef).name);
  if (missed.length > 0) throw new Error(`no family of src/ops exports ${missed.join(', ')}`);
  return found;
}

/** The opsets in which an operator is taken, as ranges. */
function opsetsOf(operator: string): string {
  const ranges: [number, number][] = [];
  for (let opset = 1; opset <= latestOpset; opset++) {
    if (findHandler('', operator, opset) === null) continue;
    const last = ranges.at(-1);
    if (last?.[1] === opset - 1) last[1] = opset;
    else ranges.push([opset, opset]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}

/** The text of docs/ops.md. */
export async function opsText(): Promise<string> {
  const operators = supportedOperators();
  const sections = [...(await opsByFamily())].map(([family, ops]) => {
    const rows = ops.map((op) => [`\`${op.name}\``, ...opRow(op)]);
    return `### [${family}](../src/ops/${family})\n\n${families[family].about}\n\n${table(['op', 'prims', 'float32 on the WebAssembly backend'], rows)}`;
  });
  return `<!-- Written by \`npm run docs\` from the tables of ops and the importer's tables; edit docs/generate.ts, not this file. -->

# Operators

## ONNX operators

The ${operators.length} operators of the default domain (\`ai.onnx\`) that the importer takes, and in which versions of the operator
set. The newest set that it knows is ${latestOpset}; a model that asks for a newer one is refused. Functions defined in the model file
are inlined. \`npx convlet inspect MODEL\` lists the nodes of a model that cannot be run.

${table(
  ['operator', 'opsets'],
  operators.map((operator) => [operator, opsetsOf(operator)]),
)}

## Ops of the library

What ONNX operators become: the ${trainingOps.size} ops of the library, by family. *Prims* are the primitive
operations of a backend ([prims](../src/backend/prims/index.ts)) that the op's test cases are lowered to; all of them exist in plain
JS too. The last column says what runs the float32 cases on the WebAssembly backend (of an op without any: all its cases). Other element types
run in plain JS on the same memory, except that \`copy\`, \`fill\` and \`take\` are kernels for all types. *After the plan*: the
output's shape depends on the data, so that the op and all behind it run node by node.

${sections.join('\n\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await opsText();
  writeFileSync(opsPage, text);
  console.log(`docs/ops.md: ${text.length} characters`);
  for (const path of Object.keys(pages)) {
    const page = new URL(path, root);
    writeFileSync(page, withTables(readFileSync(page, 'utf8')));
  }
}
