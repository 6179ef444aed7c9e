// Which files a kernel build reads, and the digest that tells whether an earlier build is still good.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export interface Source {
  /** Relative to the project root, with forward slashes. */
  path: string;
  text: string;
}

const importPattern = /^\s*(?:import|export)\b[^'"`;]*?['"](\.[^'"]*)['"]/gm;

/** The entry file and everything it reaches by relative imports, in the order of first mention. */
export function reachableSources(root: string, entries: readonly string[]): Source[] {
  const found = new Map<string, Source>();
  const visit = (file: string): void => {
    const path = relative(root, file).replaceAll('\\', '/');
    if (found.has(path)) return;
    const text = readFileSync(file, 'utf8');
    found.set(path, { path, text });
    for (const [, specifier] of text.matchAll(importPattern)) {
      const target = join(dirname(file), specifier);
      const candidate = [`${target}.ts`, join(target, 'index.ts')].find((name) => existsSync(name));
      if (candidate === undefined) throw new Error(`${path}: cannot find '${specifier}'`);
      visit(candidate);
    }
  };
  for (const entry of entries) visit(join(root, entry));
  return [...found.values()];
}

export function digest(parts: Iterable<string | Uint8Array>): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    // The length keeps ['ab', 'c'] and ['a', 'bc'] apart.
    hash.update(`${part.length}:`);
    hash.update(part);
  }
  return hash.digest('hex');
}
