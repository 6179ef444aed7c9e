import { type CasesOf, type OpCase, random } from '../case.ts';
import type { InterpolateAttrs, InterpolateOps } from './attrs.ts';
import { interpolateDefaults } from './interpolate-table.ts';

function resizeCases(): OpCase<InterpolateAttrs>[] {
  type Given = Partial<InterpolateAttrs> & Pick<InterpolateAttrs, 'mode'>;
  const tried: [number[], number[], Given][] = [
    [[1, 1, 1, 1], [1, 1, 3, 2], { mode: 'linear' }],
    [[2, 8, 5, 7], [2, 8, 10, 14], { mode: 'nearest', coordinateMode: 'asymmetric', nearestMode: 'floor' }],
    [[1, 5, 9, 6], [1, 5, 4, 11], { mode: 'nearest', nearestMode: 'round_prefer_ceil' }],
    [[1, 3, 7, 5], [1, 3, 5, 9], { mode: 'nearest', coordinateMode: 'align_corners', nearestMode: 'ceil' }],
    [[2, 6, 11], [2, 6, 4], { mode: 'nearest', coordinateMode: 'tf_half_pixel_for_nn' }],
    [[1, 16, 6, 6], [1, 16, 12, 12], { mode: 'linear' }],
    [[1, 33, 8, 5], [1, 33, 3, 9], { mode: 'linear', coordinateMode: 'align_corners' }],
    [[2, 3, 5, 4], [2, 3, 7, 6], { mode: 'linear', scales: [1, 1, 1.5, 1.5], coordinateMode: 'half_pixel_symmetric' }],
    [[1, 4, 6, 9], [1, 4, 1, 5], { mode: 'linear', coordinateMode: 'pytorch_half_pixel' }],
    [[1, 7, 16, 13], [1, 7, 5, 4], { mode: 'linear', antialias: true }],
    [[1, 12, 7, 9], [1, 12, 15, 4], { mode: 'cubic' }],
    [[1, 5, 6, 6], [1, 5, 9, 9], { mode: 'cubic', excludeOutside: true, cubicCoeffA: -0.5 }],
    [[1, 3, 13, 11], [1, 3, 4, 17], { mode: 'cubic', antialias: true, excludeOutside: true, cubicCoeffA: -0.5 }],
    [[1, 8, 9, 7], [1, 8, 4, 3], { mode: 'area' }],
    [[13, 16], [9, 24], { mode: 'lanczos3', antialias: true, excludeOutside: true }],
    [[2, 3, 4], [3, 5, 6], { mode: 'linear' }],
    [[1, 4, 3, 4, 5], [1, 4, 5, 2, 8], { mode: 'linear' }],
    [[2, 6, 4, 3, 3], [2, 6, 8, 6, 6], { mode: 'nearest', coordinateMode: 'asymmetric', nearestMode: 'floor' }],
    [
      [1, 4, 6, 5],
      [1, 4, 7, 8],
      {
        mode: 'linear',
        coordinateMode: 'tf_crop_and_resize',
        extrapolationValue: 10,
        roi: [0, 0, -0.2, 0.4, 1, 1, 0.6, 1.2],
      },
    ],
    [[1, 5, 4, 4], [1, 5, 4, 4], { mode: 'cubic' }],
  ];
  return tried.map(([shape, outputShape, given]) => ({
    attrs: { ...interpolateDefaults, outputShape, ...given },
    inputs: [random(...shape)],
  }));
}

export const interpolateCases: CasesOf<keyof InterpolateOps> = {
  interpolate: resizeCases(),
  interpolateGrad: resizeCases().map(({ attrs, inputs }) => ({
    attrs: { ...attrs, inputShape: inputs[0]!.shape },
    inputs: [random(...attrs.outputShape)],
  })),
};
