/**
 * The product's sources as tests run them: compiled at once before the first test, and loaded by Node itself. Vite would
 * translate each for every worker and reach each name through a getter, which takes a tenth of the suite's time.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Plugin } from 'vitest/config';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCES = path.join(ROOT, 'src/');
const TESTS = path.join(ROOT, 'test/');
/** All side by side, as deep as `src/lib/files`: the package's own files are found from there. */
const FOLDER = path.join(ROOT, 'node_modules/.cache/deploy-stand-sources/');

/** Functions of modules can be replaced in Vite's modules only: this test, and what it loads, gets such of its own. */
const REPLACES = path.join(TESTS, 'adversary/broken-rules.test.ts');
const REPLACEABLE = '?replaceable';
/** One for all: the set-up of every test file ends what is on its list. */
const SHARED = path.join(TESTS, 'cleanups.ts');

const compiled = (source: string): string =>
  path.join(FOLDER, path.relative(SOURCES, source).replaceAll(path.sep, '+').replace(/\.ts$/, '.js'));

async function compile(): Promise<void> {
  const files = await readdir(SOURCES, { recursive: true });
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: files.filter((file) => file.endsWith('.ts')).map((file) => path.join(SOURCES, file)),
    outbase: SOURCES,
    outdir: SOURCES,
    write: false,
    format: 'esm',
    target: 'node20.19',
    logLevel: 'error',
  });
  mkdirSync(FOLDER, { recursive: true });
  for (const { path: file, text } of outputFiles) {
    const besideOthers = text.replaceAll(
      /^((?:import|export)\b[^'"]*|\} from |.*\bimport\()"(\.[^"]+)"/gm,
      (_, words: string, name: string) =>
        `${words}"./${path.basename(compiled(path.resolve(path.dirname(file), name)))}"`,
    );
    const target = compiled(file);
    // Whole or not at all: another run may read it.
    writeFileSync(`${target}.${process.pid}`, besideOthers);
    renameSync(`${target}.${process.pid}`, target);
  }
}

export function compiledSources(): Plugin {
  let isWatching = false;
  let compiling: Promise<void> | undefined;
  return {
    name: 'compiled-sources',
    enforce: 'pre',
    configureVitest({ vitest }) {
      // Who watches wants to see what was changed since.
      isWatching = vitest.config.watch;
    },
    async resolveId(id, importer) {
      if (isWatching) return null;
      const asked = importer?.split('?', 1)[0];
      const found = await this.resolve(id, asked, { skipSelf: true });
      if (found === null) return null;
      if (asked === REPLACES || importer?.endsWith(REPLACEABLE) === true) {
        const isOwn = found.id.startsWith(SOURCES) || (found.id.startsWith(TESTS) && found.id !== SHARED);
        return isOwn ? { ...found, id: found.id + REPLACEABLE } : found;
      }
      if (!found.id.startsWith(SOURCES)) return null;
      await (compiling ??= compile());
      return { id: compiled(found.id), external: true };
    },
  };
}
