import { describe, expect, test } from 'vitest';
import { execute } from '../../../src/ops/core/execute.ts';
import { Lowering } from '../../../src/ops/core/lower.ts';
import type { InterpolateAttrs } from '../../../src/ops/interpolate/attrs.ts';
import { interpolate } from '../../../src/ops/interpolate/interpolate.ts';
import { type AxisResize, axisTable, interpolateDefaults } from '../../../src/ops/interpolate/interpolate-table.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { jsBackend } from '../../support/js-backend.ts';
import { inferError, opTests } from '../harness.ts';

opTests('interpolate', [interpolate]);

const js = jsBackend();
const resize = (values: number[], output: number, given: Partial<InterpolateAttrs>): number[] => {
  const attrs = { ...interpolateDefaults, mode: 'linear', outputShape: [output], ...given } as InterpolateAttrs;
  return [...execute(js, interpolate, [tensor(values)], attrs)[0].data].map((v) => Math.round(v * 1e5) / 1e5);
};

describe('interpolate by hand', () => {
  const nearest = (given: Partial<InterpolateAttrs>, output = 2): number[] =>
    resize([0, 1, 2, 3, 4], output, { mode: 'nearest', ...given });

  test('nearest: rounding modes meet in ties', () => {
    // Coordinates 0.75 and 3.25; with asymmetric 0 and 2.5.
    expect(nearest({})).toEqual([1, 3]);
    expect(nearest({ coordinateMode: 'asymmetric' })).toEqual([0, 2]);
    expect(nearest({ coordinateMode: 'asymmetric', nearestMode: 'round_prefer_ceil' })).toEqual([0, 3]);
    expect(nearest({ coordinateMode: 'asymmetric', nearestMode: 'floor' })).toEqual([0, 2]);
    expect(nearest({ coordinateMode: 'asymmetric', nearestMode: 'ceil' })).toEqual([0, 3]);
    expect(nearest({ coordinateMode: 'align_corners' }, 3)).toEqual([0, 2, 4]);
  });

  test('linear: every coordinate mode', () => {
    const of = (coordinateMode: InterpolateAttrs['coordinateMode'], given: Partial<InterpolateAttrs> = {}): number[] =>
      resize([0, 1, 2, 3], 2, { coordinateMode, ...given });
    expect(of('half_pixel')).toEqual([0.5, 2.5]);
    expect(of('pytorch_half_pixel')).toEqual([0.5, 2.5]);
    expect(of('align_corners')).toEqual([0, 3]);
    expect(of('asymmetric')).toEqual([0, 2]);
    expect(of('tf_half_pixel_for_nn')).toEqual([1, 3]);
    // Scale 0.6: half_pixel samples at 0.33 and 2; symmetric moves both by half the cell that rounding the length lost.
    expect(of('half_pixel', { scales: [0.6] })).toEqual([0.33333, 2]);
    expect(of('half_pixel_symmetric', { scales: [0.6] })).toEqual([0.66667, 2.33333]);
    expect(of('tf_crop_and_resize', { roi: [0, 0.5] })).toEqual([0, 1.5]);
    expect(of('tf_crop_and_resize', { roi: [0.5, 2], extrapolationValue: -7 })).toEqual([1.5, -7]);
  });

  test('antialias stretches the kernel; cells outside: edge value, or none', () => {
    const given = { antialias: true };
    // Half length: weights 1, 3, 3, 1 (/8) around each pair.
    expect(resize([8, 0, 0, 0], 2, given)).toEqual([4, 0]);
    expect(resize([8, 0, 0, 0], 2, { ...given, excludeOutside: true })).toEqual([Math.round((24 / 7) * 1e5) / 1e5, 0]);
  });

  test('cubic with a = −0.5 reproduces a line', () => {
    expect(resize([0, 1, 2, 3, 4, 5, 6, 7], 16, { mode: 'cubic', cubicCoeffA: -0.5 }).slice(4, 12)).toEqual([
      1.75, 2.25, 2.75, 3.25, 3.75, 4.25, 4.75, 5.25,
    ]);
  });

  test('area is the mean of what a cell covers', () => {
    expect(resize([1, 2, 3, 4, 5], 2, { mode: 'area' })).toEqual([2, 4]);
  });

  test('weights of a row sum to one, indices stay inside', () => {
    const base: AxisResize = { ...interpolateDefaults, input: 7, output: 3, scale: null, mode: 'linear', roi: [0, 1] };
    for (const mode of ['nearest', 'linear', 'cubic', 'area', 'lanczos3'] as const) {
      for (const antialias of [false, true]) {
        for (const excludeOutside of [false, true]) {
          for (const [input, output] of [
            [1, 4],
            [7, 3],
            [5, 5],
            [3, 11],
            [64, 2],
          ]) {
            const { taps, index, weight } = axisTable({ ...base, input, output, mode, antialias, excludeOutside });
            expect(index.length).toBe(output * taps);
            for (let o = 0; o < output; o++) {
              const row = weight.slice(o * taps, (o + 1) * taps);
              expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
            }
            expect(index.every((i) => i >= 0 && i < input)).toBe(true);
          }
        }
      }
    }
  });
});

test('axes that shrink come first', () => {
  const lowering = new Lowering();
  const x = lowering.temp('float32', [1, 4, 8, 9], 'channelsLast');
  const attrs = { ...interpolateDefaults, mode: 'linear', outputShape: [1, 4, 16, 3] } as InterpolateAttrs;
  lowering.op(interpolate, [x], attrs, interpolate.infer([x], attrs));
  expect(lowering.calls.map((call) => (call.attrs as { output: number }).output)).toEqual([3, 16]);
});

describe('interpolate: what does not fit', () => {
  const attrs = { ...interpolateDefaults, mode: 'linear', outputShape: [1, 2, 3, 4] };
  test.each([
    [
      'mode',
      { mode: 'bilinear' },
      'argument: interpolate: mode expects nearest or linear or cubic or area or lanczos3, got bilinear',
    ],
    [
      'outputShape',
      { outputShape: [1, 2, 0, 4] },
      'argument: interpolate: outputShape expects 4 whole numbers ≥ 1, got [1,2,0,4]',
    ],
    ['scales', { scales: [1, 1, 0, 1] }, 'argument: interpolate: scales expects 4 numbers > 0, got [1,1,0,1]'],
    [
      'roi',
      { coordinateMode: 'tf_crop_and_resize' },
      'argument: interpolate: roi expects 8 numbers (starts, then ends), got none',
    ],
    [
      'nearestMode',
      { nearestMode: 'round' },
      'argument: interpolate: nearestMode expects round_prefer_floor or round_prefer_ceil or floor or ceil, got round',
    ],
  ])('%s', (_, given, message) => {
    expect(inferError(interpolate, [[1, 2, 5, 5]], { ...attrs, ...given })).toBe(`ConvletError ${message}`);
  });

  test('empty input, whole numbers', () => {
    expect(inferError(interpolate, [[1, 2, 0, 5]], attrs)).toBe(
      'ConvletError shape: interpolate: x expects no empty axis, got shape [1,2,0,5]',
    );
    expect(() => interpolate.infer([{ dtype: 'int32', shape: [1, 2, 5, 5] }], attrs as InterpolateAttrs)).toThrow(
      'interpolate: x expects float32 or',
    );
  });
});
