import { Epilogue as Bits } from '../../../abi/generated/abi.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Activation } from '../../prims/elementwise.ts';
import { activationFields } from './activation.ts';
import type { WasmSession } from './session.ts';

/** What a GEMM or depthwise kernel does to results besides the sum: bits of Epilogue, and the fields that they need. */
export interface Epilogue {
  readonly epilogue: number;
  /** Distance from the output to the residual, modulo 2³². */
  readonly residual: number;
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Null if there is no kernel of the activation. */
export function epilogueOf(
  session: WasmSession,
  output: Tensor,
  residual: Tensor | null,
  activation: Activation | null,
): Epilogue | null {
  const fields = activationFields(activation);
  if (fields === null) return null;
  const added = {
    epilogue: residual === null ? 0 : Bits.addResidual,
    residual: residual === null ? 0 : (session.address(residual) - session.address(output)) >>> 0,
  };
  if (activation === null || activation.kind === 'identity') return { ...added, ...fields };
  if (activation.kind === 'relu') {
    return { ...added, ...fields, epilogue: added.epilogue | Bits.clamp, alpha: 0, beta: Number.POSITIVE_INFINITY };
  }
  return {
    ...added,
    ...fields,
    epilogue: added.epilogue | (activation.kind === 'clip' ? Bits.clamp : Bits.activateStored),
  };
}
