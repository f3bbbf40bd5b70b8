import { defineConfig } from 'vitest/config';
import { isLengthy } from './test/runs.ts';

/** Ends a test that hangs. None is meant to come near it, however slow the machine. */
const HANGS = (isLengthy ? 240 : 10) * 60_000;

// Without isolation a worker loads the sources once, not once per file: half the CPU time of the unit tests.
const base = {
  sequence: { shuffle: true },
  restoreMocks: true,
  isolate: false,
  testTimeout: HANGS,
  hookTimeout: HANGS,
};

export default defineConfig({
  test: {
    reporters: ['default'],
    // One worker per core: the main thread does next to nothing.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          ...base,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/proxmox/**',
            'test/notify/**',
            'test/e2e/**',
            'test/process/**',
            'test/simulator/**',
            'test/contract/**',
          ],
        },
      },
      { test: { ...base, name: 'http', include: ['test/{proxmox,notify}/**/*.test.ts'] } },
      {
        test: {
          ...base,
          name: 'simulator',
          include: ['test/simulator/**/*.test.ts', 'test/contract/**/*.test.ts'],
          setupFiles: ['test/simulator/setup.ts'],
        },
      },
      {
        test: {
          ...base,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          setupFiles: ['test/e2e/setup.ts'],
        },
      },
      {
        // Spawns the built command line; see test/process/.
        test: {
          ...base,
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          setupFiles: ['test/e2e/setup.ts'],
        },
      },
    ],
  },
});
