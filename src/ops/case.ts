// Types and helpers of the ops' cases. The package imports none of these files (scripts/layers.ts).

import type { DType } from '../common/dtype.ts';
import type { OpName, Ops } from './attrs.ts';
import type { SpatialAttrs } from './conv/attrs.ts';

/** One example of an op, for tests and docs: it runs on every backend and variant and is compared with plain JS. */
export interface OpCase<A> {
  readonly attrs: A;
  readonly inputs: readonly (OpCaseInput | null)[];
}

export interface OpCaseInput {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Uniform range of the seeded values (default −1…1; integers are rounded). */
  readonly range?: readonly [number, number];
  readonly values?: readonly number[];
  /** Whether the input is a constant (weights that a backend may pack before the run). Default of the tests: both. */
  readonly constant?: boolean;
}

/** The cases of the ops named: an op of a family without cases does not compile. */
export type CasesOf<N extends OpName> = { readonly [K in N]: readonly OpCase<Ops[K]>[] };

/** Cases by op for the kinds of one function; `nameOf`: the op of a kind, if its name is not that of the kind. */
export function tableOf<K extends string, A>(
  kinds: readonly K[],
  casesOf: (kind: K) => readonly OpCase<A>[],
): { readonly [N in K]: readonly OpCase<A>[] };
export function tableOf<K extends string, A, N extends string>(
  kinds: readonly K[],
  casesOf: (kind: K) => readonly OpCase<A>[],
  nameOf: (kind: K) => N,
): { readonly [name in N]: readonly OpCase<A>[] };
export function tableOf<K extends string, A>(
  kinds: readonly K[],
  casesOf: (kind: K) => readonly OpCase<A>[],
  nameOf: (kind: K) => string = (kind) => kind,
): { readonly [name: string]: readonly OpCase<A>[] } {
  return Object.fromEntries(kinds.map((kind) => [nameOf(kind), casesOf(kind)]));
}

/** Attributes of a case: the given ones over stride 1, dilation 1, no padding. */
export function caseSpatial(rank: number, given: Partial<SpatialAttrs> = {}): SpatialAttrs {
  const all = (value: number): number[] => new Array<number>(rank).fill(value);
  return { stride: all(1), padBegin: all(0), padEnd: all(0), dilation: all(1), ...given };
}

export const random = (...shape: number[]): OpCaseInput => ({ shape });
