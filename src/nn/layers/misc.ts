import type { Variable, VariableLike } from '../../autograd/index.ts';
import { ConvletError } from '../../common/error.ts';
import { checkCall, type KnownOf, kind, number, whole } from '../../common/options.ts';
import { interpolateKnown, perAxisKind, shapeKind, sizeKind, windowKnown } from '../functional/options.ts';
import type { PadMode } from '../functional/pad.ts';
import type { InterpolateOptions } from '../functional/resize.ts';
import { F } from '../functional.ts';
import * as init from '../init.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';
import { layer, pointwise, pythonArgs } from './layer.ts';

const chance = kind<number>('a number in 0…1', (p) => typeof p === 'number' && p >= 0 && p <= 1);

const dropping = (name: string, body: typeof F.dropout) =>
  layer<[p?: number]>(
    name,
    { args: { p: chance } },
    ([x], [p = 0.5], self) => body(x, p, self.training),
    (p = 0.5) => ({ p }),
  );

/** Zeroes elements with probability p (default 0.5) in training, and divides the others by 1 − p (Srivastava et al. 2014). */
export const Dropout = dropping('Dropout', F.dropout);
/** Zeroes whole channels of [N,C,L] with probability p (default 0.5) in training, and divides the others by 1 − p. */
export const Dropout1d = dropping('Dropout1d', F.dropout1d);
/** Zeroes whole channels of [N,C,H,W] with probability p (default 0.5) in training, and divides the others by 1 − p. */
export const Dropout2d = dropping('Dropout2d', F.dropout2d);
/** Zeroes whole channels of [N,C,D,H,W] with probability p (default 0.5) in training, and divides the others by 1 − p. */
export const Dropout3d = dropping('Dropout3d', F.dropout3d);
/** Dropout that keeps mean 0 and variance 1 after SELU (Klambauer et al. 2017). */
export const AlphaDropout = dropping('AlphaDropout', F.alphaDropout);
/** AlphaDropout of whole channels. */
export const FeatureAlphaDropout = dropping('FeatureAlphaDropout', F.featureAlphaDropout);

/** Cells on every side, or pairs of begin and end for the last axis first. */
type Cells = number | readonly number[];

const padding = (name: string, rank: number, mode: PadMode) =>
  layer<[padding: Cells, value?: number]>(
    name,
    { args: name.startsWith('Constant') ? { padding: sizeKind, value: number } : { padding: sizeKind }, needed: 1 },
    ([x], [cells, value = 0]) =>
      F.pad(x, typeof cells === 'number' ? new Array(2 * rank).fill(cells) : cells, mode, value),
    (cells, value) => ({ padding: cells, ...(mode === 'constant' && value !== undefined ? { value } : {}) }),
  );

/** A number around [N,C,L]; `padding` is a number for all sides, or [left, right]. */
export const ConstantPad1d = padding('ConstantPad1d', 1, 'constant');
/** A number around [N,C,H,W]; `padding` is a number for all sides, or [left, right, top, bottom]. */
export const ConstantPad2d = padding('ConstantPad2d', 2, 'constant');
/** A number around [N,C,D,H,W]; `padding` is a number for all sides, or [left, right, top, bottom, front, back]. */
export const ConstantPad3d = padding('ConstantPad3d', 3, 'constant');
/** Zeros around [N,C,H,W]; `padding` is a number for all sides, or [left, right, top, bottom]. */
export const ZeroPad2d = padding('ZeroPad2d', 2, 'constant');
/** Pads [N,C,L] with its reflection, the border not repeated; `padding` is a number, or [left, right]. */
export const ReflectionPad1d = padding('ReflectionPad1d', 1, 'reflect');
/** Pads [N,C,H,W] with its reflection, the border not repeated; `padding` is a number, or [left, right, top, bottom]. */
export const ReflectionPad2d = padding('ReflectionPad2d', 2, 'reflect');
/** Pads [N,C,D,H,W] with its reflection, the border not repeated; `padding` is a number, or [left, right, top, bottom, front, back]. */
export const ReflectionPad3d = padding('ReflectionPad3d', 3, 'reflect');
/** Pads [N,C,L] with its border; `padding` is a number, or [left, right]. */
export const ReplicationPad1d = padding('ReplicationPad1d', 1, 'replicate');
/** Pads [N,C,H,W] with its border; `padding` is a number, or [left, right, top, bottom]. */
export const ReplicationPad2d = padding('ReplicationPad2d', 2, 'replicate');
/** Pads [N,C,D,H,W] with its border; `padding` is a number, or [left, right, top, bottom, front, back]. */
export const ReplicationPad3d = padding('ReplicationPad3d', 3, 'replicate');
/** Pads [N,C,L] with the opposite side; `padding` is a number, or [left, right]. */
export const CircularPad1d = padding('CircularPad1d', 1, 'circular');
/** Pads [N,C,H,W] with the opposite side; `padding` is a number, or [left, right, top, bottom]. */
export const CircularPad2d = padding('CircularPad2d', 2, 'circular');
/** Pads [N,C,D,H,W] with the opposite side; `padding` is a number, or [left, right, top, bottom, front, back]. */
export const CircularPad3d = padding('CircularPad3d', 3, 'circular');

