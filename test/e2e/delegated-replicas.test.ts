/** Somebody may write the pool of our copies of templates: they are passed over, and every command says why, once. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { comparable } from './cluster-view.ts';
import { post, runCli, scenario, startCluster, workFolder, writeFiles } from './harness.ts';

const POOL = 'deploy-stand-replicas';

test.each(['7.4', '8.4', '9.2'] as const)('PVE %s', async (version) => {
  const cluster = await startCluster({
    scenario: scenario({
      version,
      nodes: ['pve1', 'pve2', 'pve3'].map((name) => ({ name, cpus: 16, memory_gib: 64 })),
      users: [{ userid: 'boss@pve' }],
      storages: [{ id: 'zfs', type: 'zfspool', content: ['images'], size_gib: 500 }],
      templates: [101, 102].map((vmid) => ({ vmid, name: `debian${vmid}`, node: 'pve1', disks_gib: [1] })),
      guests: [],
    }),
  });
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': 'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [] }]\n',
    'users.yml': 'users: [anna@pve, boris@pve]\n',
  });
  const lab = join(folder, 'lab.yml');
  const deploy = ['deploy', '-c', lab, '-u', join(folder, 'users.yml')];
  const files = [...deploy, '--credentials', join(folder, 'c.csv')];
  const run = async (argv: readonly string[]) => {
    const { code, stdout, stderr } = await runCli([...argv], cluster);
    return { code, said: stdout.replaceAll(/\s+/g, ' '), stderr: stderr.replaceAll(/\s+/g, ' ') };
  };
  const acl = (more: Record<string, string>) =>
    post(
      cluster,
      '/access/acl',
      { path: `/pool/${POOL}`, roles: 'PVEPoolAdmin', users: 'boss@pve', ...more },
      'admin',
      'PUT',
    );
  expect((await run(['templates', 'replicate', '-c', lab, '--nodes', 'pve2'])).code).toBe(0);
  expect(await acl({})).toBe(200);
  const before = comparable(cluster.snapshot());

  const told = `pool ${POOL} can be written by somebody else, so the copies of templates there are passed over, neither cloned nor removed: boss@pve has PVEPoolAdmin on /pool/${POOL}; first look at the comment of the pool and take out of its \`lab=\` and \`source=\` lines what is not ours`;
  const times = (text: string, part: string): number => text.split(part).length - 1;
  const commands = [
    ['templates', 'list'],
    ['templates', 'prune', '--min-age', '0'],
    ['templates', 'replicate', '-c', lab],
    [...files, '--dry-run'],
    ['balance', '--dry-run'],
  ];
  for (const argv of commands) {
    const { said } = await run(argv);
    // That seals can be forged is another matter, with another way out.
    const others = said.replaceAll(/warning: clones are made in their pools.*?; boss@pve has/g, '');
    expect([argv, times(said, told), times(others, 'boss@pve has')]).toEqual([argv, 1, 1]);
  }
  expect(comparable(cluster.snapshot())).toEqual(before);

  const list = await run(['templates', 'list']);
  expect(list.said).toContain('2 templates, 0 replicas'); // the copies are no templates that could be named
  expect(list.said).toContain(
    `101, 102 cannot be used on pve2, pve3: a copy of the template has to be made first, and pool ${POOL} is not ours alone`,
  );
  const there = await run([...files, '--dry-run', '--nodes', 'pve2,pve3']);
  expect([there.code, there.stderr]).toEqual([3, expect.stringContaining('boss@pve has PVEPoolAdmin')]);
  expect(times(there.stderr, 'boss@pve has')).toBe(1);

  // What needs no copy is deployed, and what the hint says is enough.
  const done = await run(files);
  expect([done.code, done.said]).toEqual([0, expect.stringContaining('no stand goes to pve2, pve3')]);
  expect(new Set(cluster.snapshot().guests.map(({ vmid, node }) => (vmid < 99_000 ? node : 'copy')))).toEqual(
    new Set(['pve1', 'copy']),
  );
  expect(await acl({ delete: '1' })).toBe(200);
  expect((await run(['templates', 'list'])).said).toMatch(/pve2 a replica 99999 fresh .* 1 replica/);
});

test('a pool that is not there yet: said once, with the way out', async () => {
  const cluster = await startCluster({
    scenario: scenario({
      nodes: ['pve1', 'pve2', 'pve3'].map((name) => ({ name, cpus: 16, memory_gib: 64 })),
      users: [{ userid: 'boss@pve' }],
      storages: [{ id: 'zfs', type: 'zfspool', content: ['images'], size_gib: 500 }],
      templates: [{ vmid: 101, name: 'debian', node: 'pve1', disks_gib: [1] }],
      guests: [],
      acl: [{ path: `/pool/${POOL}`, role: 'PVEPoolAdmin', user: 'boss@pve' }],
    }),
  });
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': 'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [] }]\n',
  });
  for (const argv of [
    ['templates', 'list'],
    ['templates', 'replicate', '-c', join(folder, 'lab.yml')],
  ]) {
    const { stdout } = await runCli(argv, cluster);
    const said = stdout.replaceAll(/\s+/g, ' ');
    expect([argv, said.split('boss@pve has PVEPoolAdmin').length]).toEqual([argv, 2]);
    expect(said).toContain('take that right away first');
  }
});
