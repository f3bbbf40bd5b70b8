/** A pool admin writes a claim of ours into the own pool: no command believes it, and all say why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { comparable } from './cluster-view.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';

/** Somebody else's VM 300 runs on the default cluster; this comment says that it is a student's whose day is over. */
const FORGED =
  'deploy-stand user=boss@pve\nlab=net vmids=300 node=pve1 since=2020-01-01T00:00:00Z expires=2020-02-01';

function delegatedCluster(version: '7.4' | '8.4' | '9.2', role = 'PVEPoolAdmin'): Promise<Cluster> {
  return startCluster({
    scenario: scenario({
      version,
      users: [{ userid: 'boss@pve' }],
      pools: [{ pool: 'boss', comment: FORGED }, { pool: 'infra' }],
      acl: [{ path: '/pool/boss', role, user: 'boss@pve' }],
    }),
  });
}

const LAB = 'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [] }]\n';

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test.each([
    ['cleanup --expired'],
    ['cleanup --lab net'],
    ['cleanup --user boss@pve'],
    ['cleanup --orphans --min-age 0'],
    ['bridges prune --min-age 0'],
    ['power stop --lab net'],
    ['power stop --user boss@pve'],
  ])('%s touches nothing', async (command) => {
    const cluster = await delegatedCluster(version);
    const before = comparable(cluster.snapshot());
    const run = await runCli(command.split(' '), cluster);
    expect([command, writes(cluster)]).toEqual([command, []]);
    expect(comparable(cluster.snapshot())).toEqual(before);
    const said = (run.stdout + run.stderr).replaceAll(/\s+/g, ' ');
    expect(said).toContain('pool boss can be written by somebody else');
  });

  test('cleanup --adopt removes no member that is called like a machine of the lab', async () => {
    const cluster = await startCluster({
      scenario: scenario({
        version,
        users: [{ userid: 'boss@pve' }],
        pools: [{ pool: 'boss', comment: 'by hand', vms: [300] }],
        acl: [{ path: '/pool/boss', role: 'PVEPoolAdmin', user: 'boss@pve' }],
        guests: [{ vmid: 300, node: 'pve1', name: 'pc' }],
      }),
    });
    const folder = workFolder();
    writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [boss@pve]\n' });
    const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
    const run = await runCli(
      ['cleanup', ...files, '--adopt', '--credentials', join(folder, 'c.csv')],
      cluster,
    );
    expect([run.code, run.stdout + run.stderr]).toEqual([
      5,
      expect.stringContaining('boss@pve has PVEPoolAdmin'),
    ]);
    expect(writes(cluster)).toEqual([]);
  });

  test('deploy refuses the pool, names the right and the way out, and does as the hint says', async () => {
    const cluster = await delegatedCluster(version);
    const folder = workFolder();
    writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [boss@pve, anna@pve]\n' });
    const argv = ['deploy', '-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
    const files = [...argv, '--credentials', join(folder, 'c.csv')];
    const run = await runCli([...files, '--adopt'], cluster);
    const said = (run.stdout + run.stderr).replaceAll(/\s+/g, ' ');
    expect([run.code, said]).toEqual([5, expect.stringContaining('boss@pve has PVEPoolAdmin on /pool/boss')]);
    expect(said).toContain('`operators:` of the connections file');
    // The other order would believe what was forged meanwhile.
    expect(said).toMatch(/first look at the comment of the pool .* only then take that right away/);
    expect(cluster.snapshot().guests.find(({ vmid }) => vmid === 300)).toBeDefined();
    expect(cluster.snapshot().pools.find(({ poolid }) => poolid === 'boss')?.comment).toBe(FORGED);

    const { tokenId, secret } = cluster.credentials;
    writeFiles(folder, {
      'connections.yml': `a:\n  host: 127.0.0.1:${cluster.port}\n  token_name: ${tokenId}\n  token_value: ${secret}\n  operators: [boss@pve]\n`,
    });
    const none = { PVE_HOST: '', PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '' };
    const trusted = await runCli(
      [...files, '--dry-run', '--connections', join(folder, 'connections.yml')],
      cluster,
      { env: none },
    );
    expect(trusted.stdout + trusted.stderr).not.toContain('can be written by somebody else');
    expect(readFileSync(join(folder, 'connections.yml'), 'utf8')).toContain('operators');
  });
});

describe.each([
  ['Pool.Allocate', 'PVEPoolAdmin'],
  ['Permissions.Modify, by which it is had', 'Delegator'],
])('%s on a pool that is not there yet', (_, role) => {
  const start = (): Promise<Cluster> =>
    startCluster({
      scenario: scenario({
        users: [{ userid: 'boss@pve' }],
        roles: { Delegator: ['Permissions.Modify'] },
        storages: [{ id: 'local-lvm', type: 'lvmthin', content: ['images'], size_gib: 500 }],
        templates: [{ vmid: 101, name: 'debian', node: 'pve1', disks_gib: [1] }],
        guests: [],
        acl: ['anna', 'deploy-stand-replicas'].map((pool) => ({
          path: `/pool/${pool}`,
          role,
          user: 'boss@pve',
        })),
      }),
    });

  test.each([
    ['deploy -c lab.yml -u users.yml --credentials c.csv', 'anna'],
    ['users create -u users.yml --credentials c.csv', 'anna'],
    ['users sync -u users.yml --credentials c.csv', 'anna'],
    ['templates replicate -c lab.yml --nodes pve2', 'deploy-stand-replicas'],
  ])('%s neither makes it nor writes a claim into it', async (command, pool) => {
    const cluster = await start();
    const folder = workFolder();
    writeFiles(folder, {
      'lab.yml': LAB,
      'users.yml': 'users: [anna@pve, boris@pve]\n',
    });
    const argv = command.split(' ').map((word) => (/[.](yml|csv)$/.test(word) ? join(folder, word) : word));
    const run = await runCli(argv, cluster);
    const said = (run.stdout + run.stderr).replaceAll(/\s+/g, ' ');
    expect([said, run.code]).toEqual([expect.stringContaining(`boss@pve has ${role} on /pool/${pool}`), 5]);
    expect(cluster.snapshot().pools.map(({ poolid }) => poolid)).not.toContain(pool);
  });
});

test('the student’s own right to the machines does not make a pool somebody else’s', async () => {
  const cluster = await startCluster();
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' });
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const credentials = ['--credentials', join(folder, 'c.csv')];
  expect((await runCli(['deploy', ...files, ...credentials], cluster)).code).toBe(0);
  const cleanup = await runCli(['cleanup', ...files, ...credentials], cluster);
  expect([cleanup.code, cleanup.stderr]).toEqual([0, expect.not.stringContaining('somebody else')]);
  expect(cluster.snapshot().pools.map(({ poolid }) => poolid)).not.toContain('anna');
});
