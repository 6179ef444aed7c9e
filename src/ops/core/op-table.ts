import { ConvletError } from '../../common/error.ts';
import type { OpDef } from './op.ts';

/** Ops by name. There are two tables: the ops of inference in index.ts, all ops in training.ts. */
export type OpTable = ReadonlyMap<string, OpDef>;

export function opTable(ops: readonly OpDef[]): OpTable {
  const table = new Map(ops.map((op) => [op.name, op]));
  if (table.size !== ops.length) throw new Error('two ops of one table have the same name');
  return table;
}

/** The op of that name. Throws `unknown-name`. */
export function findOp(table: OpTable, name: string): OpDef {
  const op = table.get(name);
  if (op === undefined) throw new ConvletError('unknown-name', `there is no op '${name}'`);
  return op;
}
