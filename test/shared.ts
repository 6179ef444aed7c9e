import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';

const path = fileURLToPath(new URL('../../shared/', import.meta.url));

/** The directory of large test data beside the project (`../shared`), with a slash at its end; null where it is absent. */
export const shared: string | null = existsSync(path) ? path : null;

/** A `describe` that needs `../shared`: skipped where it is absent, failed where it is absent in CI. */
export function describeShared(name: string, fn: (shared: string) => void): void {
  if (shared !== null) describe(name, () => fn(shared as string));
  else if (process.env.CI === 'true') {
    test(name, () => {
      throw new Error(`CI needs the test data of ../shared (${path})`);
    });
  } else describe.skip(`${name} (needs ../shared)`, () => test('skipped', () => {}));
}
