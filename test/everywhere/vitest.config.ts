// npm run everywhere: the tests that need packages of this folder (npm ci --prefix test/everywhere) and browsers.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/everywhere/*.test.ts'],
    globalSetup: ['test/suites/kernels-setup.ts'],
    pool: 'forks',
    // Rows run two at a time, in one file or in several.
    maxWorkers: 2,
    maxConcurrency: 2,
    // Long for machines that do other things: alone, no row takes half a minute.
    testTimeout: 400_000,
    hookTimeout: 200_000,
    reporters: ['verbose'],
  },
});
