/**
 * Has a run of the suite load the sources as files that Node reads by itself: esbuild takes the types out of all of them
 * in a second, where vite would have each worker ask for the nine hundred one by one. They lie beside the dependencies,
 * under a name made of what is in them: another run may use the same, and none meets another's. Who watches
 * (`npx vitest`) gets them from vite, which knows what to run again.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { REPLACED, withWayIn } from './replace-export.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCES = join(ROOT, 'src/');
const FOLDER = join(ROOT, 'node_modules/.cache/deploy-stand-sources/');
/** As deep as the folders where they come to lie. */
const ANY = join(FOLDER, 'any');
const WEEK_MS = 7 * 86_400_000;

const apart: Plugin = {
  name: 'each module a file',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\.?\// }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.mjs'), external: true },
    );
    esbuild.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const here = JSON.stringify(pathToFileURL(path).href);
      const source = readFileSync(path, 'utf8').replaceAll('import.meta.url', here);
      const replaced = REPLACED[relative(SOURCES, path)];
      return { contents: replaced ? `${source}\n${withWayIn(replaced)}` : source, loader: 'ts' };
    });
  },
};

/** Those of other commits: no run uses them any more. */
function forgetOlderThan(latest: string): void {
  const ageOf = (folder: string): number => statSync(latest).mtimeMs - statSync(folder).mtimeMs;
  for (const folder of readdirSync(FOLDER).map((name) => join(FOLDER, name)))
    if (ageOf(folder) > WEEK_MS) rmSync(folder, { recursive: true, force: true });
}

/** Returns the folder. */
export async function buildSources(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/**/*.ts'],
    outdir: ANY,
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Places in stacks are those of the sources.
    sourcemap: 'inline',
    sourcesContent: false,
    plugins: [apart],
    logLevel: 'error',
  });
  const hash = createHash('sha256');
  for (const { path, contents } of outputFiles) hash.update(relative(ANY, path)).update(contents);
  const folder = join(FOLDER, hash.digest('hex'));
  if (existsSync(folder)) return folder;
  const beside = `${folder}.${process.pid}`;
  for (const { path, contents } of outputFiles) {
    const file = join(beside, relative(ANY, path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  }
  forgetOlderThan(beside);
  try {
    renameSync(beside, folder);
  } catch (error) {
    // Another run was faster.
    if (!existsSync(folder)) throw error;
    rmSync(beside, { recursive: true });
  }
  return folder;
}

/** Where a module that is imported stands in that folder, if it is one of the sources. */
export function builtFile(folder: string, id: string, importer: string): string | undefined {
  const file = id.startsWith('.') ? join(dirname(importer), id) : id;
  if (!file.startsWith(SOURCES) || !file.endsWith('.ts')) return undefined;
  return join(folder, relative(SOURCES, file).replace(/\.ts$/, '.mjs'));
}
