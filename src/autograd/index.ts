export { Engine, engine, executor, traceWith, useBackend } from './engine.ts';
export type { Executor } from './executor.ts';
export { type Operand, scalar } from './methods.ts';
export { apply, apply1, backward, checkpoint, checkpointState, isGradEnabled, noGrad } from './tape.ts';
export { type GradHook, type Values, Variable, variable } from './variable.ts';
