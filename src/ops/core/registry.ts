import { ConvletError } from '../../common/error.ts';
import { findOp, type OpDef } from './op.ts';

/** The op of that name. Throws `unknown-name`. Which ops there are is up to index.ts and training.ts. */
export function getOp(name: string): OpDef {
  const op = findOp(name);
  if (op === undefined) throw new ConvletError('unknown-name', `there is no op '${name}'`);
  return op;
}
