import { defineConfig } from 'vitest/config';

const base = { sequence: { shuffle: true }, restoreMocks: true };

export default defineConfig({
  test: {
    reporters: ['default'],
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
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...base,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
