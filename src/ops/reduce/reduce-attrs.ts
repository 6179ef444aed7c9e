/** `axes` counted from 0, sorted; none reduced where empty (the kind is then applied to each element by itself). */
export interface ReduceOpAttrs {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

export interface ArgReduceOpAttrs {
  readonly axis: number;
  readonly keepDims: boolean;
  readonly selectLast: boolean;
}
