// Statistics of an output's values.

export interface Statistics {
  readonly count: number;
  /** Minimum, maximum and mean are of the values that are not NaN. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly nan: number;
}

export function statisticsOf(data: ArrayLike<number>): Statistics {
  let [min, max, sum, nan] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (Number.isNaN(value)) {
      nan++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  return { count: data.length, min, max, mean: sum / (data.length - nan), nan };
}

/** Indices of the largest values, the first of equals first, without NaN. */
export function topOf(data: ArrayLike<number>, count: number): number[] {
  const top: number[] = [];
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (Number.isNaN(value) || (top.length === count && !(value > data[top[count - 1]]))) continue;
    let at = top.length;
    while (at > 0 && value > data[top[at - 1]]) at--;
    top.splice(at, 0, i);
    if (top.length > count) top.pop();
  }
  return top;
}

/** A number for JSON; values that JSON does not have become text: "NaN", "Infinity". */
export const jsonNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
