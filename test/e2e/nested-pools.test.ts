/** Pools of stands below a pool of the class, from the first deploy to the last cleanup: nothing is left of them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const FILES = {
  'lab.yml': `name: net
access: { pool: "class10/{user}" }
machines: [{ name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }] }]
`,
  'users.yml': 'users: [anna@pve, { userid: boris@pve, pool: class10/b/boris }]\n',
};

const cluster = (version: '7.4' | '8.4' | '9.2', more: Partial<Scenario> = {}): Scenario => ({
  version,
  nodes: [{ name: 'pve1', bridges: ['vmbr0'] }],
  storages: [{ id: 'ceph', type: 'rbd' }],
  templates: [{ vmid: 101, name: 'lin-tpl', node: 'pve1' }],
  ...more,
});

function classFiles(): string[] {
  const folder = workFolder();
  writeFiles(folder, FILES);
  const file = (name: string): string => join(folder, name);
  return ['-c', file('lab.yml'), '-u', file('users.yml'), '--credentials', file('c.csv')];
}

test.each(['8.4', '9.2'] as const)(
  'PVE %s: made with what is above them, and removed without a trace',
  async (version) => {
    const files = classFiles();
    const simulator = await startCluster({ scenario: cluster(version) });
    const before = simulator.snapshot();
    const names = (): string[] => simulator.snapshot().pools.map(({ poolid }) => poolid);

    expect((await runCli(['deploy', ...files], simulator)).code).toBe(0);
    expect(names().sort()).toEqual(['class10', 'class10/anna', 'class10/b', 'class10/b/boris']);
    expect(simulator.snapshot().pools.find(({ poolid }) => poolid === 'class10')?.comment).toBe(
      'deploy-stand parent',
    );
    const since = simulator.requests.length;
    expect((await runCli(['deploy', ...files], simulator)).code).toBe(0);
    expect(writes(simulator, since)).toEqual([]);

    const first = await runCli(['cleanup', '--user', 'boris@pve'], simulator);
    expect([first.code, names().sort()]).toEqual([0, ['class10', 'class10/anna']]);
    const dry = await runCli(['cleanup', ...files, '--dry-run'], simulator);
    expect(dry.stdout).toContain('access of anna@pve to pool class10/anna as');
    expect((await runCli(['cleanup', ...files], simulator)).code).toBe(0);
    const { pools, acl, users } = simulator.snapshot();
    expect([pools, acl, users]).toEqual([before.pools, before.acl, before.users]);
  },
);

test('a parent of somebody else stays as it is, and so do the rights that others have on what is below', async () => {
  const files = classFiles();
  const grants = [
    { path: '/pool/class10/anna', role: 'PVEAuditor', user: 'teacher@pve' },
    { path: '/pool/class10/b', role: 'PVEAuditor', user: 'teacher@pve' },
  ];
  const scenario = cluster('9.2', {
    users: [{ userid: 'teacher@pve' }],
    pools: [{ pool: 'class10', comment: 'our class' }],
    acl: grants,
  });
  const simulator = await startCluster({ scenario });
  const before = simulator.snapshot();
  expect((await runCli(['deploy', ...files], simulator)).code).toBe(0);
  const gone = await runCli(['cleanup', ...files], simulator);
  expect(gone.code).toBe(0);
  expect(gone.stdout).toContain('rights that others have on /pool/class10/anna stay');
  expect(gone.stdout).toContain(
    'pool class10/b, which was made for the pools below it, stays, empty: teacher@pve was given rights on it',
  );
  const { pools, acl } = simulator.snapshot();
  expect([acl, pools.filter(({ poolid }) => poolid === 'class10')]).toEqual([before.acl, before.pools]);
  // Where somebody has rights, somebody means to put something.
  expect(pools.map(({ poolid }) => poolid).sort()).toEqual(['class10', 'class10/b']);
});

test('PVE 7.4 refuses with its own reason, whoever may write the pool above', async () => {
  const files = classFiles();
  const simulator = await startCluster({
    scenario: cluster('7.4', {
      users: [{ userid: 'teacher@pve' }],
      pools: [{ pool: 'class10' }],
      acl: [{ path: '/pool/class10', role: 'PVEPoolAdmin', user: 'teacher@pve' }],
    }),
  });
  for (const command of [['deploy'], ['users', 'create']]) {
    const refused = await runCli([...command, ...files], simulator);
    expect([refused.code, writes(simulator)]).toEqual([3, []]);
    expect(refused.stderr).toContain('PVE 7.4 has no pools below other pools');
    expect(refused.stderr.split('write "-" in place of "/"')).toHaveLength(2);
  }
});

test('a teacher who may write the pool of the class has to be named in operators', async () => {
  const files = classFiles();
  const simulator = await startCluster({
    scenario: cluster('9.2', {
      users: [{ userid: 'teacher@pve' }],
      pools: [{ pool: 'class10' }],
      acl: [{ path: '/pool/class10', role: 'PVEPoolAdmin', user: 'teacher@pve' }],
    }),
  });
  const refused = await runCli(['deploy', ...files], simulator);
  expect([refused.code, writes(simulator)]).toEqual([3, []]);
  expect(refused.stderr).toContain('teacher@pve has PVEPoolAdmin on /pool/class10');
  expect(refused.stderr).toContain('`operators:`');
});
