/**
 * Builds the bin for tests that spawn it, once, before all tests: looks at no type, for which the compiler takes ten seconds, and puts all into a
 * few files, for of what a process of the tests does most would be to find and read the thousand that are shipped.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { FOLDER } from './bin.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Whole or not at all: another run of the suite may build too, or run what was built. */
function replace(file: string, content: Uint8Array): void {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, content);
  renameSync(beside, file);
}

// Chunks are named by what is in them; the entry, which names them, comes last.
const isEntry = ({ path }: { readonly path: string }): boolean => path.endsWith('cli.js');

export async function buildBin(): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/cli.ts'],
    outdir: FOLDER,
    write: false,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // The one starts workers from files of its own, the other reads the scripts of shells from such.
    // What is made for one machine, ssh2 does without.
    external: ['pino', '@pnpm/tabtab', '*.node', 'cpu-features'],
    // For packages that are no modules of the language.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  mkdirSync(FOLDER, { recursive: true });
  for (const { path, contents } of [...outputFiles].sort((a, b) => Number(isEntry(a)) - Number(isEntry(b))))
    replace(path, contents);
}
