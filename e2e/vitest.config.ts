import { defineConfig } from 'vitest/config'

// The journeys of people through the whole product, in a real browser; one at a time, step after step.
export default defineConfig({
  test: {
    include: ['e2e/src/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    sequence: { concurrent: false },
  },
})