/** Gives its input back: a place holder for a layer that is left out. */
export const Identity = layer('Identity', { args: {} }, ([x]) => x);
/** Makes one axis of the axes startDim … endDim (default 1 … −1). */
export const Flatten = layer<[startDim?: number, endDim?: number]>(
  'Flatten',
  { args: { startDim: number, endDim: number } },
  ([x], [startDim = 1, endDim = -1]) => x.flatten(startDim, endDim),
  (startDim = 1, endDim = -1) => ({ startDim, endDim }),
);
/** Axis `dim` becomes `unflattenedSize`. */
export const Unflatten = layer<[dim: number, unflattenedSize: readonly number[]]>(
  'Unflatten',
  { args: { dim: number, unflattenedSize: shapeKind }, needed: 2 },
  ([x], [dim, size]) => {
    const axis = dim < 0 ? dim + x.rank : dim;
    return x.reshape(...x.shape.slice(0, axis), ...size, ...x.shape.slice(axis + 1));
  },
  (dim, unflattenedSize) => ({ dim, unflattenedSize }),
);
/** F.interpolate as a layer: `size` or `scaleFactor`, and `mode`. */
export const Upsample = layer<[options: InterpolateOptions]>(
  'Upsample',
  { args: {}, options: interpolateKnown },
  ([x], [options]) => F.interpolate(x, options),
  ({ size, scaleFactor, mode = 'nearest' } = {}) => ({
    ...(size === undefined ? { scaleFactor } : { size }),
    mode: `'${mode}'`,
  }),
);
/** [N, C·r², H, W] → [N, C, H·r, W·r] (Shi et al. 2016), r = upscaleFactor. */
export const PixelShuffle = pointwise('PixelShuffle', F.pixelShuffle, { upscaleFactor: whole(1) }, { needed: 1 });
/** [N, C, H·r, W·r] → [N, C·r², H, W], r = downscaleFactor: the inverse of PixelShuffle. */
export const PixelUnshuffle = pointwise(
  'PixelUnshuffle',
  F.pixelUnshuffle,
  { downscaleFactor: whole(1) },
  { needed: 1 },
);
/** Mixes the channels of groups: channel g · (C / groups) + i goes to i · groups + g (Zhang et al. 2018). */
export const ChannelShuffle = pointwise('ChannelShuffle', F.channelShuffle, { groups: whole(1) }, { needed: 1 });
/** The windows of [N,C,H,W] as columns: [N, C·kH·kW, L]; see F.unfold. */
export const Unfold = pointwise('Unfold', F.unfold, { kernelSize: perAxisKind }, { options: windowKnown, needed: 1 });
/** Adds columns back to where Unfold took them from: [N, C·kH·kW, L] → [N,C,H,W]; see F.fold. */
export const Fold = pointwise(
  'Fold',
  F.fold,
  { outputSize: perAxisKind, kernelSize: perAxisKind },
  { options: windowKnown, needed: 2 },
);

/** Of Embedding. */
export interface EmbeddingOptions {
  /** This row learns nothing. */
  readonly paddingIdx?: number;
}

const embeddingKnown: KnownOf<EmbeddingOptions> = { paddingIdx: number };
const embeddingSignature = {
  args: { numEmbeddings: whole(0), embeddingDim: whole(0) },
  options: embeddingKnown,
  needed: 2,
};

/** Rows of a learned table [numEmbeddings, embeddingDim] by int indices. */
export class Embedding extends Module {
  static override readonly name: string = 'Embedding';

  /** Rows of the table. */
  readonly numEmbeddings: number;
  /** Length of a row. */
  readonly embeddingDim: number;
  /** The row that stays zero; null: none. */
  readonly paddingIdx: number | null;
  /** [numEmbeddings, embeddingDim]. */
  readonly weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}, ...surplus: never[]) {
    super();
    checkCall('Embedding', embeddingSignature, [numEmbeddings, embeddingDim, options, ...surplus]);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    const { paddingIdx } = options;
    const at = paddingIdx !== undefined && paddingIdx < 0 ? paddingIdx + numEmbeddings : (paddingIdx ?? null);
    if (at !== null && !(at >= 0 && at < numEmbeddings))
      throw new ConvletError(
        'argument',
        `Embedding: paddingIdx expects an index below ${numEmbeddings}, got ${paddingIdx}`,
      );
    this.paddingIdx = at;
    this.weight = init.normal(new Parameter([numEmbeddings, embeddingDim])) as Parameter;
    if (at !== null) {
      const values = this.weight.data;
      values.fill(0, at * embeddingDim, (at + 1) * embeddingDim);
      this.weight.set(values);
    }
  }

  forward(indices: VariableLike): Variable {
    return F.embedding(indices, this.weight, this.paddingIdx ?? undefined);
  }

  override extraRepr(): string {
    const rest = this.paddingIdx === null ? '' : `, ${pythonArgs({ paddingIdx: this.paddingIdx })}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${rest}`;
  }
}
