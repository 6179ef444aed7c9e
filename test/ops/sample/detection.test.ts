import { describe, expect, it } from 'vitest';
import * as family from '../../../src/ops/sample/detection.ts';
import { opTests } from '../harness.ts';
import { expectClose, expectError, run, t, values } from '../run.ts';

opTests('detection', family);

const nms = { centerPointBox: false, maxOutputBoxesPerClass: 3, iouThreshold: 0.5, scoreThreshold: -Infinity };

describe('nonMaxSuppression', () => {
  const boxes = [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101];
  const scores = [0.9, 0.75, 0.6, 0.95, 0.5, 0.3];
  const both = [t(boxes, [1, 6, 4]), t(scores, [1, 1, 6])];

  it('keeps the best of overlapping boxes', () => {
    const [y] = run('nonMaxSuppression', nms, ...both);
    expect([y.shape, [...y.data]]).toEqual([
      [3, 3],
      [0, 0, 3, 0, 0, 0, 0, 0, 5],
    ]);
    expect(values('nonMaxSuppression', { ...nms, maxOutputBoxesPerClass: 1 }, ...both)).toEqual([0, 0, 3]);
    expect(values('nonMaxSuppression', { ...nms, scoreThreshold: 0.4 }, ...both)).toEqual([0, 0, 3, 0, 0, 0]);
    expect(run('nonMaxSuppression', { ...nms, maxOutputBoxesPerClass: 0 }, ...both)[0].shape).toEqual([0, 3]);
  });

  it('takes flipped corners and centre boxes', () => {
    const flipped = boxes.map((_, i) => boxes[i - (i % 4) + ((i + 2) % 4)]);
    expect(values('nonMaxSuppression', nms, t(flipped, [1, 6, 4]), both[1])).toEqual([0, 0, 3, 0, 0, 0, 0, 0, 5]);
    const center = t([0.5, 0.5, 1, 1, 0.6, 0.5, 1, 1, 5, 5, 1, 1], [1, 3, 4]);
    const chosen = values('nonMaxSuppression', { ...nms, centerPointBox: true }, center, t([0.1, 0.2, 0.3], [1, 1, 3]));
    expect(chosen).toEqual([0, 0, 2, 0, 0, 1]);
  });

  it('names what does not fit', () => {
    expectError('shape', ['[1,6,4]', '[1,1,2]'], () => run('nonMaxSuppression', nms, both[0], t([1, 2], [1, 1, 2])));
    expectError('argument', ['iouThreshold', '2'], () =>
      run('nonMaxSuppression', { ...nms, iouThreshold: 2 }, ...both),
    );
  });
});

describe('roiAlign', () => {
  const attrs = {
    mode: 'avg',
    coordinateMode: 'half_pixel',
    outputHeight: 2,
    outputWidth: 2,
    samplingRatio: 1,
    spatialScale: 1,
  };
  const ramp = t(
    Array.from({ length: 16 }, (_, i) => i),
    [1, 1, 4, 4],
  );
  const zero = t([0], [1], 'int64');

  it('samples bin centres', () => {
    // Bins of 2 × 2 pixels: their centres are at pixel coordinates 0.5 and 2.5, where the ramp is 4·y + x.
    expectClose(values('roiAlign', attrs, ramp, t([0, 0, 4, 4], [1, 4]), zero), [2.5, 4.5, 10.5, 12.5]);
    const unaligned = { ...attrs, coordinateMode: 'output_half_pixel' };
    expectClose(values('roiAlign', unaligned, ramp, t([0, 0, 2, 2], [1, 4]), zero), [2.5, 3.5, 6.5, 7.5]);
  });

  it('is zero outside the map', () => {
    expectClose(values('roiAlign', attrs, ramp, t([-90, -90, -80, -80], [1, 4]), zero), [0, 0, 0, 0]);
  });

  it('survives absurd regions', () => {
    const [y] = run('roiAlign', { ...attrs, samplingRatio: 0 }, ramp, t([-1e30, -1e30, 1e30, 1e30], [1, 4]), zero);
    expect([...y.data].every(Number.isFinite)).toBe(true);
  });

  it('names what does not fit', () => {
    expectError('index-range', ['batchIndices[0]', '0…0', '1'], () =>
      run('roiAlign', attrs, ramp, t([0, 0, 1, 1], [1, 4]), t([1], [1], 'int64')),
    );
    expectError('shape', ['rois', '[4]'], () => run('roiAlign', attrs, ramp, t([0, 0, 1, 1]), zero));
    expectError('argument', ['samplingRatio', '-1'], () =>
      run('roiAlign', { ...attrs, samplingRatio: -1 }, ramp, t([0, 0, 1, 1], [1, 4]), zero),
    );
  });
});
