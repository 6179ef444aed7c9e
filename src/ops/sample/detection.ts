import { ConvletError, shapeText } from '../../common/error.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { checker } from '../check.ts';
import { expectIntegers } from '../copy/copy.ts';
import { indexInput } from '../copy/gather.ts';
import { defineOp, rowLayouts } from '../core/op.ts';
import type { RoiAlignAttrs } from './attrs.ts';

const ofNonMaxSuppression = checker('nonMaxSuppression');
const ofRoiAlign = checker('roiAlign');

/** [y1, x1, y2, x2, area] with y1 ≤ y2 and x1 ≤ x2. */
function corners(boxes: ArrayLike<number>, at: number, center: boolean): [number, number, number, number, number] {
  const [a, b, c, d] = [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]];
  const [y1, x1, y2, x2] = center ? [b - d / 2, a - c / 2, b + d / 2, a + c / 2] : [a, b, c, d];
  const [top, bottom, left, right] = [Math.min(y1, y2), Math.max(y1, y2), Math.min(x1, x2), Math.max(x1, x2)];
  return [top, left, bottom, right, (bottom - top) * (right - left)];
}

function overlap(a: readonly number[], b: readonly number[]): number {
  const height = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const width = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (height <= 0 || width <= 0) return 0;
  return (height * width) / (a[4] + b[4] - height * width);
}

