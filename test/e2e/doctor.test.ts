/** The story of an account with the least privileges: asked for, refused, told how, granted, used. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import type { DoctorReport } from '../../src/lib/privileges/report.ts';
import {
  post,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type Cluster,
} from './harness.ts';

const SECRET = '11111111-1111-4111-a111-111111111111';
const ENV = { PVE_TOKEN_ID: 'deploy-stand@pve!cli', PVE_TOKEN_SECRET: SECRET };

const LAB = `name: net
machines:
  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }, { bridge: vmbr0 }] }
`;

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/doctor.schema.json', import.meta.url), 'utf8'),
) as object;

function reportOf(stdout: string): DoctorReport {
  const report = JSON.parse(stdout) as DoctorReport;
  const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
  expect(validate(report) ? [] : validate.errors).toEqual([]);
  return report;
}

test('a token that may nothing is told what it lacks; with what doctor proposes it deploys', async () => {
  const user = { userid: 'deploy-stand@pve', tokens: [{ id: 'cli', secret: SECRET, privsep: false }] };
  const simulator = await startCluster({ scenario: scenario({ version: '9.2', users: [user] }) });
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const deploy = ['deploy', ...files, '--credentials', join(folder, 'credentials.csv')];

  const refused = await runCli(deploy, simulator, { env: ENV });
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain('lacks privileges for this; nothing was changed  [MISSING_PRIVILEGES]');
  expect(refused.stderr).toMatch(/\/vms\/101 +lacks VM\.Audit: to find and read the template/);
  // One line for all privileges of the role.
  expect(refused.stderr.match(/one has to have all of it oneself/g)).toHaveLength(1);
  expect(refused.stderr).toContain(
    "pveum acl modify /pool --tokens 'deploy-stand@pve!cli' --roles deploy-stand-pool",
  );
  const asJson = await runCli([...deploy, '--output', 'json'], simulator, { env: ENV });
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    error: {
      code: 'MISSING_PRIVILEGES',
      issues: expect.arrayContaining([expect.objectContaining({ path: '/vms/101' })]) as unknown,
    },
  });
  expect((await runCli(['doctor', ...files], simulator, { env: ENV })).code).toBe(4);
  expect(writes(simulator)).toEqual([]);

  const asked = await runCli(['doctor', ...files, '--profile', 'confined', '--output', 'json'], simulator);
  expect(asked.code).toBe(0);
  const { grants, commands, scope } = reportOf(asked.stdout);
  expect(scope).toBe('class');
  expect(commands).toContain('pveum acl modify /pool --users deploy-stand@pve --roles deploy-stand-pool');
  expect(commands.join()).not.toContain('VM.Monitor');
  for (const [roleid, privs] of new Map(grants.map(({ role, privileges }) => [role, privileges.join(',')])))
    expect(await post(simulator, '/access/roles', { roleid, privs })).toBe(200);
  for (const { path, role, propagate } of grants) {
    const form = { path, roles: role, users: user.userid, propagate: propagate ? '1' : '0' };
    expect(await post(simulator, '/access/acl', form, 'admin', 'PUT')).toBe(200);
  }

  const told = await runCli(['doctor', ...files], simulator, { env: ENV });
  expect(told.code).toBe(0);
  expect(told.stdout).toContain('deploy-stand@pve!cli on PVE 9.2: deploy of this class, profile confined');
  expect(told.stdout).toContain('nothing is missing for deploy');
  // What is there stays: other accounts and commands live on it.
  expect(told.stdout).toMatch(/pveum role modify deploy-stand-pool --privs \S+ --append 1\n/);
  expect(told.stdout).not.toMatch(/role modify .*[^1]\n/);
  const made = await runCli([...deploy, '--output', 'json'], simulator, { env: ENV });
  expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(made.stdout)).toMatchObject({
    plan: { profile: 'confined' },
    summary: { status: 'done' },
  });
  const pools = simulator.snapshot().pools.map(({ poolid, vms }) => [poolid, vms]);
  expect(pools).toEqual(
    expect.arrayContaining([
      ['anna', [10000]],
      ['boris', [10001]],
    ]),
  );

  const cleanup = ['cleanup', ...files];
  const dry = await runCli([...cleanup, '--dry-run'], simulator, { env: ENV });
  expect(dry.code).toBe(0);
  expect(dry.stderr).toContain('deploy-stand@pve!cli on /vms lacks VM.Audit, with propagation');
  expect((await runCli(cleanup, simulator, { env: ENV })).code).toBe(4);
});

/** Does what an administrator does who pastes a line of ours into a shell. */
async function typed(simulator: Cluster, line: string): Promise<number> {
  const words = line.trim().replaceAll("'", '').split(/ +/);
  const option = (name: string) => {
    const at = words.indexOf(`--${name}`);
    return at < 0 ? {} : { [name]: words[at + 1] ?? '' };
  };
  const [, what, verb, target = ''] = words;
  if (what === 'role') {
    const form = { ...option('privs'), ...option('append') };
    return verb === 'add'
      ? post(simulator, '/access/roles', { roleid: target, ...form })
      : post(simulator, `/access/roles/${target}`, form, 'admin', 'PUT');
  }
  expect([what, verb]).toEqual(['acl', 'modify']);
  const form = {
    path: target,
    ...option('users'),
    ...option('tokens'),
    ...option('roles'),
    ...option('propagate'),
  };
  return post(simulator, '/access/acl', form, 'admin', 'PUT');
}

