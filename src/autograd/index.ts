export { Engine, engine, executor, traceWith, useBackend } from './engine.ts';
export type { Executor } from './executor.ts';
export { functions, withoutHistory } from './methods.ts';
export { type Operand, scalar } from './promote.ts';
export { isRandomKey, randomKey, recordKeys, replayKeys } from './random-key.ts';
export { stack } from './shape-methods.ts';
export { apply, apply1, backward, checkpoint, isGradEnabled, noGrad, withoutRecording } from './tape.ts';
export { dtypeKind, type GradHook, type Values, Variable, variable } from './variable.ts';
export { asVariable, isVariableLike, type ShapedValues, toVariable, type VariableLike } from './variable-like.ts';
