import type { CasesOf } from '../case.ts';
import type { SampleOps } from './attrs.ts';
import { paddingModes, sampleModes } from './sample.ts';

export const sampleCases: CasesOf<keyof SampleOps> = {
  nonMaxSuppression: [
    {
      attrs: { centerPointBox: false, maxOutputBoxesPerClass: 3, iouThreshold: 0.5, scoreThreshold: 0 },
      inputs: [
        { shape: [1, 4, 4], values: [0, 0, 1, 1, 0, 0.1, 1, 1.1, 1, 11, 0, 10, 0, 20, 1, 21] },
        { shape: [1, 2, 4], values: [0.9, 0.75, 0.6, -0.1, 0.1, 0.95, 0.5, 0.3] },
      ],
    },
    {
      attrs: { centerPointBox: true, maxOutputBoxesPerClass: 2, iouThreshold: 0.3, scoreThreshold: 0.2 },
      inputs: [
        { shape: [2, 9, 4], range: [0.2, 2] },
        { shape: [2, 3, 9], range: [0, 1] },
      ],
    },
  ],
  roiAlign: (['avg', 'max'] as const).flatMap((mode) =>
    (['half_pixel', 'output_half_pixel'] as const).map((coordinateMode) => ({
      attrs: {
        mode,
        coordinateMode,
        outputHeight: 3,
        outputWidth: 2,
        samplingRatio: mode === 'avg' ? 0 : 2,
        spatialScale: 0.5,
      },
      inputs: [
        { shape: [2, 3, 9, 8] },
        { shape: [3, 4], values: [0, 0, 12, 15, 3.3, 2.1, 4, 9.7, -3, 5, 20, 6] },
        { shape: [3], dtype: 'int64' as const, values: [0, 1, 1] },
      ],
    })),
  ),
  gridSampleGrad: (['nearest', 'linear', 'cubic'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).flatMap((paddingMode) =>
      [true, false].map((alignCorners) => ({
        attrs: { mode, paddingMode, alignCorners },
        inputs: [
          { shape: [2, 3, 5, 4] },
          { shape: [2, 3, 4, 2], range: [-2.2, 2.2] as const },
          { shape: [2, 3, 3, 4] },
        ],
      })),
    ),
  ),
  gridSample: sampleModes.flatMap((mode) =>
    paddingModes.flatMap((paddingMode) =>
      [true, false].flatMap((alignCorners) => {
        const attrs = { mode, paddingMode, alignCorners };
        const range = [-2.2, 2.2] as const;
        const plane = { attrs, inputs: [{ shape: [2, 3, 5, 4] }, { shape: [2, 3, 4, 2], range }] };
        if (mode === 'cubic') return [plane];
        return [plane, { attrs, inputs: [{ shape: [1, 2, 3, 4, 3] }, { shape: [1, 2, 3, 2, 3], range }] }];
      }),
    ),
  ),
  affineGrid: [true, false].flatMap((alignCorners) => [
    { attrs: { size: [2, 3, 4, 5], alignCorners }, inputs: [{ shape: [2, 2, 3] }] },
    { attrs: { size: [1, 3, 2, 3, 4], alignCorners }, inputs: [{ shape: [1, 3, 4] }] },
    { attrs: { size: [1, 1, 1, 1], alignCorners }, inputs: [{ shape: [1, 2, 3] }] },
  ]),
};