/** boxes [N, B, 4], scores [N, classes, B] → int64 [chosen, 3]: batch, class, box, the best score first in each class. */
export const nonMaxSuppression = defineOp({
  name: 'nonMaxSuppression',
  infer(inputs, { maxOutputBoxesPerClass, iouThreshold }) {
    const boxes = ofNonMaxSuppression.required(inputs, 0, 'boxes');
    const scores = ofNonMaxSuppression.required(inputs, 1, 'scores');
    ofNonMaxSuppression.dtype('boxes', boxes, 'float32', 'float64', 'float16');
    ofNonMaxSuppression.dtype('scores', scores, boxes.dtype);
    ofNonMaxSuppression.rank('boxes', boxes, 3);
    ofNonMaxSuppression.rank('scores', scores, 3);
    if (boxes.shape[2] !== 4 || boxes.shape[0] !== scores.shape[0] || boxes.shape[1] !== scores.shape[2]) {
      throw new ConvletError(
        'shape',
        `nonMaxSuppression: expects boxes [N,B,4] and scores [N,classes,B], got ${shapeText(boxes.shape)} and ${shapeText(scores.shape)}`,
      );
    }
    if (!(maxOutputBoxesPerClass >= 0)) {
      throw new ConvletError(
        'argument',
        `nonMaxSuppression: maxOutputBoxesPerClass expects a number ≥ 0, got ${maxOutputBoxesPerClass}`,
      );
    }
    if (!(iouThreshold >= 0 && iouThreshold <= 1)) {
      throw new ConvletError('argument', `nonMaxSuppression: iouThreshold expects 0…1, got ${iouThreshold}`);
    }
    return [];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward() {},
  evaluate(inputs, attrs) {
    nonMaxSuppression.infer(inputs, attrs);
    const [boxes, scores] = (inputs as Tensor[]).map((t) => t.data);
    const [batches, classes, count] = (inputs[1] as Tensor).shape;
    const out: number[] = [];
    for (let n = 0; n < batches; n++) {
      const box = Array.from({ length: count }, (_, i) => corners(boxes, (n * count + i) * 4, attrs.centerPointBox));
      for (let c = 0; c < classes; c++) {
        const score = scores.subarray((n * classes + c) * count, (n * classes + c + 1) * count);
        const candidates = [...score.keys()].filter((i) => score[i] > attrs.scoreThreshold);
        candidates.sort((p, q) => score[q] - score[p] || p - q);
        const chosen: number[] = [];
        for (const i of candidates) {
          if (chosen.length >= attrs.maxOutputBoxesPerClass) break;
          if (chosen.some((j) => overlap(box[i], box[j]) > attrs.iouThreshold)) continue;
          chosen.push(i);
          out.push(n, c, i);
        }
      }
    }
    return [tensor(Int32Array.from(out), [out.length / 3, 3], 'int64')];
  },
});

/** The most samples per bin and axis: more are a mistake, and would take very long. */
const maxSamplingRatio = 256;

interface Sample {
  readonly offsets: readonly [number, number, number, number];
  readonly weights: readonly [number, number, number, number];
}

/**
 * The centres of `count` equal parts of begin…begin + extent that are on an axis of `size` pixels or at most one pixel
 * outside. Samples further outside are zero and are left out: a region far larger than the map has very many of them.
 */
function positionsIn(begin: number, extent: number, count: number, size: number): number[] {
  const spacing = extent / count;
  const out: number[] = [];
  let [first, last] = [0, count - 1];
  if (count > maxSamplingRatio) {
    // A part is half a pixel or more here: start with the first part that is not too far outside, and take at most two per pixel.
    first = Math.max(0, Math.ceil((-1 - begin) / spacing - 0.5) - 1);
    last = Math.min(last, first + 2 * size + 8);
  }
  for (let step = 0; step <= last - first; step++) {
    const at = begin + (first + step + 0.5) * spacing;
    if (at >= -1 && at <= size) out.push(at);
  }
  return out;
}

/** Bilinear taps of a point in an H×W plane, clamped to the edge. */
function tapsAt(y: number, x: number, height: number, width: number): Sample {
  const [yy, xx] = [Math.max(y, 0), Math.max(x, 0)];
  const [y0, x0] = [Math.min(Math.floor(yy), height - 1), Math.min(Math.floor(xx), width - 1)];
  const [y1, x1] = [Math.min(y0 + 1, height - 1), Math.min(x0 + 1, width - 1)];
  const [ly, lx] = [y0 === height - 1 ? 0 : yy - y0, x0 === width - 1 ? 0 : xx - x0];
  return {
    offsets: [y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1],
    weights: [(1 - ly) * (1 - lx), (1 - ly) * lx, ly * (1 - lx), ly * lx],
  };
}

/** x [N,C,H,W], rois [R,4] as x1, y1, x2, y2, batchIndices [R] → [R,C,outputHeight,outputWidth] (He et al. 2017). */
export const roiAlign = defineOp({
  name: 'roiAlign',
  infer(inputs, { mode, outputHeight, outputWidth, samplingRatio, coordinateMode }) {
    const x = ofRoiAlign.required(inputs, 0, 'x');
    const rois = ofRoiAlign.required(inputs, 1, 'rois');
    const batch = indexInput('roiAlign', inputs, 2, 'batchIndices');
    ofRoiAlign.dtype('x', x, 'float32', 'float64', 'float16');
    ofRoiAlign.dtype('rois', rois, x.dtype);
    ofRoiAlign.rank('x', x, 4);
    if (
      rois.shape.length !== 2 ||
      rois.shape[1] !== 4 ||
      batch.shape.length !== 1 ||
      batch.shape[0] !== rois.shape[0]
    ) {
      throw new ConvletError(
        'shape',
        `roiAlign: expects rois [R,4] and batchIndices [R], got ${shapeText(rois.shape)} and ${shapeText(batch.shape)}`,
      );
    }
    expectIntegers('roiAlign', 'output size', [outputHeight, outputWidth], 2, 1);
    expectIntegers('roiAlign', 'samplingRatio', [samplingRatio], 1, 0);
    if (samplingRatio > maxSamplingRatio) {
      throw new ConvletError('argument', `roiAlign: samplingRatio expects 0…${maxSamplingRatio}, got ${samplingRatio}`);
    }
    if (mode !== 'avg' && mode !== 'max')
      throw new ConvletError('argument', `roiAlign: mode expects avg or max, got ${String(mode)}`);
    if (coordinateMode !== 'half_pixel' && coordinateMode !== 'output_half_pixel') {
      throw new ConvletError(
        'argument',
        `roiAlign: coordinateMode expects half_pixel or output_half_pixel, got ${String(coordinateMode)}`,
      );
    }
    return [{ dtype: x.dtype, shape: [rois.shape[0], x.shape[1], outputHeight, outputWidth] }];
  },
  layouts: (inputs, _, outputs) => rowLayouts(inputs, outputs),
  forward(emit, inputs, outputs, attrs) {
    emit.call('host', inputs, outputs, {
      name: 'roiAlign',
      run: ([x, rois, batch], [y]) => alignRegions(x as Tensor, rois as Tensor, batch as Tensor, y, attrs),
    });
  },
});

function alignRegions(x: Tensor, rois: Tensor, batch: Tensor, y: Tensor, attrs: RoiAlignAttrs): void {
  const [images, channels, height, width] = x.shape;
  const { outputHeight, outputWidth, samplingRatio, spatialScale } = attrs;
  const aligned = attrs.coordinateMode === 'half_pixel';
  const shift = aligned ? 0.5 : 0;
  const [from, to] = [x.array, y.array];
  for (let r = 0; r < rois.shape[0]; r++) {
    const image = batch.array[r];
    if (image < 0 || image >= images) {
      throw new ConvletError('index-range', `roiAlign: batchIndices[${r}] expects 0…${images - 1}, got ${image}`);
    }
    const [x1, y1, x2, y2] = Array.from(rois.array.subarray(r * 4, r * 4 + 4), (v) => v * spatialScale - shift);
    const [roiHeight, roiWidth] = [y2 - y1, x2 - x1].map((size) => (aligned ? size : Math.max(size, 1)));
    const [binHeight, binWidth] = [roiHeight / outputHeight, roiWidth / outputWidth];
    const rows = samplingRatio > 0 ? samplingRatio : Math.ceil(binHeight);
    const columns = samplingRatio > 0 ? samplingRatio : Math.ceil(binWidth);
    for (let oy = 0; oy < outputHeight; oy++) {
      for (let ox = 0; ox < outputWidth; ox++) {
        const samples: Sample[] = [];
        const across = positionsIn(x1 + ox * binWidth, binWidth, columns, width);
        for (const at of positionsIn(y1 + oy * binHeight, binHeight, rows, height)) {
          for (const along of across) samples.push(tapsAt(at, along, height, width));
        }
        for (let c = 0; c < channels; c++) {
          const plane = (image * channels + c) * height * width;
          to[((r * channels + c) * outputHeight + oy) * outputWidth + ox] = poolSamples(
            from,
            plane,
            samples,
            rows * columns,
            attrs.mode,
          );
        }
      }
    }
  }
}

/**
 * The mean or the maximum of `count` samples; samples that are not listed are zero. ONNX's max is the largest weighted tap, not the
 * largest interpolated value, in its reference and in ONNX Runtime.
 */
function poolSamples(
  x: ArrayLike<number>,
  plane: number,
  samples: readonly Sample[],
  count: number,
  mode: 'avg' | 'max',
): number {
  if (!(count > 0)) return 0;
  let total = mode === 'max' && samples.length === count ? -Infinity : 0;
  for (const { offsets, weights } of samples) {
    for (let t = 0; t < 4; t++) {
      const v = weights[t] * x[plane + offsets[t]];
      total = mode === 'max' ? Math.max(total, v) : total + v;
    }
  }
  return mode === 'max' ? total : total / count;
}
