import type { Handler, Handlers } from '../context.ts';
import type { OnnxNode } from '../model.ts';
import { activationHandlers } from './activation.ts';
import { constantHandlers } from './constant.ts';
import { controlHandlers } from './control.ts';
import { convHandlers } from './conv.ts';
import { einsumHandlers } from './einsum.ts';
import { indexHandlers } from './index-ops.ts';
import { lossHandlers } from './loss.ts';
import { mathHandlers } from './math.ts';
import { normHandlers } from './norm.ts';
import { poolHandlers } from './pool.ts';
import { quantizeHandlers } from './quantize.ts';
import { reduceHandlers } from './reduce.ts';
import { resizeHandlers } from './resize.ts';
import { shapeHandlers } from './shape.ts';
import { sliceHandlers } from './slice.ts';

/** Highest version of the default operator set against which the handlers were checked. */
export const latestOpset = 27;

/** Operators by domain ('' is ai.onnx). */
const domains: { readonly [domain: string]: Handlers } = {
  '': {
    ...activationHandlers,
    ...constantHandlers,
    ...controlHandlers,
    ...convHandlers,
    ...einsumHandlers,
    ...indexHandlers,
    ...lossHandlers,
    ...mathHandlers,
    ...normHandlers,
    ...poolHandlers,
    ...quantizeHandlers,
    ...reduceHandlers,
    ...resizeHandlers,
    ...shapeHandlers,
    ...sliceHandlers,
  },
};

/** The handler of an operator in a version of its domain's operator set, or null. */
export function findHandler(domain: string, opType: string, opset: number): Handler | null {
  const handlers = Object.hasOwn(domains, domain) ? domains[domain] : {};
  const handler = Object.hasOwn(handlers, opType) ? handlers[opType] : null;
  if (handler === null) return null;
  return opset >= handler.since && opset < (handler.until ?? Number.POSITIVE_INFINITY) ? handler : null;
}

/** Why a node cannot be imported, judged by its operator only; null if it can. */
export function whyUnsupported(node: OnnxNode, opset: number): string | null {
  if (opset === 0) return 'the model imports no operator set of this domain';
  if (findHandler(node.domain, node.opType, opset) !== null) return null;
  const handler = domains[node.domain]?.[node.opType];
  if (handler === undefined) return 'convlet has no such operator';
  return opset < handler.since ? `supported since opset ${handler.since}` : `only before opset ${handler.until}`;
}

/** Names of all supported operators of ai.onnx, for the docs. */
export const supportedOperators = (): string[] => Object.keys(domains['']).sort();
