/** Product of all values; 1 of none. */
export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);
