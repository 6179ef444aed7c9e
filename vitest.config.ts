import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // npm run everywhere: they need packages of their own and browsers.
    exclude: ['**/node_modules/**', 'test/everywhere/**'],
    // Builds the kernels if their sources have changed, so that no run tests old ones.
    globalSetup: ['test/suites/kernels-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
