import { coordinateModes, nearestModes } from '../../../src/ops/interpolate/interpolate-table.ts';
import { gradCheck } from '../../support/gradcheck.ts';

for (const mode of ['nearest', 'linear', 'cubic', 'area', 'lanczos3'] as const) {
  gradCheck(`interpolate`, (random) => {
    const rank = random.int(1, 3);
    const shape = [
      random.int(1, 2),
      random.pick([1, 3, 4, 5]),
      ...Array.from({ length: rank }, () => random.int(1, 5)),
    ];
    const outputShape = shape.map((d, i) => (i < 2 ? d : random.int(1, 8)));
    const coordinateMode = random.pick(coordinateModes);
    const antialias = mode !== 'nearest' && mode !== 'area' && random.next() < 0.5;
    const attrs = {
      outputShape,
      // Of a factor that is kept: as long as the axis would be, and a part of a cell.
      scales: random.next() < 0.3 ? shape.map((d, i) => (outputShape[i] + (i < 2 ? 0 : 0.3)) / d) : null,
      mode,
      coordinateMode,
      nearestMode: random.pick(nearestModes),
      cubicCoeffA: random.pick([-0.75, -0.5]),
      excludeOutside: random.next() < 0.5,
      antialias,
      extrapolationValue: 0.5,
      roi:
        coordinateMode === 'tf_crop_and_resize'
          ? [...shape.map((_, i) => (i < 2 ? 0 : -0.1)), ...shape.map((_, i) => (i < 2 ? 1 : 0.8))]
          : null,
    };
    return { attrs, inputs: [{ shape }] };
  });
}
