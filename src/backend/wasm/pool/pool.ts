import { Pool, PoolDesc } from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import type { AdaptivePoolAttrs, PoolAttrs } from '../../prims/pool.ts';
import type { Triple } from '../../prims/window.ts';
import { axes, geometryFields, type Window } from '../core/geometry.ts';
import { Declined, otherThanFloat32, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';

/** The kernels' number of a kind. Lp for other p runs in JavaScript, since the kernels have no accurate power. */
export function kindOf({ kind, p }: Pick<PoolAttrs, 'kind' | 'p'>): number | null {
  if (kind !== 'lp') return Pool[kind];
  return p === 1 ? Pool.lp1 : p === 2 ? Pool.lp2 : null;
}

const ones: Triple = [1, 1, 1];

/** The geometry of the windows, and the divisor of averages (see PoolDesc). */
export interface PoolGeometry extends Window {
  readonly batch: number;
  readonly channels: number;
  readonly end: Triple;
  readonly countPad: boolean;
  readonly divisor: number;
  readonly adaptive: boolean;
}

/** The fields that PoolDesc and PoolGradDesc share. */
export const poolFields = (g: PoolGeometry) => ({
  channels: g.channels,
  ...geometryFields(g),
  ...axes('end', g.end),
  countPad: g.countPad ? 1 : 0,
  divisor: g.divisor,
  adaptive: g.adaptive ? 1 : 0,
});

/** The geometry of a pool, and of its gradient. */
export function windowGeometry(attrs: PoolAttrs): PoolGeometry {
  const { input, padEnd, countPad } = attrs;
  const end: Triple = countPad ? [input[0] + padEnd[0], input[1] + padEnd[1], input[2] + padEnd[2]] : input;
  return { ...attrs, end, adaptive: false };
}

export const adaptiveGeometry = (attrs: AdaptivePoolAttrs): PoolGeometry => ({
  ...attrs,
  kernel: ones,
  stride: ones,
  dilation: ones,
  padBegin: [0, 0, 0],
  end: attrs.input,
  countPad: false,
  divisor: 0,
  adaptive: true,
});

function poolStep(
  session: WasmSession,
  prim: 'pool' | 'adaptivePool',
  kind: number,
  x: Tensor,
  y: Tensor,
  g: PoolGeometry,
): Step[] {
  const rows = g.batch * g.output[0] * g.output[1];
  if (rows * g.output[2] * g.channels === 0) return [];
  const values = {
    x: session.address(x),
    y: session.address(y),
    kind,
    ...poolFields(g),
  };
  return [session.step(prim, 'pool', PoolDesc, values, rows)];
}

export const pool: WasmPrim<'pool'> = ({ inputs, outputs, attrs }, session) => {
  const kind = kindOf(attrs);
  if (outputs.length > 1) return new Declined('indices of maxima');
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (kind === null) return new Declined(`p = ${attrs.p}`);
  return poolStep(session, 'pool', kind, inputs[0]!, outputs[0], windowGeometry(attrs));
};

export const adaptivePool: WasmPrim<'adaptivePool'> = ({ inputs, outputs, attrs }, session) => {
  if (outputs.length > 1) return new Declined('indices of maxima');
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  const kind = kindOf({ kind: attrs.kind, p: 0 })!;
  return poolStep(session, 'adaptivePool', kind, inputs[0]!, outputs[0], adaptiveGeometry(attrs));
};
