// torch.nn: what a network is put together from.
export type { ForwardHook, ForwardPreHook, HookHandle } from './hooks.ts';
export * as init from './init.ts';
export * from './layers/activation.ts';
export * from './layers/containers.ts';
export * from './layers/conv.ts';
export type { Layer, LayerClass } from './layers/layer.ts';
export * from './layers/loss.ts';
export * from './layers/misc.ts';
export * from './layers/norm.ts';
export * from './layers/pool.ts';
export { type AnyModule, Module, type StateDict, type StateSource } from './module.ts';
export { ModuleBuffer as Buffer, Parameter } from './parameter.ts';
export * as prune from './prune.ts';
export * as quant from './quant.ts';
