import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['source', 'module', 'node', 'development|production'] };
const ssr = {
  resolve: {
    conditions: ['source', 'node', 'development|production'],
    externalConditions: ['source', 'node'],
  },
};

/** Suites by what they need: `unit` needs nothing, the others start real servers on loopback. */
export default defineConfig({
  resolve,
  ssr,
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{libs,apps,tools}/**/*.spec.ts'],
          exclude: ['**/node_modules/**', 'dist/**'],
          // A limit for what hangs, not a judgement of the machine's speed.
          testTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/{contract,integration}/**/*.spec.ts'],
          globalSetup: ['test/support/servers.global.ts'],
          testTimeout: 300_000,
          hookTimeout: 480_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'acceptance',
          include: ['test/{acceptance,crash}/**/*.spec.ts'],
          globalSetup: ['test/support/servers.global.ts'],
          testTimeout: 600_000,
          hookTimeout: 480_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
