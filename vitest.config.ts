import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{schemas,operators,models,pipeline,infra,cli,bench,tools}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'tools/layers/fixture/**'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
  },
});
