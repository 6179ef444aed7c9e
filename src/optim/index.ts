// torch.optim and torch.optim.lr_scheduler in camelCase.
export * from './adam.ts';
export * from './clip.ts';
export * from './cycles.ts';
export * from './ema.ts';
export { Optimizer, type OptimizerState, type ParamGroup, type Params } from './optimizer.ts';
export * from './schedule.ts';
export * from './sgd.ts';
