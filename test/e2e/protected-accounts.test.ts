/** The account that runs the command carries our mark, as if it were a student: no command touches it. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { comparable } from './cluster-view.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';

const MARK = 'deploy-stand since=2020-01-01T00:00:00Z';
const POOL =
  'deploy-stand user=boss@pve\nlab=net vmids=10001 node=pve1 since=2020-01-01T00:00:00Z expires=2020-02-01';

type Login = 'password' | 'token';

function bossCluster(version: '7.4' | '8.4' | '9.2'): Promise<Cluster> {
  return startCluster({
    scenario: scenario({
      version,
      users: [
        {
          userid: 'boss@pve',
          password: 'boss-secret',
          comment: MARK,
          tokens: [{ id: 'cli', secret: '0c2b7ad0-1f8e-4b7e-9f0e-3c3c1f0a9d11', privsep: false }],
        },
        { userid: 'anna@pve', comment: MARK },
      ],
      pools: [{ pool: 'boss', comment: POOL }],
      acl: [
        { path: '/', role: 'Administrator', user: 'boss@pve' },
        { path: '/pool/boss', role: 'Administrator', user: 'boss@pve' },
      ],
    }),
  });
}

const ENV: Readonly<Record<Login, Readonly<Record<string, string>>>> = {
  password: { PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '', PVE_USER: 'boss@pve', PVE_PASSWORD: 'boss-secret' },
  token: { PVE_TOKEN_ID: 'boss@pve!cli', PVE_TOKEN_SECRET: '0c2b7ad0-1f8e-4b7e-9f0e-3c3c1f0a9d11' },
};

const LAB = 'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [] }]\n';
const USERS = 'users:\n  - anna@pve\n  - boss@pve\n';

function files() {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': USERS, 'others.yml': 'users: [eva@pve]\n' });
  const path = (name: string) => join(folder, name);
  return { path, credentials: ['--credentials', path('c.csv')] };
}

/** The account, its rights and its group. */
function accountOf(cluster: Cluster) {
  const { users, acl } = cluster.snapshot();
  return [
    users.find(({ userid }) => userid === 'boss@pve'),
    acl.filter(({ subject, path }) => subject === 'boss@pve' && path === '/'),
  ];
}

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  describe.each(['password', 'token'] as const)('logged in by %s', (login) => {
    const env = ENV[login];

    test.each([
      ['deploy', (at: string) => ['-c', at.replace('users', 'lab'), '-u', at]],
      ['users create', (at: string) => ['-u', at]],
      ['users sync', (at: string) => ['-u', at]],
      ['users passwd --recreate', (at: string) => ['-u', at]],
    ])('%s refuses the class with the line, and changes nothing', async (command, argv) => {
      const cluster = await bossCluster(version);
      const { path, credentials } = files();
      const before = comparable(cluster.snapshot());
      const run = await runCli([...command.split(' '), ...argv(path('users.yml')), ...credentials], cluster, {
        env,
      });
      expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('users.yml:3: boss@pve ')]);
      expect(comparable(cluster.snapshot())).toEqual(before);
      expect(writes(cluster).filter((line) => !line.endsWith('/access/ticket'))).toEqual([]);
    });

    test.each([
      'cleanup --expired',
      'cleanup --lab net',
      'cleanup --user boss@pve',
      'cleanup --orphans --min-age 0',
      'users delete --user boss@pve',
      'users sync -u OTHERS --prune',
      'users sync -u OTHERS --disable',
    ])('%s leaves it, and says why', async (command) => {
      const cluster = await bossCluster(version);
      const { path, credentials } = files();
      const before = accountOf(cluster);
      const argv = command.replace('OTHERS', path('others.yml')).split(' ');
      const more = argv[0] === 'users' ? credentials : [];
      const run = await runCli([...argv, ...more], cluster, { env });
      expect(run.code).not.toBe(1);
      expect(accountOf(cluster)).toEqual(before);
      const said = (run.stdout + run.stderr).replaceAll(/\s+/g, ' ');
      expect(said).toMatch(/boss@pve .*that deploy-stand uses here/);
    });
  });
});
