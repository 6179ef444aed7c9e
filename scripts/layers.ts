// The only table of layers: the check enforces it, and ARCHITECTURE.md prints it.

import { familyNames } from './families.ts';

export interface Layer {
  /**
   * Folders (with a slash at the end; a * stands for any name) and files that belong to the layer. A file belongs to the
   * layer that names it most exactly: `src/ops/check.ts` before `src/ops/`, `src/ops/core/` before `src/ops/` and any folder.
   */
  readonly paths: readonly string[];
  readonly what: string;
  /** Layers whose files these files may import, types included: only rows above this one, so there is no cycle. */
  readonly imports: readonly string[];
}

const filesOfFamilies = (folder: string, file: string): string[] =>
  familyNames.map((family) => `${folder}/${family}/${file}`);

export const layers = {
  assembly: {
    paths: ['assembly/'],
    what: 'AssemblyScript kernels: pure functions of a descriptor and a range of work units. No heap, no globals, no data segments, one import (`env.memory`)',
    imports: [],
  },
  common: {
    paths: ['src/common/'],
    what: '`ConvletError`, element types, half-precision rounding, random numbers',
    imports: [],
  },
  abi: {
    paths: ['src/abi/'],
    what: 'descriptor layouts and kernel types generated from `assembly/`, variants and their probes',
    imports: [],
  },
  memory: {
    paths: ['src/memory/'],
    what: 'storages; the allocator over a WebAssembly.Memory; live and peak bytes',
    imports: ['common'],
  },
  tensor: {
    paths: ['src/tensor/'],
    what: '`Tensor` = logical shape, element type, layout, storage. No math',
    imports: ['memory', 'common'],
  },
  'backend/prims': {
    paths: ['src/backend/prims/'],
    what: 'prims, to which ops are lowered: one file per family',
    imports: ['tensor', 'abi', 'common'],
  },
  backend: {
    paths: ['src/backend/'],
    what: 'interfaces of a backend: sessions, steps, runners',
    imports: ['backend/prims', 'tensor', 'memory', 'common'],
  },
  'backend/js/families': {
    paths: ['src/backend/js/*/'],
    what: 'prims in plain TypeScript: their specification',
    imports: ['backend', 'backend/prims', 'tensor', 'common'],
  },
  'backend/js': {
    paths: ['src/backend/js/'],
    what: 'the backend in plain JS, the tables of its prims',
    imports: ['backend/js/families', 'backend', 'backend/prims', 'tensor', 'memory', 'common'],
  },
  'backend/wasm/core': {
    paths: ['src/backend/wasm/core/'],
    what: 'common parts of the bindings: session, team of threads, blocks, panels, epilogue, scratch memory',
    imports: ['backend', 'backend/prims', 'abi', 'tensor', 'memory', 'common'],
  },
  'backend/wasm/families': {
    paths: ['src/backend/wasm/*/'],
    what: 'bindings: which kernel computes a prim, and how its work is cut',
    imports: ['backend/wasm/core', 'backend/js/families', 'backend', 'backend/prims', 'abi', 'tensor', 'common'],
  },
  'backend/wasm': {
    paths: ['src/backend/wasm/'],
    what: 'the WebAssembly backend, the tables of its prims',
    imports: [
      'backend/wasm/families',
      'backend/wasm/core',
      'backend/js',
      'backend',
      'backend/prims',
      'abi',
      'memory',
      'common',
    ],
  },
  'ops/attrs': {
    paths: [...filesOfFamilies('src/ops', 'attrs.ts'), 'src/ops/attrs.ts', 'src/ops/no-attrs.ts'],
    what: 'types of ops: the attributes of every op by its name',
    imports: ['backend/prims', 'common'],
  },
  'ops/core': {
    paths: ['src/ops/core/'],
    what: '`defineOp`, tables of ops, helpers of gradients, lowering to prims, eager execution',
    imports: ['ops/attrs', 'backend', 'backend/prims', 'tensor', 'memory', 'common'],
  },
  'ops/check': {
    paths: ['src/ops/check.ts', 'src/ops/window.ts'],
    what: 'checks of inputs and attributes, geometry of windows',
    imports: ['ops/core', 'ops/attrs', 'backend/prims', 'common'],
  },
  'ops/families': {
    paths: ['src/ops/*/'],
    what: 'ops: shapes and checks, layout rule, lowering, gradient, cost',
    imports: ['ops/check', 'ops/core', 'ops/attrs', 'backend/js/families', 'backend/prims', 'tensor', 'common'],
  },
  'ops/cases': {
    paths: [...filesOfFamilies('src/ops', 'cases.ts'), 'src/ops/cases.ts', 'src/ops/case.ts'],
    what: 'examples of every op, for tests and docs: no layer may import them, so the package does not contain them',
    imports: ['ops/families', 'ops/check', 'ops/attrs', 'backend/prims', 'common'],
  },
  ops: {
    paths: ['src/ops/'],
    what: 'the tables of all ops: `index.ts`, and `training.ts` with those that only training needs',
    imports: ['ops/families', 'ops/core'],
  },
  graph: {
    paths: ['src/graph/'],
    what: 'graph IR with concrete shapes, builder with constant folding',
    imports: ['ops', 'ops/core', 'backend/js', 'backend', 'tensor', 'common', 'ops/attrs'],
  },
  'graph/passes': {
    paths: ['src/graph/passes/'],
    what: 'passes: folding into weights, fusion, patterns',
    imports: ['graph', 'ops', 'ops/families', 'backend', 'backend/prims', 'tensor', 'common', 'ops/attrs'],
  },
  compile: {
    paths: ['src/compile/'],
    what: 'lowering of a graph, views, memory plan, `Plan`, the cache of plans',
    imports: ['graph', 'ops/core', 'backend', 'backend/prims', 'tensor', 'memory', 'common'],
  },
  io: {
    paths: ['src/io/'],
    what: 'npy, safetensors, pictures',
    imports: ['common'],
  },
  'io/onnx': {
    paths: ['src/io/onnx/'],
    what: 'ONNX: reader of the file, importer with one handler per operator, interpreted tail',
    imports: [
      'io',
      'graph',
      'ops/families',
      'ops/check',
      'ops/core',
      'backend/js',
      'backend',
      'tensor',
      'memory',
      'common',
      'ops/attrs',
      'backend/prims',
    ],
  },
  autograd: {
    paths: ['src/autograd/'],
    what: 'variables, the engine, which owns the memory of results, the tape: recording, backward, `noGrad`, `checkpoint`',
    imports: ['ops', 'ops/check', 'ops/core', 'backend', 'tensor', 'memory', 'common', 'ops/attrs', 'backend/prims'],
  },
  optim: {
    paths: ['src/optim/'],
    what: 'optimizers, schedules, clipping: updates are ops that write in place',
    imports: ['autograd', 'ops/families', 'tensor', 'common', 'ops/attrs'],
  },
  nn: {
    paths: ['src/nn/'],
    what: '`F`, modules, initialisers, losses; traces of models; compiled models and steps',
    imports: [
      'optim',
      'autograd',
      'compile',
      'graph',
      'graph/passes',
      'ops/families',
      'ops/check',
      'ops/core',
      'backend/js',
      'tensor',
      'common',
      'ops/attrs',
      'backend/prims',
    ],
  },
  data: {
    paths: ['src/data/'],
    what: 'data sets, transforms, loaders',
    imports: ['io', 'tensor', 'common'],
  },
  train: {
    paths: ['src/train/'],
    what: '`fit`, `evaluate`, checkpoints, progress',
    imports: ['data', 'nn', 'optim', 'autograd', 'io', 'tensor', 'common'],
  },
  runtime: {
    paths: ['src/runtime/'],
    what: '`load`, `Model`, one entry per runtime; inference only',
    imports: [
      'io/onnx',
      'compile',
      'graph',
      'graph/passes',
      'backend/wasm',
      'backend/wasm/core',
      'backend/js',
      'backend',
      'backend/prims',
      'abi',
      'tensor',
      'memory',
      'common',
    ],
  },
  'runtime/train': {
    paths: [
      'src/runtime/train-public.ts',
      'src/runtime/init.ts',
      'src/runtime/embedded-training-kernels.ts',
      'src/runtime/node-training.ts',
      'src/runtime/node-train.ts',
      'src/runtime/workerd-train.ts',
      'src/runtime/edge-light-train.ts',
    ],
    what: '`init`, the exports of `convlet/train`, its entry per runtime',
    imports: ['runtime', 'train', 'data', 'nn', 'optim', 'autograd', 'backend/wasm', 'abi', 'tensor', 'common'],
  },
  cli: {
    paths: ['src/cli/'],
    what: '`npx convlet`',
    imports: [
      'runtime',
      'io/onnx',
      'io',
      'compile',
      'graph',
      'graph/passes',
      'backend/wasm',
      'backend',
      'abi',
      'tensor',
      'common',
    ],
  },
  entries: {
    paths: ['src/'],
    what: 'entries of the package for browsers: `convlet`, `convlet/train`',
    imports: ['runtime', 'runtime/train'],
  },
} as const satisfies { readonly [name: string]: Layer };
