import { ConvletError, shapeText } from '../common/error.ts';
import { checkOptions, flag, type KnownOf, kind, shown } from '../common/options.ts';
import { executor } from './engine.ts';
import { noGrad } from './no-grad.ts';
import { expectRecording, ones, reachable, recordedPass, release } from './tape.ts';
import { type TapeNode, Variable } from './variable.ts';

/** Of grad. */
export interface GradOptions {
  /** Gradients by the outputs; may be left out (or null) for outputs of one element: 1. */
  readonly gradOutputs?: Variable | null | readonly (Variable | null)[];
  /** Records the backward pass too: what is returned can be differentiated again. */
  readonly createGraph?: boolean;
  /** Lets the graph be backpropagated again. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Gives null for an input on which no output depends, instead of an error. */
  readonly allowUnused?: boolean;
}

const gradKnown: KnownOf<GradOptions> = {
  gradOutputs: kind('a variable or null for each output', (value) =>
    [value].flat().every((grad) => grad === null || grad instanceof Variable),
  ),
  createGraph: flag,
  retainGraph: flag,
  allowUnused: flag,
};

function listOf(name: string, given: Variable | readonly Variable[]): readonly Variable[] {
  const list = given instanceof Variable ? [given] : given;
  if (!Array.isArray(list) || list.length === 0 || !list.every((entry) => entry instanceof Variable))
    throw new ConvletError('argument', `grad: ${name} expects a variable, or an array of them, got ${shown(given)}`);
  return list;
}

/**
 * Gradients of the sum of the outputs by the inputs (torch.autograd.grad). Nothing is added to any `grad`. Only what lies between
 * outputs and inputs is computed.
 *
 * ```ts
 * const [slope] = grad(model.forward(x).sum(), x, { createGraph: true }); // by x, itself with a history
 * slope.norm().sub(1).square().backward();                                // a gradient penalty
 * ```
 *
 * @returns a gradient for each input, in their order; null with allowUnused where no output depends on it
 * @throws ConvletError `argument` for an output without a graph, or an input on which none depends; `shape` for gradOutputs of another
 * shape; `unsupported` naming an op that has no gradient, or with createGraph no second one
 */
export function grad(
  outputs: Variable | readonly Variable[],
  inputs: Variable | readonly Variable[],
  options: GradOptions & { readonly allowUnused: true },
): (Variable | null)[];
export function grad(
  outputs: Variable | readonly Variable[],
  inputs: Variable | readonly Variable[],
  options?: GradOptions,
): Variable[];
export function grad(
  outputs: Variable | readonly Variable[],
  inputs: Variable | readonly Variable[],
  options: GradOptions = {},
): (Variable | null)[] {
  checkOptions('grad', options, gradKnown);
  const { createGraph = false, retainGraph = createGraph, allowUnused = false } = options;
  if (createGraph) expectRecording('grad');
  const roots = listOf('outputs', outputs);
  const targets = listOf('inputs', inputs);
  const given = options.gradOutputs === undefined ? [] : [options.gradOutputs].flat();
  const seeds = roots.map(
    (root, i) => [root, seedOf(root, (given as readonly (Variable | null)[])[i] ?? null)] as const,
  );
  for (const target of targets) {
    if (!target.requiresGrad)
      throw new ConvletError(
        'argument',
        `grad: an input of shape ${shapeText(target.shape)} does not require gradients`,
      );
  }
  const nodes = reachable(roots);
  const wanted = new Set(targets);
  const leading = nodesLeadingTo(nodes, wanted);
  const wants = (input: Variable): boolean => wanted.has(input) || (input.node !== null && leading.has(input.node));
  const pass = (): (Variable | null)[] => {
    const found = recordedPass(
      nodes.filter((node) => leading.has(node)),
      seeds,
      wants,
      wanted,
    );
    return targets.map((target) => found.get(target) ?? null);
  };
  const results = createGraph ? pass() : noGrad(pass);
  release(executor(), nodes, roots, retainGraph);
  const unused = results.indexOf(null);
  if (unused < 0 || allowUnused) return results;
  throw new ConvletError(
    'argument',
    `grad: no output depends on input ${unused} (shape ${shapeText(targets[unused].shape)}); give allowUnused: true for null`,
  );
}

function seedOf(root: Variable, given: Variable | null): Variable {
  if (!root.requiresGrad)
    throw new ConvletError('argument', 'grad: an output does not depend on anything that requires gradients');
  if (given === null) {
    if (root.size === 1) return ones(root.dtype, root.shape);
    throw new ConvletError(
      'argument',
      `grad: gradOutputs is needed for an output of shape ${shapeText(root.shape)}; only one element goes without`,
    );
  }
  if (shapeText(given.shape) === shapeText(root.shape)) return given;
  throw new ConvletError(
    'shape',
    `grad: gradOutputs expects shape ${shapeText(root.shape)}, got ${shapeText(given.shape)}`,
  );
}

/** The nodes through which gradients reach what is wanted. */
function nodesLeadingTo(nodes: readonly TapeNode[], wanted: ReadonlySet<Variable>): ReadonlySet<TapeNode> {
  const found = new Set<TapeNode>();
  // The earliest first: a node leads there if an input is wanted, or made by a node that does.
  for (const node of [...nodes].reverse()) {
    const leads = node.inputs.some(
      (input) => input !== null && (wanted.has(input) || (input.node !== null && found.has(input.node))),
    );
    if (leads) found.add(node);
  }
  return found;
}
