// Everything that the host may call. A kernel is `export function name(d: NameDesc, begin: i32, end: i32): void`.
export * from './common/probe';
export * from './act/unary';
export * from './copy/copy';
export * from './copy/fill';
export * from './copy/take';
export * from './act/binary';
export * from './conv/conv';
export * from './conv/conv-depthwise';
export * from './matmul/matmul';
export * from './pack/panels';
export * from './reduce/reduce';
export * from './reduce/softmax';
export * from './pool/pool';
export * from './norm/scale';
export * from './norm/normalize';
export * from './norm/lrn';
export * from './interp/resample';
