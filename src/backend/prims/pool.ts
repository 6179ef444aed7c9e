import type { Triple, WindowAttrs } from './window.ts';

/**
 * Windows reduced per channel. Input x [batch,D,H,W,channels]; outputs y, and for max optionally the int64 index of the
 * maximum inside the D·H·W plane (row-major over D,H,W; the op converts it to another order or base). Padding counts as −∞ for max
 * and as 0 otherwise. average: divisor = `divisor` if not 0, else the count of the window's cells inside the input (`countPad` false)
 * or inside input + padding (`countPad` true; padEnd bounds it). lp: (Σ|x|^p)^(1/p).
 */
export interface PoolAttrs extends WindowAttrs {
  readonly kind: 'max' | 'average' | 'lp';
  readonly channels: number;
  readonly padEnd: Triple;
  readonly countPad: boolean;
  readonly divisor: number;
  readonly p: number;
}

/**
 * Pooling whose windows differ per output (adaptive pooling): window of output o on an axis of length i is
 * [floor(o·i/out), ceil((o+1)·i/out)). Input x, outputs y (, indices) as in pool.
 */
export interface AdaptivePoolAttrs {
  readonly kind: 'max' | 'average';
  readonly batch: number;
  readonly input: Triple;
  readonly output: Triple;
  readonly channels: number;
}

/**
 * Gradient of pool by x: each window's gy is added to its cells. max: to the first maximum (of several NaN to the last one, whose
 * index pool gives); average: divided as in pool; lp: gy · sign(x)·|x|^(p−1) · y^(1−p), 0 if y is 0. Inputs: x
 * (null for average), gy. Output: gx like x.
 */
export type PoolGradAttrs = PoolAttrs;

/** Gradient of adaptivePool by x. Inputs: x (null for average), gy. Output: gx. */
export type AdaptivePoolGradAttrs = AdaptivePoolAttrs;

export interface PoolPrims {
  pool: PoolAttrs;
  adaptivePool: AdaptivePoolAttrs;
}

export interface PoolTrainingPrims {
  poolGrad: PoolGradAttrs;
  adaptivePoolGrad: AdaptivePoolGradAttrs;
}
