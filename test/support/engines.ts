import { describe } from 'vitest';
import { type Engine, useBackend } from '../../src/autograd/index.ts';
import { backendOf, variants } from '../kernels/harness.ts';
import { jsBackend } from './js-backend.ts';

/** Every kind of engine that this runtime supports; `use` makes it the current one. It is a new engine each time if that is cheap. */
export const engines: readonly { readonly name: string; readonly use: () => Engine }[] = [
  { name: 'js', use: () => useBackend(jsBackend()) },
  ...variants.map((variant) => ({ name: `wasm ${variant}`, use: () => useBackend(backendOf(variant)) })),
];

/** A `describe` per engine. */
export function describeEngines(name: string, body: (use: () => Engine) => void): void {
  for (const engine of engines) describe(`${name}, ${engine.name}`, () => body(engine.use));
}
