/** What a command does with a file of somebody else under the name that it is to write to, and with one name for two. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const FILES = {
  'lab.yml':
    'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: hq }] }]\n',
  'users.yml': 'users: [anna@pve]\n',
  'mine.txt': 'notes of mine\n',
  'balance.yml': 'guests: ours\n',
};
const CLASS = 'deploy -c @lab.yml -u @users.yml';

async function run(line: string) {
  const folder = workFolder();
  writeFiles(folder, FILES);
  const cluster = await startCluster();
  const words = line.split(' ').map((word) => word.replace(/^@/, `${folder}/`));
  const result = await runCli([...words, '--progress', 'none'], cluster);
  const kept = Object.fromEntries(
    Object.keys(FILES).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
  return { ...result, kept, folder, wrote: writes(cluster).length };
}

describe('a file of somebody else stays as it is', () => {
  test.each([
    ['a plan', `${CLASS} --credentials @c.csv --out @mine.txt --dry-run`, 'PLAN_FILE'],
    ['a plan that is applied', `${CLASS} --credentials @c.csv --out @mine.txt`, 'PLAN_FILE'],
    ['credentials', `${CLASS} --credentials @mine.txt`, 'CREDENTIALS_FILE'],
    ['a record', `${CLASS} --credentials @c.csv --log-level debug --log-file @mine.txt`, 'LOG_FILE'],
    ['an audit', `${CLASS} --credentials @c.csv --audit-file @mine.txt`, 'AUDIT_FILE'],
    ['figures', 'balance -c @balance.yml --metrics-file @mine.txt', 'METRICS_FILE'],
    [
      'a simulated cluster',
      `${CLASS} --credentials @c.csv --simulate --simulate-state @mine.txt`,
      'SIMULATOR_STATE_INVALID',
    ],
    ['cards', 'users export -u @users.yml --format csv --out @mine.txt', 'OUT_FILE'],
  ])('%s', async (_, line, code) => {
    const { code: exit, stderr, kept, wrote } = await run(line);
    expect([exit, kept, wrote]).toEqual([2, FILES, 0]);
    expect(stderr).toContain(`[${code}]`);
  });

  test('which option names it is said', async () => {
    const { code, stderr, kept, wrote } = await run('check --lab net --checks @checks.yml --junit @mine.txt');
    expect([code, kept, wrote]).toEqual([2, FILES, 0]);
    expect(stderr).toContain('name another file with --junit');
  });
});

describe('one file for two options', () => {
  test.each([
    ['the users file for the plan', `${CLASS} --credentials @c.csv --out @users.yml`, '--out and --users'],
    ['by another name', `${CLASS} --out @new --credentials @./new`, '--out and --credentials'],
    [
      'records',
      `${CLASS} --credentials @c.csv --log-file @new --audit-file @new`,
      '--log-file and --audit-file',
    ],
    [
      'cards',
      'users export -u @users.yml --format csv --credentials @new --out @new',
      '--credentials and --out',
    ],
    [
      'what balance remembers',
      'balance -c @balance.yml --state-file @new --env-file @new',
      '--state-file and --env-file',
    ],
  ])('%s', async (_, line, options) => {
    const { code, stderr, kept, wrote, folder } = await run(line);
    expect([code, kept, wrote, existsSync(join(folder, 'new'))]).toEqual([2, FILES, 0, false]);
    expect(stderr).toContain('[SAME_FILE]');
    const [first = '', second = ''] = options.split(' and ');
    for (const option of [first, second]) expect(stderr).toContain(option);
  });

  test('the credentials file that nobody named', async () => {
    const { code, stderr } = await run(`${CLASS} --out credentials-net.csv`);
    expect([code, stderr.includes('--out and --credentials name one file')]).toEqual([2, true]);
    expect(existsSync('credentials-net.csv')).toBe(false);
  });
});

test('what we wrote before is written over', async () => {
  const folder = workFolder();
  writeFiles(folder, FILES);
  const cluster = await startCluster();
  const at = (line: string) =>
    runCli(
      line.split(' ').map((word) => word.replace(/^@/, `${folder}/`)),
      cluster,
    );
  const deploy = `${CLASS} --credentials @c.csv --out @plan.json --log-level debug --log-file @log --audit-file @audit`;
  const lines = [
    `${deploy} --dry-run`,
    deploy,
    'users export -u @users.yml --format csv --credentials @c.csv --out @cards',
    'balance -c @balance.yml --metrics-file @metrics',
  ];
  for (const line of [...lines, ...lines]) expect([line, (await at(line)).code]).toEqual([line, 0]);
});
