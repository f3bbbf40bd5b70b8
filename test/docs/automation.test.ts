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

const GITLAB = [join(FOLDER, 'gitlab-ci.yml'), join(BALANCE, 'gitlab-ci.yml')];

test('nothing is installed by a name that anybody could take in a registry', () => {
  const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file));
  const examples = readdirSync('examples', { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const named = ['README.md', 'Dockerfile', ...pages, ...examples].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /\b(?:npm (?:install|i|exec|x)|npx|yarn|pnpm)\b.*deploy-stand/.test(line))
      .filter((line) => !/"?\.\/(?:\$PACKAGE|deploy-stand\.tgz)"?/.test(line))
      .map((line) => `${file}: ${line}`),
  );
  expect(named).toEqual([]);
});

test.each(GITLAB)(
  '%s: a package of known contents, and what is secret or vouches for the server is masked',
  (file) => {
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^# .*Masked: (?:.*, )?PVE_FINGERPRINT\b/m);
    const jobs = parse(text) as Record<string, { before_script?: string[]; script?: string[] }>;
    const lines = Object.values(jobs).flatMap(({ before_script = [], script = [] }) => [
      ...before_script,
      ...script,
    ]);
    const installs = lines.flatMap((line, at) =>
      line.startsWith('npm ') ? [lines.slice(at - 2, at + 1)] : [],
    );
    expect(installs.length).toBeGreaterThan(0);
    for (const [fetched = '', checked = '', installed = ''] of installs) {
      expect(fetched).toMatch(/^curl --fail .*--output deploy-stand\.tgz "\$DEPLOY_STAND_PACKAGE"$/);
      expect(checked).toBe('echo "$DEPLOY_STAND_SHA256  deploy-stand.tgz" | sha256sum --check');
      expect(installed).toBe('npm install --global ./deploy-stand.tgz');
    }
  },
);
