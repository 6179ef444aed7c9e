import type { Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { defaultGenerator } from '../common/random.ts';
import type { Structure } from '../common/structure.ts';
import type { AnyBatch } from '../data/loader.ts';
import { Accumulator, samplesOf, weighted } from '../nn/accumulate.ts';
import { forwardBatch, type Loss, lossOf, lossValue } from '../nn/call.ts';
import { compileStep, learningOf } from '../nn/compile-step.ts';
import type { AnyModule, Module } from '../nn/module.ts';
import { clipGradNorm } from '../optim/clip.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { kept, operand } from './evaluate.ts';

/** What one step needs of the options of `fit`. */
export interface StepParts {
  readonly model: AnyModule;
  readonly optimizer: Optimizer;
  // biome-ignore lint/suspicious/noExplicitAny: of whatever the model returns and the loader gives
  readonly loss: Loss<any, any>;
  readonly clipGradNorm?: number;
  readonly accumulate?: number;
}

/** Trains on batches. */
export interface Stepper {
  /** The batch's loss before the update. */
  step(batch: AnyBatch): number;
  /** Whether gradients are added up that no update has used yet. */
  readonly isWaiting: boolean;
  /** Updates with what is waiting; says whether there was anything. */
  flush(): boolean;
  /** What the model said in the last step; valid until the next step. */
  output(): Structure<Tensor>;
  dispose(): void;
}

/** Op by op. `watch` is called at the places of a step where something may have become non-finite. */
export function eagerStepper(parts: StepParts, watch: Watch = {}): Stepper {
  const { model, optimizer, accumulate = 1 } = parts;
  const loss = lossOf('fit', parts.loss);
  const accumulator = accumulate > 1 ? new Accumulator() : null;
  let output: unknown;
  let waiting = 0;
  const update = (): void => {
    accumulator?.count(0, true);
    accumulator?.spread(learningOf(model, optimizer));
    if (parts.clipGradNorm !== undefined) clipGradNorm(model.parameters(), parts.clipGradNorm);
    optimizer.step();
    watch.updated?.();
    optimizer.zeroGrad();
    accumulator?.reset();
    waiting = 0;
  };
  return {
    step({ input, target }) {
      if (waiting === 0) optimizer.zeroGrad();
      output = forwardBatch(model, operand(input));
      const value = lossValue('fit', loss(output, operand(target)));
      const number = value.item();
      watch.loss?.(number);
      if (accumulator === null) value.backward();
      else {
        const samples = samplesOf('fit', [input]);
        accumulator.count(samples, false);
        weighted(value, samples).backward();
      }
      watch.gradients?.();
      waiting++;
      if (waiting === accumulate) update();
      return number;
    },
    get isWaiting() {
      return waiting > 0;
    },
    flush() {
      if (waiting === 0) return false;
      update();
      return true;
    },
    output: () => kept(output),
    dispose: () => accumulator?.dispose(),
  };
}

export interface Watch {
  loss?(value: number): void;
  gradients?(): void;
  updated?(): void;
}

/** As one plan per batch shape. */
function compiledStepper(parts: StepParts): Stepper {
  const { model, optimizer } = parts;
  // Typed as a model of one variable: the types of structures are not known here.
  const compiled = compileStep(model as Module, parts.loss as Loss, optimizer, {
    forward: (input) => forwardBatch(model, input) as Variable,
    beforeUpdate:
      parts.clipGradNorm === undefined
        ? undefined
        : () => void clipGradNorm(model.parameters(), parts.clipGradNorm as number),
    accumulate: parts.accumulate,
  });
  return {
    step: ({ input, target }) => compiled.step(input, target),
    get isWaiting() {
      return compiled.isWaiting;
    },
    flush: () => compiled.flush(),
    output: (): Structure<Tensor> => compiled.output,
    dispose: () => compiled.dispose(),
  };
}

/**
 * A stepper that compiles, and that goes on op by op where a model cannot be compiled (its shapes depend on data), unless
 * `compiled` insists.
 */
export function createStepper(parts: StepParts, compiled: boolean | undefined): Stepper {
  if (compiled === false) return eagerStepper(parts);
  let current = compiledStepper(parts);
  let works = compiled === true;
  return {
    step(batch) {
      if (works) return current.step(batch);
      const random = defaultGenerator.state;
      const counts = parts.optimizer.paramGroups.map(({ stepCount }) => stepCount);
      try {
        const loss = current.step(batch);
        works = true;
        return loss;
      } catch (error) {
        if (!(error instanceof ConvletError && error.code === 'unsupported')) throw error;
        current.dispose();
        // As if nothing had been tried.
        defaultGenerator.state = random;
        parts.optimizer.paramGroups.forEach((group, i) => {
          group.stepCount = counts[i];
        });
        current = eagerStepper(parts);
        works = true;
        return current.step(batch);
      }
    },
    get isWaiting() {
      return current.isWaiting;
    },
    flush: () => current.flush(),
    output: () => current.output(),
    dispose: () => current.dispose(),
  };
}
