import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';
import { builds } from './test/builds.ts';
import { isLengthy } from './test/runs.ts';

/** Ends a test that hangs. None is meant to come near it, however slow the machine. */
const HANGS = (isLengthy ? 240 : 10) * 60_000;

/** MiB. */
const HEAP = ['--max-old-space-size=384', '--min-semi-space-size=32', '--max-semi-space-size=32'];

export default defineConfig({
  // The programs of examples/library, by the name that users write.
  resolve: { alias: { 'deploy-stand': new URL('src/index.ts', import.meta.url).pathname } },
  plugins: [builds()],
  test: {
    reporters: ['default'],
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    sequence: { sequencer: LongestFirst, shuffle: { tests: true } },
    restoreMocks: true,
    testTimeout: HANGS,
    hookTimeout: HANGS,
    // A worker loads the sources once, not once per file; nor once per project, for which reason there is none.
    isolate: false,
    // One worker per core: the main thread does next to nothing.
    maxWorkers: '100%',
    // Below this limit V8 collects in time; by itself it lets a worker that lives on a hundred MiB grow to five.
    // Most functions run too seldom to earn what optimising them costs: a fifth of all CPU time, at V8's own threshold.
    // Compiled plainly, at its first call, all the same: it is an eighth faster than what is only read.
    // What a run leaves is garbage at its end: with room for all of it, little of it is ever looked at.
    ...(isLengthy ? {} : { execArgv: [...HEAP, '--interrupt-budget=600000', '--always-sparkplug'] }),
  },
});
