import { defineConfig } from 'vitest/config'

// Unit and HTTP tests of api and seeds; the browser journeys have a runner of their own (e2e/).
export default defineConfig({
  test: {
    include: ['api/src/**/*.test.ts', 'api/test/**/*.test.ts', 'seeds/src/**/*.test.ts', 'web/src/**/*.test.ts', '.ci/**/*.test.ts', 'fhir-profiles/**/*.test.ts'],
    globalSetup: ['api/test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'threads',
    maxWorkers: 2,
  },
})
