/**
 * Makes each mistake of mutations.mjs in a copy of a checkout, and tells whether a test turns red.
 *
 *   node test/mutations/run.mjs [--only TEXT] [CHECKOUT]
 *
 * CHECKOUT (default: this one) may be another commit with its dependencies installed; mistakes whose text is not in it
 * are left out there. Ends with 1 when one survives, when one does not fit this checkout, or when tests are red without.
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { mutations } from './mutations.mjs';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
/** The near tests first; most mistakes get no further. The spawned command line adds nothing that these do not reach. */
const STAGES = [
  { name: 'the tests of its room', projects: ['unit', 'http'], near: true },
  { name: 'unit and http', projects: ['unit', 'http'] },
  { name: 'simulator and e2e', projects: ['simulator', 'e2e'] },
];
/** A mistake may make a loop endless. */
const LONGEST_MS = 20 * 60_000;

const { values, positionals } = parseArgs({
  options: { only: { type: 'string' } },
  allowPositionals: true,
});
const checkout = resolve(positionals[0] ?? HOME);
const print = (text) => process.stdout.write(`${text}\n`);

/** Never in place: a run that is killed leaves a folder under the system's temporary one, and nothing else. */
function copyOf(root) {
  const copy = mkdtempSync(join(tmpdir(), 'deploy-stand-mutations-'));
  const unwanted = new Set(['node_modules', '.git', 'dist', 'coverage'].map((name) => join(root, name)));
  cpSync(root, copy, { recursive: true, filter: (source) => !unwanted.has(source) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  return copy;
}

let running;

function end() {
  if (running?.pid !== undefined) process.kill(-running.pid, 'SIGKILL');
}

/** Are the tests green that these words of vitest's command line choose? */
function isGreen(copy, projects, choice) {
  return new Promise((done, fail) => {
    const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
    const only = projects.flatMap((name) => ['--project', name]);
    const args = [vitest, ...choice, ...only, '--run', '--bail', '1', '--passWithNoTests'];
    running = spawn(process.execPath, args, {
      cwd: copy,
      stdio: 'ignore',
      env: { ...process.env, TEST_RUNS: '' },
      // A group of its own, so that its workers end with it.
      detached: true,
    });
    const alarm = setTimeout(end, LONGEST_MS);
    running.once('error', fail).once('close', (code) => {
      clearTimeout(alarm);
      running = undefined;
      done(code === 0);
    });
  });
}

/** The file with the mistake's place, also where it was moved to another folder. */
function locate(copy, { file, find }) {
  const all = readdirSync(join(copy, 'src'), { recursive: true }).map((name) => join('src', String(name)));
  const namesakes = all.filter((other) => basename(other) === basename(file) && other !== file);
  return [file, ...namesakes].find(
    (path) => existsSync(join(copy, path)) && readFileSync(join(copy, path), 'utf8').split(find).length === 2,
  );
}

/** Makes the mistake; the result mends it. */
function mutate(path, { find, instead }) {
  const text = readFileSync(path, 'utf8');
  const changed = text.split(find).join(instead);
  // What does not even parse would be caught by everything.
  const { diagnostics = [] } = ts.transpileModule(changed, { reportDiagnostics: true });
  if (diagnostics.length > 0) throw new Error(`${path}: not TypeScript any more with "${instead}"`);
  writeFileSync(path, changed);
  return () => writeFileSync(path, text);
}

/** The stage whose tests turn red. */
async function caughtBy(copy, room, file) {
  for (const { name, projects, near } of STAGES) {
    const choice = near ? ['run', `test/${room}/`] : ['related', file];
    if (!(await isGreen(copy, projects, choice))) return name;
  }
  return undefined;
}

async function judge(copy, mutation) {
  const file = locate(copy, mutation);
  if (file === undefined) return 'does not fit';
  const mend = mutate(join(copy, file), mutation);
  try {
    const by = await caughtBy(copy, mutation.room, file);
    return by === undefined ? 'SURVIVED' : `caught by ${by}`;
  } finally {
    mend();
  }
}

async function main(copy) {
  if (!(await isGreen(copy, ['unit', 'http', 'simulator', 'e2e'], ['run'])))
    throw new Error('tests are red before any mistake was made');
  const counts = { caught: 0, SURVIVED: 0, does: 0 };
  for (const mutation of mutations) {
    const { room, file, why } = mutation;
    if (values.only !== undefined && !`${file} ${why}`.includes(values.only)) continue;
    const verdict = await judge(copy, mutation);
    counts[verdict.split(' ')[0]] += 1;
    print(`${verdict.padEnd(31)} ${room}/${basename(file)}: ${why}`);
  }
  const { caught, SURVIVED: survived, does: unfit } = counts;
  const left = unfit === 0 ? '' : `, ${unfit} do not fit`;
  print(`${caught} of ${caught + survived} mistakes caught, ${survived} survived${left}`);
  return survived === 0 && (unfit === 0 || checkout !== resolve(HOME));
}

const copy = copyOf(checkout);
const clear = () => {
  end();
  rmSync(copy, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    clear();
    process.exit(130);
  });
}
try {
  if (!(await main(copy))) process.exitCode = 1;
} finally {
  clear();
}
