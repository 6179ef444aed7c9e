import { Pool, PoolGradDesc } from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Step } from '../../backend.ts';
import { Declined, otherThanFloat32, type WasmPrim } from '../core/prim.ts';
import type { WasmSession } from '../core/session.ts';
import { adaptiveGeometry, kindOf, type PoolGeometry, poolFields, windowGeometry } from './pool.ts';

/** Channels of a work unit (a cache line), unless there are so many images that a unit is a whole image. */
const lineChannels = 16;
const manyImages = 16;

function poolGradStep(
  session: WasmSession,
  prim: 'poolGrad' | 'adaptivePoolGrad',
  kind: number,
  inputs: readonly (Tensor | null)[],
  gx: Tensor,
  g: PoolGeometry,
): Step[] {
  if (gx.size === 0) return [];
  const block = g.batch >= manyImages ? g.channels : Math.min(g.channels, lineChannels);
  const blocks = Math.ceil(g.channels / block);
  const values = {
    // Averages do not read x.
    x: kind === Pool.average ? 0 : session.address(inputs[0]!),
    gy: session.address(inputs[1]!),
    gx: session.address(gx),
    kind,
    block,
    blocks,
    ...poolFields(g),
  };
  return [session.step(prim, 'poolGrad', PoolGradDesc, values, g.batch * blocks)];
}

export const poolGrad: WasmPrim<'poolGrad'> = ({ inputs, outputs, attrs }, session) => {
  const kind = kindOf(attrs);
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  if (kind === null) return new Declined(`p = ${attrs.p}`);
  return poolGradStep(session, 'poolGrad', kind, inputs, outputs[0], windowGeometry(attrs));
};

export const adaptivePoolGrad: WasmPrim<'adaptivePoolGrad'> = ({ inputs, outputs, attrs }, session) => {
  const other = otherThanFloat32(inputs, outputs);
  if (other !== null) return other;
  const kind = kindOf({ kind: attrs.kind, p: 0 })!;
  return poolGradStep(session, 'adaptivePoolGrad', kind, inputs, outputs[0], adaptiveGeometry(attrs));
};
