import type { InterpolateAttrs } from '../../src/ops/interpolate/attrs.ts';
import { interpolateDefaults } from '../../src/ops/interpolate/interpolate-table.ts';
import { type BenchCase, type BenchSuite, data } from '../op-suite.ts';

type Given = Partial<Omit<InterpolateAttrs, 'mode'>> & Pick<InterpolateAttrs, 'mode'>;

function resize(label: string, given: Given, channels: number, map: number, out: number): BenchCase {
  return {
    name: `${label} ${channels} @${map}→${out}`,
    op: 'interpolate',
    attrs: { ...interpolateDefaults, outputShape: [1, channels, out, out], ...given },
    inputs: [data(1, channels, map, map)],
  };
}

const nearest = { mode: 'nearest', coordinateMode: 'asymmetric', nearestMode: 'floor' } as const;

export default {
  name: 'interpolate',
  cases: [
    resize('bilinear', { mode: 'linear' }, 64, 56, 112),
    resize('bilinear align_corners', { mode: 'linear', coordinateMode: 'align_corners' }, 256, 16, 32),
    resize('bilinear antialias', { mode: 'linear', antialias: true }, 3, 448, 224),
    resize('nearest', nearest, 64, 56, 112),
    resize('bicubic', { mode: 'cubic' }, 64, 56, 112),
  ],
} satisfies BenchSuite;
