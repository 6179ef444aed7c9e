import type { Variable } from '../autograd/index.ts';
import { ConvletError } from '../common/error.ts';
import { defaultGenerator } from '../common/random.ts';
import type { Batch } from '../data/loader.ts';
import { type CompiledStep, compileStep } from '../nn/compile-step.ts';
import type { Module } from '../nn/module.ts';
import { clipGradNorm } from '../optim/clip.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { forward, type Loss, operand } from './evaluate.ts';

/** What one step needs of the options of `fit`. */
export interface StepParts {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly clipGradNorm?: number;
}

/** Trains on batches. */
export interface Stepper {
  /** The batch's loss before the update. */
  step(batch: Batch): number;
  /** What the model said in the last step; in the JavaScript heap, or valid until the next step. */
  output(): Tensor;
  dispose(): void;
}

/** Op by op. `watch` is called at the places of a step where something may have become non-finite. */
export function eagerStepper(parts: StepParts, watch: Watch = {}): Stepper {
  const { model, optimizer, loss } = parts;
  let output: Variable;
  return {
    step({ input, target }) {
      optimizer.zeroGrad();
      output = forward(model, operand(input));
      const value = loss(output, operand(target));
      const number = value.item();
      watch.loss?.(number);
      value.backward();
      watch.gradients?.();
      if (parts.clipGradNorm !== undefined) clipGradNorm(model.parameters(), parts.clipGradNorm);
      optimizer.step();
      watch.updated?.();
      optimizer.zeroGrad();
      return number;
    },
    output: () => tensor(output.data, output.shape, output.dtype),
    dispose() {},
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
  const compiled: CompiledStep = compileStep(model, parts.loss, optimizer, {
    beforeUpdate:
      parts.clipGradNorm === undefined
        ? undefined
        : () => void clipGradNorm(model.parameters(), parts.clipGradNorm as number),
  });
  return {
    step: ({ input, target }) => compiled.step(input, target),
    output: () => compiled.output,
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
    output: () => current.output(),
    dispose: () => current.dispose(),
  };
}
