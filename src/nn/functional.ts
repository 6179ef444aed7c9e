// torch.nn.functional in camelCase.
export * from './functional/activation.ts';
export * from './functional/conv.ts';
export * from './functional/misc.ts';
export * from './functional/norm.ts';
export * from './functional/pad.ts';
export * from './functional/pool.ts';
export * from './functional/resize.ts';
