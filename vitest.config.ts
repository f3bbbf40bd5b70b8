import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';
import { isLengthy } from './test/runs.ts';

/** Ends a test that hangs. None is meant to come near it, however slow the machine. */
const HANGS = (isLengthy ? 240 : 10) * 60_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    sequence: { shuffle: { tests: true }, sequencer: LongestFirst },
    restoreMocks: true,
    // A worker loads the sources once, not once per file; nor once per project, for which reason there are none.
    isolate: false,
    testTimeout: HANGS,
    hookTimeout: HANGS,
    reporters: ['default'],
    // Below this limit V8 collects in time; by itself it lets a worker that lives on a hundred MiB grow to five.
    ...(isLengthy ? {} : { execArgv: ['--max-old-space-size=512'] }),
    // One worker per core: the main thread does next to nothing.
    maxWorkers: '100%',
  },
});
