// torch.nn.functional in camelCase.

export * from '../loss.ts';
export * from './activation.ts';
export * from './conv.ts';
export * from './create.ts';
export * from './misc.ts';
export * from './norm.ts';
export * from './pad.ts';
export * from './pool.ts';
export * from './random.ts';
export * from './resize.ts';
export * from './tensor.ts';
