/** Help that fits a screen, its examples, and what a shell is told to complete. */
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { EXAMPLES } from '../../src/commands/examples.ts';
import type { ProgramIo } from '../../src/commands/io.ts';
import { candidatesFor, type Names } from '../../src/commands/completion/candidates.ts';
import { createProgram } from '../../src/program.ts';
import { runCli, workFolder, writeFiles } from './harness.ts';

const io = { env: {}, stdout: {}, stderr: {} } as unknown as ProgramIo; // nothing is run by it
const program = createProgram(io);

function leaves(command: Command, path: readonly string[] = []): { path: string; command: Command }[] {
  return command.commands
    .filter((one) => one.name() !== 'completion-server')
    .flatMap((one) => {
      const here = [...path, one.name()];
      const below = leaves(one, here);
      // balance is one, too, though there is another below it.
      const own =
        below.length === 0 || one.name() === 'balance' ? [{ path: here.join(' '), command: one }] : [];
      return [...own, ...below];
    });
}

const all = leaves(program);

const groups = program.commands.filter((one) => one.commands.length > 0).map((one) => one.name());

test.each(['', ...new Set(groups), ...all.map(({ path }) => path)])(
  '%s --help: at most 60 lines of 80 columns, with two examples',
  async (path) => {
    const words = path === '' ? [] : path.split(' ');
    const { code, stdout } = await runCli([...words, '--help'], undefined);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(lines.filter((line) => line.length > 80 && !line.includes('deploy-stand '))).toEqual([]);
    expect(stdout).toMatch(/\nExamples:\n(?: {2}deploy-stand .+\n){2}\n.*deploy-stand help global\n$/);
  },
);

test.each(program.commands.map((command) => command.name()).filter((name) => name !== 'help'))(
  '%s made alone, as for a command line that begins with it, is what it is among the others',
  (name) => {
    const alone = createProgram(io, name);
    if (name !== 'completion-server')
      expect(alone.commands.map((command) => command.name())).toEqual([name, 'completion-server', 'help']);
    const helpOf = ({ commands }: Command) => commands.find((one) => one.name() === name)?.helpInformation();
    expect(helpOf(alone)).toBe(helpOf(program));
  },
);

test('a terminal of 60 columns breaks no word of any help', () => {
  const narrow = createProgram({ env: {}, stdout: { columns: 60 }, stderr: {} } as unknown as ProgramIo);
  const wide = leaves(narrow).flatMap(({ path, command }) =>
    command
      .helpInformation()
      .split('\n')
      // A single word may be longer than its room; the usage is one line to be copied.
      .filter((line) => line.length > 60 && line.trim().includes(' ') && !line.startsWith('Usage: '))
      .map((line) => `${path}: ${line}`),
  );
  expect(wide).toEqual([]);
});

describe('examples', () => {
  test('are there for every command, and for no other', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(all.map(({ path }) => path).sort());
  });

  test.each(all)('of $path name it, and options that it has', ({ path, command }) => {
    const known = [...command.options, ...program.options].flatMap(({ long, short }) => [long, short]);
    for (const example of EXAMPLES[path] ?? []) {
      expect(`${example} `.startsWith(`${path} `)).toBe(true);
      const used = example.split(' ').filter((word) => word.startsWith('-'));
      expect(used.filter((option) => !known.includes(option))).toEqual([]);
      const lacking = command.options.filter(
        ({ mandatory, long, short }) => mandatory && !used.some((one) => one === long || one === short),
      );
      expect(lacking.map(({ flags }) => flags)).toEqual([]);
    }
  });
});

test.each([
  ['destroy', 'cleanup'],
  ['plan', 'deploy --dry-run'],
  ['inspect', 'status'],
  ['stauts', 'status'],
])('%s of another tool, or misspelled, is %s here', async (word, meant) => {
  const { code, stderr } = await runCli([word, '-c', 'lab.yml'], undefined);
  expect([code, stderr]).toEqual([2, `error: unknown command '${word}'\n(Did you mean ${meant}?)\n`]);
});

test('help global tells what every command takes, and the help of a command does not repeat it', async () => {
  const global = await runCli(['help', 'global'], undefined);
  expect(global.code).toBe(0);
  for (const { long } of program.options) if (long !== '--version') expect(global.stdout).toContain(long);
  const deploy = await runCli(['deploy', '--help'], undefined);
  expect(deploy.stdout).not.toContain('--passphrase-file');
  const order = ['Options:', 'Examples:', 'help global'].map((text) => deploy.stdout.indexOf(text));
  expect([...order].sort((a, b) => a - b)).toEqual(order);
});

describe('completion', () => {
  const names: Names = {
    connections: () => ['school', 'spare'],
    labs: () => ['dmz'],
    starters: () => [{ name: 'single-machine' }, { name: 'domain' }],
  };
  const list = (line: string) => {
    const found = candidatesFor(line.split(' '), program, names);
    return found === 'files' ? found : found.map(({ name }) => name);
  };

  test.each([
    ['dep', ['deploy']],
    ['users s', ['sync']],
    ['--connection s', ['school', 'spare']],
    ['--connection sp', ['spare']],
    ['--connection=sp', ['--connection=spare']],
    ['deploy --strat', ['--strategy']],
    ['deploy --strategy s', ['specific', 'smart']],
    ['deploy --strategy=sm', ['--strategy=smart']],
    ['deploy --dry-run -c', []],
    ['deploy -c ', 'files'],
    ['deploy -c lab.yml -u ', 'files'],
    ['--quiet deploy --sim', ['--simulate', '--simulate-state']],
    ['deploy --simulate --dry', ['--dry-run']],
    ['cleanup --lab ', ['dmz']],
    ['init ', ['single-machine', 'domain']],
    ['init dmz --out ', 'files'],
    ['show ', 'files'],
    ['completion z', ['zsh']],
    ['help rep', ['report']],
    ['help users s', ['sync']],
    ['help glo', ['global']],
    ['help deploy ', []],
    ['report --format m', ['markdown']],
    ['nothing ', []],
  ])('of "%s"', (line, wanted) => {
    expect(list(line)).toEqual(wanted);
  });

  test('without a word: commands, none that is hidden', () => {
    expect(list('')).toContain('deploy');
    expect(list('')).not.toContain('completion-server');
  });

  test.each(['bash', 'zsh', 'fish', 'powershell'])('a script for %s asks us', async (shell) => {
    const { code, stdout } = await runCli(['completion', shell], undefined);
    expect([code, stdout]).toEqual([0, expect.stringContaining('completion-server')]);
  });

  test('a shell is answered with names of the connections file, and a broken one is no matter', async () => {
    const folder = workFolder();
    writeFiles(folder, { 'good.yml': 'school: { host: pve1 }\nspare: { host: pve2 }\n', 'bad.yml': '{' });
    const ask = (file: string) => {
      const line = 'deploy-stand --connection s';
      const env = { COMP_LINE: line, COMP_POINT: String(line.length), COMP_CWORD: '2', SHELL: 'zsh' };
      return runCli(['completion-server', '--', ...line.split(' ')], undefined, {
        env: { ...env, DEPLOY_STAND_CONNECTIONS: `${folder}/${file}` },
      });
    };
    expect(await ask('good.yml')).toEqual({ code: 0, stdout: 'school\nspare\n', stderr: '' });
    expect(await ask('bad.yml')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('an unknown shell is refused', async () => {
    const { code, stderr } = await runCli(['completion', 'tcsh'], undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining('bash, zsh, fish, powershell')]);
  });
});
