// Everything that the host may call. A kernel is `export function name(d: NameDesc, begin: i32, end: i32): void`.
export * from './common/probe';
export * from './act/unary';
