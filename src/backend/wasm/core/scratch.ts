import type { WasmSession } from '../backend.ts';

const areas = new WeakMap<WasmSession, { address: number; bytes: number }>();

/**
 * Memory for what one step leaves to the next of the same call: one area for all calls of a session, which run one after
 * another. (A workspace is a thread's own and ends with its step.)
 */
export function scratch(session: WasmSession, bytes: number): number {
  let area = areas.get(session);
  if (area === undefined || area.bytes < bytes) {
    area = { address: session.reserve(bytes), bytes };
    areas.set(session, area);
  }
  return area.address;
}
