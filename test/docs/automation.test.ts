/** The command lines of the files for cron, systemd and GitLab do what they are there for. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCli, startCluster, workFolder } from '../e2e/harness.ts';

const FOLDER = 'examples/automation';

/** Of a key that nobody here has. */
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

/** On the cluster of the simulator, with the files of an example. */
const FILES: readonly (readonly [RegExp, string])[] = [
  [/(\S*\/)?lab\.yml/, 'examples/single-vm/lab.yml'],
  [/(\S*\/)?users\.csv/, 'examples/single-vm/users.yml'],
];

function commandsIn(file: string): string[][] {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  return text.split('\n').flatMap((line) => {
    const [, words] =
      /(?:^ExecStart=\/usr\/bin\/|&& \{ date; |^ +- )deploy-stand (.*?)(?:; \} >> .*| \|\| result=.*)?$/.exec(
        line,
      ) ?? [];
    if (line.startsWith('#') || words === undefined) return [];
    const named = FILES.reduce((all, [from, to]) => all.replace(from, to), words);
    return [named.split(' ')];
  });
}

const SERVICES = ['users', 'class', 'expired'].map((name) => `deploy-stand-${name}.service`);
/** What runs in one night, in order. */
const NIGHTS = [['crontab'], SERVICES, ['gitlab-ci.yml']];

test('every file is tried', () => {
  const files = readdirSync(FOLDER).filter((file) => !file.endsWith('.timer'));
  expect(NIGHTS.flat().sort()).toEqual(files.sort());
});

test.each(NIGHTS.map((files) => [files.join(', '), files] as const))('%s', async (_, files) => {
  const commands = files.flatMap(commandsIn);
  expect(commands.map(([command]) => command)).toContain('deploy');
  const simulator = await startCluster();
  const folder = workFolder();
  for (const words of commands) {
    const writes = words[0] === 'deploy' || words[1] === 'sync';
    const named = words.map((word, at) => (words[at - 1] === '--credentials' ? join(folder, word) : word));
    const kept = writes && !words.includes('--credentials') ? ['--credentials', join(folder, 'c.csv')] : [];
    const env = words.some((word) => word.endsWith('.age')) ? { DEPLOY_STAND_ENCRYPT_TO: RECIPIENT } : {};
    const { code, stderr } = await runCli([...named, ...kept], simulator, { env });
    const expected = words.includes('--detailed-exitcode') ? 6 : 0;
    expect([words.join(' '), code, code === expected ? '' : stderr]).toEqual([words.join(' '), expected, '']);
  }
});

test('systemd: each service runs one command, in order, and none requires that the one before it has ended well', () => {
  for (const file of SERVICES) {
    expect(commandsIn(file)).toHaveLength(1);
    expect(readFileSync(join(FOLDER, file), 'utf8')).not.toMatch(/^(Requires|BindsTo|Requisite)=/m);
  }
  const [users = '', main = '', expired = ''] = SERVICES;
  const text = (file: string) => readFileSync(join(FOLDER, file), 'utf8');
  expect(text(main)).toMatch(new RegExp(`^Wants=.* ${users} ${expired}$`, 'm'));
  expect(text(main)).toMatch(new RegExp(`^After=.* ${users}$`, 'm'));
  expect(text(expired)).toMatch(new RegExp(`^After=.* ${main}$`, 'm'));
});

test('GitLab: an account that cannot be changed fails the job, and the class is deployed', () => {
  const { deploy } = parse(readFileSync(join(FOLDER, 'gitlab-ci.yml'), 'utf8')) as {
    deploy: { script: string[] };
  };
  // The runner's shell ends at the first command that fails.
  const lines = deploy.script.map((line) => line.replace(/^deploy-stand /, 'tool '));
  const script = `tool() { echo "$1"; [ "$1" != users ] || return 5; }\n${lines.join('\n')}`;
  const { status, stdout } = spawnSync('/bin/sh', ['-e', '-c', script], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([5, 'users\ndeploy\n']);
});

const BALANCE = 'examples/balance';
/** In cron's line the user comes first. */
const BALANCE_LINE =
  /(?:ExecStart=\/usr\/bin\/|^ +- |^\S+ \S+ \S+ \S+ \S+ +deploy-stand +)deploy-stand (balance .*?)(?: >>? .*)?$/;

test('balance: the line of each recipe is a round', async () => {
  const recipes = readdirSync(BALANCE).filter((file) => !/timer$|all-guests/.test(file));
  expect(recipes).toContain('crontab');
  const simulator = await startCluster();
  for (const recipe of recipes) {
    const lines = readFileSync(join(BALANCE, recipe), 'utf8').split('\n');
    const commands = lines.flatMap((line) => BALANCE_LINE.exec(line)?.[1] ?? []);
    expect([recipe, commands.length]).not.toEqual([recipe, 0]);
    for (const words of commands) {
      const named = words.replace(/\S*balance\.yml/, 'examples/balance.yml').split(' ');
      const { code, stderr } = await runCli([...named, '--dry-run'], simulator);
      expect([words, code, code === 0 ? '' : stderr]).toEqual([words, 0, '']);
    }
  }
});
