/**
 * Builds the bin for tests that spawn it, and looks at no type: the compiler takes ten seconds for its own build, which
 * `npm run demo` runs.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformWithOxc } from 'vite';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Whole or not at all: another worker may build too, or run what was built. */
function replace(file: string, text: string): void {
  const beside = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(beside, text);
  renameSync(beside, file);
}

for (const name of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.ts')) continue;
  const file = join(ROOT, 'src', name);
  const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file, {
    target: 'es2023',
    sourcemap: false,
    typescript: { rewriteImportExtensions: true, onlyRemoveTypeImports: true },
  });
  replace(join(ROOT, 'dist', name.replace(/\.ts$/, '.js')), code);
}
