import { ConvletError } from '../common/error.ts';
import { allOps, type OpDef } from './op.ts';

let byName: Map<string, OpDef> | null = null;

/** The op of that name. Throws `unknown-name`. All op files are imported by ops/index.ts. */
export function getOp(name: string): OpDef {
  byName ??= new Map(allOps().map((op) => [op.name, op]));
  const op = byName.get(name);
  if (op === undefined) throw new ConvletError('unknown-name', `there is no op '${name}'`);
  return op;
}
