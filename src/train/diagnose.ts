import { Variable } from '../autograd/index.ts';
import type { TypedArray } from '../common/dtype.ts';
import { defaultGenerator, type RandomState } from '../common/random.ts';
import type { AnyBatch, AnyLoader, LoaderState } from '../data/loader.ts';
import type { AnyModule, StateDict } from '../nn/module.ts';
import { partsOf } from '../nn/traced.ts';
import { watchForward } from '../nn/watch.ts';
import type { OptimizerState } from '../optim/optimizer.ts';
import { eagerStepper, type StepParts, type Stepper, type Watch } from './step.ts';

/** A state of training in the JavaScript heap. */
interface Snapshot {
  readonly model: StateDict;
  readonly optimizer: OptimizerState;
  readonly random: RandomState;
  /** Batches since then, with the numbers of their steps. */
  readonly batches: { readonly at: LoaderState; readonly step: number }[];
}

/** Batches that are repeated at most to find where a number became non-finite. */
const reach = 50;

/** What was found; `description` says where, `batch` in which. */
interface Finding {
  readonly description: string;
  readonly batch: AnyBatch;
  readonly at: LoaderState;
  readonly step: number;
  /** Batches ago: 0 is the one that was noticed. */
  readonly ago: number;
}

/**
 * Keeps a recent state of training. When a loss is no number, the steps since are repeated op by op from there (training is
 * deterministic), and every layer's output, every gradient and every weight is looked at.
 */
export class Recorder {
  static readonly name: string = 'Recorder';

  private readonly parts: StepParts;
  private readonly loader: AnyLoader;
  private snapshot: Snapshot | null = null;

  constructor(parts: StepParts, loader: AnyLoader) {
    this.parts = parts;
    this.loader = loader;
  }

  /** Call before each batch. `begins`: no gradients are waiting for an update; a state is complete only then. */
  before(at: LoaderState, step: number, begins: boolean): void {
    if (this.snapshot === null || (begins && this.snapshot.batches.length >= reach)) this.snapshot = this.capture();
    this.snapshot.batches.push({ at, step });
  }

  /**
   * Finds the first non-finite number since the snapshot. Model and optimizer are left as they were before that step.
   *
   * @returns null if repeating the steps gave none
   */
  async find(): Promise<Finding | null> {
    const { model } = this.parts;
    const { batches, ...start } = this.snapshot!;
    this.restore(start);
    model.train();
    const found: string[] = [];
    const stepper = eagerStepper(this.parts, this.watch(found));
    let before: Snapshot | null = null;
    try {
      for (const [i, { at, step }] of batches.entries()) {
        const batch = await this.loader.load(at.epoch, at.batch);
        if (!stepper.isWaiting) before = this.capture();
        this.repeat(stepper, batch, found);
        // The last batch of an epoch ends its update.
        if (batches[i + 1]?.step !== step && i + 1 < batches.length) stepper.flush();
        if (found.length === 0) continue;
        this.restore(before!);
        return { description: found[0], batch, at, step, ago: batches.length - 1 - i };
      }
      return null;
    } finally {
      this.parts.optimizer.zeroGrad();
      stepper.dispose();
    }
  }

  /** One batch; notes what became non-finite in it. */
  private repeat(stepper: Stepper, batch: AnyBatch, found: string[]): void {
    const { model } = this.parts;
    for (const input of partsOf('fit', batch.input).parts) {
      const { data } = input;
      const wrong = data.findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0) {
        const sample = batch.indices[Math.floor((wrong * batch.indices.length) / data.length)];
        found.push(`the input of sample ${sample} (${data[wrong]})`);
        return;
      }
    }
    for (const [name, parameter] of model.namedParameters())
      note(found, `parameter '${name}' before the step`, parameter.data);
    const unwatch = watchLayers(model, (layer, output) => note(found, layer, output.data));
    try {
      stepper.step(batch);
    } finally {
      unwatch();
    }
  }

  /** Looks at every gradient and every weight. */
  private watch(found: string[]): Watch {
    const { model } = this.parts;
    return {
      loss(value) {
        if (!Number.isFinite(value)) found.push(`the loss function (${value})`);
      },
      // Of the last layers first, as backward() goes.
      gradients() {
        for (const [name, { grad }] of [...model.namedParameters()].reverse())
          if (grad !== null) note(found, `the gradient of '${name}'`, grad.data);
      },
      updated() {
        for (const [name, parameter] of model.namedParameters()) note(found, `the update of '${name}'`, parameter.data);
      },
    };
  }

  private capture(): Snapshot {
    const { model, optimizer } = this.parts;
    return {
      model: model.stateDict(),
      optimizer: optimizer.stateDict(),
      random: defaultGenerator.state,
      batches: [],
    };
  }

  private restore({ model, optimizer, random }: Omit<Snapshot, 'batches'>): void {
    this.parts.model.loadStateDict(model);
    this.parts.optimizer.dispose();
    this.parts.optimizer.loadStateDict(optimizer);
    defaultGenerator.state = random;
  }
}

function note(found: string[], what: string, values: TypedArray): void {
  const bad = firstNonFinite(values);
  if (bad !== null) found.push(`${what} (${bad})`);
}

function firstNonFinite(values: TypedArray): number | null {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return values[i];
  return null;
}

/** Calls `seen` with what each layer returns, inner layers before those around them. Returns how to end it. */
function watchLayers(model: AnyModule, seen: (layer: string, output: Variable) => void): () => void {
  return watchForward(model, (name, module, forward) => {
    const output = forward();
    const kind = module.constructor.name.replace(/^_/, '');
    if (output instanceof Variable)
      seen(name === '' ? `the output of the model (${kind})` : `the output of layer '${name}' (${kind})`, output);
    return output;
  });
}
