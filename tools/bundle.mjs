/**
 * Puts the whole command into one file that runs with Node alone: `npm run bundle` → dist/deploy-stand.cjs. What the
 * package reads of its own files at run time is inside, too. For another place: `node tools/bundle.mjs FILE`.
 * `node tools/bundle.mjs --bin` makes the bin of the package: the flags in one file, the work where the compiler put it.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const [, , ASKED] = process.argv;
const IS_BIN = ASKED === '--bin';
const OUT = IS_BIN ? join(ROOT, 'dist/bin.cjs') : (ASKED ?? join(ROOT, 'dist/deploy-stand.cjs'));

function filesIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const OWN_FILES = [...filesIn('schemas'), ...filesIn('starters'), 'examples/clusters/three-nodes.yml'];

/** In the place of the one module that reads files of the package. */
const packageFiles = (...names) => ({
  name: 'files of the package',
  setup({ onLoad }) {
    onLoad({ filter: /src\/lib\/files\/package\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const root = /^const ROOT = .*$/m;
      const reading = "return readFileSync(new URL(path, ROOT), 'utf8');";
      if (!root.test(source) || !source.includes(reading))
        throw new Error(`${path} does not read files as it did`);
      const files = Object.fromEntries(
        names.sort().map((name) => [name, readFileSync(join(ROOT, name), 'utf8')]),
      );
      const inside =
        'if (FILES[path] === undefined) throw new Error(`${path} is not in the bundle`); return FILES[path];';
      return {
        contents: source
          .replace(root, () => `const FILES: Record<string, string> = ${JSON.stringify(files)};`)
          .replace(reading, () => inside),
        loader: 'ts',
      };
    });
  },
});

/** tabtab reads the scripts for shells from files beside it. */
const shellScripts = {
  name: 'scripts for shells',
  setup({ onLoad }) {
    onLoad({ filter: /@pnpm\/tabtab\/lib\/installer\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const reading = "await readFile(templatePath, 'utf8')";
      if (!source.includes(reading)) throw new Error(`${path} does not read scripts as it did`);
      const folder = join(dirname(path), 'templates');
      const scripts = Object.fromEntries(
        readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
      );
      return {
        contents: source
          .replace(reading, () => `${JSON.stringify(scripts)}[path.basename(templatePath)]`)
          .replace('__dirname', "''"),
        loader: 'js',
      };
    });
  },
};

/** The bin without its last lines, which ask whether it was called: here it is. */
const program = {
  name: 'the program',
  setup({ onLoad }) {
    onLoad({ filter: /src\/cli\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8').replace(/^#!.*/, '');
      const end = source.indexOf('const entry = process.argv[1];');
      if (end < 0) throw new Error(`${path} does not end as it did`);
      return { contents: source.slice(0, end), loader: 'ts', resolveDir: dirname(path) };
    });
  },
};

/** What a command loads when it begins its work stands in the other half: it takes over from there. */
const flagsOnly = {
  name: 'flags only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && !importer.endsWith('src/cli.ts')
        ? { path: 'work', namespace: 'work' }
        : undefined,
    );
    // Whoever waits for it waits for ever, and the other half ends the process.
    onLoad({ filter: /./, namespace: 'work' }, () => ({
      contents: 'globalThis.beginDeployStand(); module.exports = { then() {} };',
      loader: 'js',
    }));
  },
};

/** A text of JavaScript that ends in `{ main, processIo }`. */
async function built(...plugins) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    stdin: { contents: "export { main, processIo } from './src/cli.ts';", resolveDir: ROOT, loader: 'ts' },
    write: false,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    supported: { 'dynamic-import': false },
    legalComments: 'inline',
    minifySyntax: true,
    minifyWhitespace: true,
    // What ssh2 does faster with, and well without.
    external: ['*.node', 'cpu-features'],
    plugins: [shellScripts, program, ...plugins],
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'silent' },
  });
  return outputFiles[0].text;
}

const flags = await built(packageFiles('package.json'), flagsOnly);
/** As Node itself calls a module. */
const frame = (work) => `#!/usr/bin/env node
'use strict';
const load = (run) => {
  const module = { exports: {} };
  run(require, module, module.exports);
  return module.exports;
};
const start = async ({ main, processIo }) => {
  const code = await main(process.argv.slice(2), processIo());
  if (code !== 0) process.exitCode = code;
};
let begun = false;
globalThis.beginDeployStand = () => {
  if (begun) return;
  begun = true;
${work}};
start(load((require, module, exports) => {${flags}\n}));
`;

const FROM_PACKAGE = "  import('./cli.js').then(start);\n";
const FROM_REMARK = `  const { Script } = require('node:vm');
  const { inflateRawSync } = require('node:zlib');
  const [, packed] = require('node:fs').readFileSync(__filename, 'latin1').split('\\n//# work: ');
  const work = inflateRawSync(Buffer.from(packed, 'base64'));
  const source = '(function (require, module, exports) {' + work + '\\n})';
  start(load(new Script(source, { filename: __filename + ' (work)' }).runInThisContext()));
`;

/** The whole is a remark until it is needed: nothing is compiled that `--help` does without. */
async function oneFile() {
  const whole = await built(packageFiles('package.json', ...OWN_FILES));
  const packed = deflateRawSync(whole, { level: 9 }).toString('base64');
  return `${frame(FROM_REMARK)}//# work: ${packed}\n`;
}

mkdirSync(dirname(OUT), { recursive: true });
writeFileSync(OUT, IS_BIN ? frame(FROM_PACKAGE) : await oneFile());
chmodSync(OUT, 0o755);
