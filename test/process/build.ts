/**
 * Builds the bin for tests that spawn it: looks at no type, for which the compiler takes ten seconds, and puts all into a
 * few files, for of what a process of the tests does most would be to find and read the thousand that are shipped.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { FOLDER } from './bin.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Whole or not at all: another worker may build too, or run what was built. */
function replace(file: string, content: string | Uint8Array): void {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, content);
  renameSync(beside, file);
}

const built = await build({
  root: ROOT,
  configFile: false,
  logLevel: 'error',
  // The one starts workers from files of its own, the other reads the scripts of shells from such.
  ssr: { noExternal: true, external: ['pino', '@pnpm/tabtab'] },
  build: {
    ...{ ssr: 'src/cli.ts', target: 'node20', minify: false, write: false },
    rolldownOptions: { output: { entryFileNames: 'cli.js', chunkFileNames: '[name]-[hash].js' } },
  },
});
mkdirSync(FOLDER, { recursive: true });
const files = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
// Chunks are named by what is in them; the entry, which names them, comes last.
for (const file of files.sort((a, b) => Number(a.fileName === 'cli.js') - Number(b.fileName === 'cli.js')))
  replace(join(FOLDER, file.fileName), file.type === 'chunk' ? file.code : file.source);
