// The only list of families: the check, the benchmarks and the docs read it. A family has a folder of its name, or one
// file, on every layer; if it has none on a layer, `without` says why.

/** The layers that are divided into families: folder → what a family has in it. */
export const familyLayers = {
  'src/backend/prims': 'prims: their attributes, kinds and inputs by name',
  'src/ops': 'ops: shapes, checks, lowering, gradients',
  'src/backend/js': 'prims in plain JS: the specification',
  'src/backend/wasm': 'bindings: which kernel does it, how the work is cut',
  assembly: 'kernels',
  'test/ops': 'cases on every backend, values from elsewhere',
  'test/kernels': 'property tests of kernels',
  bench: 'kernels against plain JS',
} as const;
export type FamilyLayer = keyof typeof familyLayers;

export interface Family {
  readonly about: string;
  readonly without?: { readonly [layer in FamilyLayer]?: string };
}

const host = 'runs in plain JS (the prim `host`): no hot loop';
const others = (prims: string): NonNullable<Family['without']> => {
  const why = `lowered to ${prims}`;
  return {
    'src/backend/prims': why,
    'src/backend/js': why,
    'src/backend/wasm': why,
    assembly: why,
    'test/kernels': why,
  };
};
const step = 'measured as a part of training steps: bench/training';

export const families = {
  conv: { about: 'convolution, transposed, weight gradient, unfold and fold' },
  pool: { about: 'pooling, adaptive, LP, unpooling' },
  norm: { about: 'batch, layer, group, instance norm, local response' },
  elementwise: { about: 'functions of one and two values, where, cast, assign, activations' },
  reduce: { about: 'reductions, arg, softmax, cumulative, sort, top-k' },
  matmul: { about: 'matrix products' },
  copy: { about: 'copy, concat, slice, transpose, reshape, pad, depth-to-space, gather, scatter, take, fill' },
  interpolate: { about: 'resize in all its kinds' },
  sample: {
    about: 'grid sample, affine grid, RoiAlign, detection',
    without: {
      'src/backend/prims': host,
      'src/backend/js': host,
      'src/backend/wasm': host,
      assembly: host,
      'test/kernels': host,
      bench: host,
    },
  },
  loss: { about: 'losses, CTC', without: { bench: step, 'test/kernels': 'in test/kernels/gradients.test.ts' } },
  random: { about: 'dropout, masks, draws', without: { ...others('elementwise prims'), bench: step } },
  optimizer: { about: 'updates of parameters', without: { bench: step, 'test/kernels': 'in test/ops/optimizer' } },
  quantize: {
    about: 'quantize, dequantize, integer convolution and matmul',
    without: { ...others('prims of other families'), bench: 'no kernels yet' },
  },
} as const satisfies { readonly [name: string]: Family };
export type FamilyName = keyof typeof families;
export const familyNames = Object.keys(families) as FamilyName[];
