import type { Triple } from '../../prims/window.ts';

type Axes<P extends string> = { [K in `${P}${'D' | 'H' | 'W'}`]: number };

/** The fields of a triple: `axes('pad', …)` is padD, padH, padW. */
export const axes = <P extends string>(prefix: P, [d, h, w]: Triple): Axes<P> =>
  ({ [`${prefix}D`]: d, [`${prefix}H`]: h, [`${prefix}W`]: w }) as Axes<P>;

export interface Window {
  readonly input: Triple;
  readonly output: Triple;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly dilation: Triple;
  /** Padding before each axis. */
  readonly padBegin: Triple;
}

/** The fields of descriptors that say how a window moves over its input. */
export const geometryFields = ({ input, output, kernel, stride, dilation, padBegin }: Window) => ({
  ...axes('input', input),
  ...axes('output', output),
  ...axes('kernel', kernel),
  ...axes('stride', stride),
  ...axes('dilation', dilation),
  ...axes('pad', padBegin),
});
