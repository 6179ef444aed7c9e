// Training loop, checkpoints and reports of convlet/train.

export type { Loss } from '../nn/call.ts';
export {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  type Json,
  loadCheckpoint,
  saveCheckpoint,
} from './checkpoint.ts';
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts';
export { fit } from './fit.ts';
export { type EpochRecord, History, type TracePoint } from './history.ts';
export type {
  Callback,
  CheckpointOptions,
  EarlyStopping,
  FitOptions,
  FitResult,
  LogOptions,
  PlateauSchedule,
  StepInfo,
} from './options.ts';
export { defaultTerminal, type Terminal } from './progress.ts';
export { htmlReport, type ReportOptions } from './report.ts';
export { loadStateDict, saveStateDict } from './state-file.ts';
