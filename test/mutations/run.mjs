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
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { mutations } from './mutations.mjs';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
/** The near tests first; most mistakes get no further. The spawned command line adds nothing that these do not reach. */
const NARROW = 'test/!(simulator|contract|e2e|process)/**';
const WIDE = 'test/{simulator,contract,e2e}/**';
const SPAWNED = 'test/process/**';
const STAGES = [
  { without: [WIDE, SPAWNED], near: true },
  { without: [WIDE, SPAWNED] },
  { without: [NARROW, 'test/*.test.ts', SPAWNED] },
];
/** A mistake may make a loop endless. */
const LONGEST_MS = 20 * 60_000;
const REPORT = '.mutation.json';

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

/** Runs the tests that these words of vitest's command line choose, up to the first that turns red. */
function runTests(copy, without, choice) {
  return new Promise((done, fail) => {
    const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
    const only = without.flatMap((files) => ['--exclude', files]);
    const report = ['--reporter', 'json', '--outputFile', join(copy, REPORT)];
    rmSync(join(copy, REPORT), { force: true });
    const args = [vitest, ...choice, ...only, ...report, '--run', '--bail', '1', '--passWithNoTests'];
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
      done(code);
    });
  });
}

/** The file of the test that turns red; undefined: none does. */
async function redTest(copy, without, choice) {
  const code = await runTests(copy, without, choice);
  if (code === 0) return undefined;
  if (code === null) return 'a run without end';
  const { testResults } = JSON.parse(readFileSync(join(copy, REPORT), 'utf8'));
  // A file that cannot even be loaded has no tests to be red.
  const isRed = ({ status, assertionResults: tests }) =>
    tests.some((one) => one.status === 'failed') || (status === 'failed' && tests.length === 0);
  const red = testResults.find(isRed);
  if (!red) throw new Error(`vitest ${choice.join(' ')} ended with ${code}, and no test is red`);
  return relative(copy, red.name);
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

async function caughtBy(copy, file) {
  for (const { without, near } of STAGES) {
    const choice = near ? ['run', `test/${file.split(/[\\/]/)[2]}/`] : ['related', file];
    const red = await redTest(copy, without, choice);
    if (red !== undefined) return red;
  }
  return undefined;
}

async function judge(copy, mutation) {
  const file = locate(copy, mutation);
  if (file === undefined) return 'does not fit';
  const mend = mutate(join(copy, file), mutation);
  try {
    const by = await caughtBy(copy, file);
    return by === undefined ? 'SURVIVED' : `caught by ${by}`;
  } finally {
    mend();
  }
}

async function main(copy) {
  const red = await redTest(copy, [SPAWNED], ['run']);
  if (red !== undefined) throw new Error(`${red} is red before any mistake was made`);
  const verdicts = [];
  for (const mutation of mutations) {
    const { of, file, why } = mutation;
    if (values.only !== undefined && !`${file} ${why}`.includes(values.only)) continue;
    const verdict = await judge(copy, mutation);
    verdicts.push({ of, verdict });
    print(`${of}, ${basename(file)}: ${why}\n  ${verdict}`);
  }
  const count = (start, of) =>
    verdicts.filter((one) => one.verdict.startsWith(start) && one.of === (of ?? one.of)).length;
  const [survived, unfit] = [count('SURVIVED'), count('does not fit')];
  const each = ['planner', 'executor', 'client'].map((of) => `${of} ${count('caught', of)}`).join(', ');
  const rest = `${survived} survived${unfit === 0 ? '' : `, ${unfit} do not fit`}`;
  print(`${count('caught')} of ${verdicts.length - unfit} mistakes caught (${each}), ${rest}`);
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
