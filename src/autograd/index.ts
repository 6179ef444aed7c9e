export { Engine, engine, executor, traceWith, useBackend } from './engine.ts';
export type { Executor } from './executor.ts';
export { functions } from './methods.ts';
export { type Operand, scalar } from './promote.ts';
export { randomKey } from './random-key.ts';
export { apply, apply1, backward, checkpoint, isGradEnabled, noGrad, withoutRecording } from './tape.ts';
export { type GradHook, type Values, Variable, variable } from './variable.ts';