test.each([
  { name: 'that doctor makes', version: '9.2', privsep: false },
  { name: 'with privilege separation', version: '9.2', privsep: true },
  { name: 'of an old cluster', version: '7.4', privsep: false },
] as const)('what a refused token $name is told works to the letter', async ({ version, privsep }) => {
  const user = { userid: 'deploy-stand@pve', tokens: [{ id: 'cli', secret: SECRET, privsep }] };
  const simulator = await startCluster({ scenario: scenario({ version, users: [user] }) });
  const folder = workFolder();
  const lab = LAB.replace('networks', 'cores: 2, memory: 640, cloud_init: { user: lab }, networks');
  writeFiles(folder, { 'lab.yml': lab, 'users.yml': 'users: [anna@pve]\n' });
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const deploy = ['deploy', ...files, '--credentials', join(folder, 'c.csv'), '--output', 'json'];
  const refused = await runCli(deploy, simulator, { env: ENV });
  expect(refused.code).toBe(4);
  const { hint } = (JSON.parse(refused.stdout) as { error: { hint: string } }).error;
  const lines = hint.split('\n').filter((line) => line.startsWith('  pveum '));
  const owners = lines.filter((line) => line.includes('--users deploy-stand@pve '));
  const tokens = lines.filter((line) => line.includes("--tokens 'deploy-stand@pve!cli' "));
  expect(owners.length).toBeGreaterThan(0);
  expect(tokens).toHaveLength(owners.length);
  const left = privsep ? lines : lines.filter((line) => !tokens.includes(line));
  for (const line of left) expect([line, await typed(simulator, line)]).toEqual([line, 200]);
  const run = await runCli(deploy, simulator, { env: ENV });
  expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
});

/** Of the connections file alone. */
const NO_ENV = { PVE_HOST: '', PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '' };

test.each([
  ['password', 'user: root@pam\n  password: wrong'],
  [
    'token',
    'user: root@pam\n  use_token: true\n  token_name: lab\n  token_value: 00000000-0000-4000-a000-000000000009',
  ],
])('a wrong %s is tried once', async (_, login) => {
  const simulator = await startCluster();
  const folder = workFolder();
  const connections = `school:\n  host: 127.0.0.1:${simulator.port}\n  ${login}\n  verify_ssl: true\n`;
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n', 'connections.yml': connections });
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const to = ['--connections', join(folder, 'connections.yml'), '--connection', 'school'];
  for (const command of [
    ['deploy', ...files],
    ['cleanup', ...files],
    ['bridges', 'list'],
    ['balance', '--dry-run'],
  ]) {
    const since = simulator.requests.length;
    const run = await runCli([...command, ...to], simulator, { env: NO_ENV });
    expect([command[0], run.code, run.stderr]).toEqual([
      command[0],
      4,
      expect.stringContaining('[AUTH_FAILED]'),
    ]);
    expect([command[0], simulator.requests.length - since]).toEqual([command[0], 1]);
  }
});

test.each([
  { version: '7.4', asked: 1 },
  { version: '8.4', asked: 0 },
  { version: '9.2', asked: 0 },
] as const)(
  '$version: HA’s manager is asked only where the nodes do not say it',
  async ({ version, asked }) => {
    const nodes = [{ name: 'pve1' }, { name: 'pve2' }, { name: 'pve3' }].map((node) =>
      node.name === 'pve2' ? { ...node, maintenance: true } : node,
    );
    const simulator = await startCluster({ scenario: scenario({ version, nodes }) });
    const folder = workFolder();
    writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' });
    const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
    const dry = await runCli(['deploy', ...files, '--dry-run'], simulator);
    expect(dry.code).toBe(0);
    const managers = simulator.requests.filter(({ rawPath }) => rawPath.includes('manager_status'));
    expect(managers).toHaveLength(asked);
    const told = await runCli(['deploy', ...files, '--dry-run', '--nodes', 'pve2'], simulator);
    expect([told.code, told.stderr.replaceAll(/\s+/g, ' ')]).toEqual([
      3,
      expect.stringContaining('node pve2 is in maintenance'),
    ]);
  },
);

test.each(['7.4', '9.2'] as const)('doctor in general, on %s', async (version) => {
  const simulator = await startCluster({ scenario: scenario({ version }) });
  for (const command of ['deploy', 'cleanup', 'users', 'bridges', 'templates', 'balance']) {
    const run = await runCli(['doctor', '--for', command, '--output', 'json'], simulator);
    const { grants, scope, rows } = reportOf(run.stdout);
    expect([command, run.code, scope]).toEqual([command, 0, 'general']);
    expect(rows.filter(({ state }) => state === 'missing')).toEqual([]);
    const asked = grants.flatMap(({ privileges }) => privileges);
    if (version === '7.4') expect(asked.filter((privilege) => privilege.startsWith('SDN.'))).toEqual([]);
    // The server knows every privilege that is proposed.
    for (const { role, privileges } of grants) {
      const form = { roleid: `${command}-${role}`, privs: privileges.join(',') };
      expect(await post(simulator, '/access/roles', form)).toBe(200);
    }
  }
});
