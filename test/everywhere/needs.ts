// What tests of this folder need besides the package. Where it is missing they skip with what they lack; in CI that is a failure.
import { existsSync } from 'node:fs';
import { hasChromium } from './chromium.ts';
import { installed } from './project.ts';

export const ci: boolean = process.env.CI === 'true';

export const major: number = Number(process.versions.node.split('.')[0]);

/** A Node of version 24 or newer: this one, or the one of CONVLET_NODE24. */
const candidate = major >= 24 ? process.execPath : process.env.CONVLET_NODE24;
export const newer: string | undefined = candidate !== undefined && existsSync(candidate) ? candidate : undefined;

export interface Needs {
  readonly packages: readonly string[];
  readonly chromium?: boolean;
  readonly node24?: boolean;
}

export function lackingOf({ packages, chromium, node24 }: Needs): string[] {
  const missing = packages
    .filter((name) => !installed(name))
    .map((name) => `${name} (npm ci --prefix test/everywhere)`);
  if (chromium && !hasChromium()) missing.push('chromium (CONVLET_CHROMIUM)');
  if (node24 && newer === undefined) missing.push('CONVLET_NODE24, the path of its binary');
  return missing;
}
