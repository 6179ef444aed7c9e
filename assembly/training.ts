// The kernels that training calls in addition to those of index.ts: only the builds *-train.wasm have them.
export * from './elementwise/unary-grad';
export * from './conv/conv-weight-grad';
export * from './conv/winograd-grad';
export * from './reduce/softmax-grad';
export * from './loss/loss';
export * from './optimizer/optimizer';
export * from './pool/pool-grad';
export * from './norm/lrn-grad';
export * from './norm/moments';
export * from './norm/norm-grad';
