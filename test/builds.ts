/** What is built before all tests: the bin that some of them spawn, and the sources that all of them load. */
import { stop } from 'esbuild';
import type { Plugin } from 'vitest/config';
import { builtFile, buildSources } from './built-sources.ts';
import { buildBin } from './process/build.ts';

export function builds(): Plugin {
  let folder: string | undefined;
  return {
    name: 'builds',
    enforce: 'pre',
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- vitest waits for it, whatever its type says
    async configureVitest({ vitest }) {
      const [built] = await Promise.all([vitest.config.watch ? undefined : buildSources(), buildBin()]);
      folder = built;
      // Its service would keep what it has read until the end: 280 MiB.
      await stop();
    },
    resolveId(id, importer) {
      return folder === undefined || importer === undefined ? null : builtFile(folder, id, importer);
    },
  };
}
