/** The command line takes over stands of the older Python tool, deploys them again, and removes them. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const FILES = {
  'lab.yml': `name: old
machines:
  - device_type: linux
    name: gate
    template_node: pve1
    template_vmid: 101
    networks: [{ bridge: vmbr0 }, { bridge: hq }]
  - device_type: linux
    name: lin
    template_node: pve1
    template_vmid: 101
    networks: [{ bridge: hq }]
`,
  'users.yml': 'users: [anna@pve, boris@pve]\n',
};

const gate = (vmid: number, pool: string, hq: string) => ({
  vmid,
  name: 'gate',
  node: 'pve1',
  pool,
  running: false,
  config: { net1: `virtio=BC:24:11:00:01:${vmid - 100},bridge=${hq}` },
});

/** Anna's stand is whole and running in part; in boris's pool a container is called like a machine. */
const cluster = (version: '7.4' | '8.4' | '9.2'): Scenario => ({
  version,
  nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr1000', 'vmbr1001'] }, { name: 'pve2' }],
  storages: [{ id: 'ceph', type: 'rbd' }],
  templates: [{ vmid: 101, name: 'lin-tpl', node: 'pve1' }],
  users: [{ userid: 'anna@pve' }, { userid: 'boris@pve' }],
  pools: [{ pool: 'anna', comment: 'group 1' }, { pool: 'boris' }],
  acl: ['anna', 'boris'].map((name) => ({ path: `/pool/${name}`, role: 'PVEVMAdmin', user: `${name}@pve` })),
  guests: [
    gate(110, 'anna', 'vmbr1000'),
    { vmid: 111, name: 'lin', node: 'pve1', pool: 'anna', bridge: 'vmbr1000', description: 'homework' },
    gate(120, 'boris', 'vmbr1001'),
    { vmid: 121, name: 'lin', node: 'pve1', pool: 'boris', type: 'lxc', bridge: 'vmbr1001' },
  ],
});

/** Whose bridges have these numbers the operator says, where students could have set the cards that lead there. */
const withRange = (folder: string): void =>
  writeFiles(folder, { 'lab.yml': FILES['lab.yml'].replace('\n', '\nbridge_range: 1000-1099\n') });

const open = { path: '/sdn/zones/localnetwork', role: 'PVESDNUser', user: 'anna@pve' };

test.each([
  { version: '7.4', acl: [] },
  { version: '8.4', acl: [open] },
  { version: '9.2', acl: [open] },
] as const)(
  "PVE $version: a student's card makes no bridge of an administrator a stand's",
  async ({ version, acl }) => {
    const folder = workFolder();
    writeFiles(folder, FILES);
    const at = (name: string) => join(folder, name);
    const files = [
      '-c',
      at('lab.yml'),
      '-u',
      at('users.yml'),
      '--credentials',
      at('c.csv'),
      '--only',
      'anna',
    ];
    const before = cluster(version);
    const simulator = await startCluster({
      scenario: {
        ...before,
        nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr1000', 'vmbr1001', 'vmbr1500'] }, { name: 'pve2' }],
        acl: [...(before.acl ?? []), ...acl],
        guests: [
          gate(110, 'anna', 'vmbr1500'),
          { vmid: 111, name: 'lin', node: 'pve1', pool: 'anna', running: false, bridge: 'vmbr1500' },
        ],
      },
    });
    const bridges = () => simulator.snapshot().nodes[0]?.interfaces.find(({ iface }) => iface === 'vmbr1500');
    const was = bridges();
    const refused = await runCli(['deploy', ...files, '--adopt'], simulator);
    expect([refused.code, writes(simulator)]).toEqual([3, []]);
    expect(refused.stderr).toContain('[ADOPT_BRIDGE]');
    expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
      'network cards, which others than administrators',
    );
    // The way out, for the numbers that are stands'.
    withRange(folder);
    const again = await runCli(['deploy', ...files, '--adopt'], simulator);
    expect([again.code, writes(simulator)]).toEqual([3, []]);
    const removed = await runCli(['cleanup', ...files, '--adopt'], simulator);
    expect([removed.code, removed.stdout]).toEqual([5, expect.stringContaining('[ADOPT_BRIDGE]')]);
    expect(bridges()).toEqual(was);
  },
);

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test('left alone without --adopt, taken over with it, unchanged when run again, removed', async () => {
    const folder = workFolder();
    writeFiles(folder, FILES);
    const files = [
      '-c',
      join(folder, 'lab.yml'),
      '-u',
      join(folder, 'users.yml'),
      '--credentials',
      join(folder, 'c.csv'),
    ];
    const simulator = await startCluster({ scenario: cluster(version) });
    const before = simulator.snapshot();
    const objects = (vmid: number) => simulator.snapshot().guests.find((guest) => guest.vmid === vmid);

    const refused = await runCli(['deploy', ...files], simulator);
    expect([refused.code, writes(simulator)]).toEqual([3, []]);
    expect(refused.stderr).toContain('use it with --adopt');
    const left = await runCli(['cleanup', ...files], simulator);
    expect([left.code, writes(simulator)]).toEqual([0, []]);
    if (version === '7.4') withRange(folder);

    const plan = join(folder, 'plan.json');
    const dry = await runCli(['deploy', ...files, '--adopt', '--dry-run', '--out', plan], simulator);
    expect([dry.code, writes(simulator)]).toEqual([0, []]);
    expect(dry.stdout).toContain('anna@pve  to take over: pool anna, node pve1');
    expect(dry.stdout).toMatch(
      /VM 111 lin: our mark into its notes +no mark; adopted: in pool anna, called lin like a machine/,
    );
    expect(dry.stdout).toContain(
      'guest 121 on pve1 is in pool boris and called lin like a machine of the lab, but it is a container',
    );

    const taken = await runCli(['deploy', ...files, '--adopt', '--plan', plan], simulator);
    expect([taken.code, taken.stdout]).toEqual([5, expect.stringContaining('[ADOPT_CONTAINER]')]);
    expect(objects(111)?.config['description']?.trimEnd()).toBe(
      'homework\ndeploy-stand lab=old user=anna@pve machine=lin vmid=111 spec=adopted',
    );
    for (const vmid of [120, 121])
      expect(objects(vmid)).toEqual(before.guests.find((guest) => guest.vmid === vmid));

    const since = simulator.requests.length;
    const again = await runCli(['deploy', ...files, '--only', 'anna'], simulator);
    expect([again.code, writes(simulator, since)]).toEqual([0, []]);
    expect(again.stdout).toContain('VM 111 (lin) is running');

    expect((await runCli(['cleanup', ...files], simulator)).code).toBe(0);
    const after = simulator.snapshot();
    expect(after.guests.map((guest) => guest.vmid)).toEqual([101, 120, 121]);
    expect([after.users, after.acl, after.pools]).toEqual([
      before.users,
      before.acl,
      before.pools.map((pool) => (pool.poolid === 'anna' ? { ...pool, vms: [] } : pool)),
    ]);
    expect(after.nodes[0]?.interfaces).toEqual(
      before.nodes[0]?.interfaces.filter(({ iface }) => iface !== 'vmbr1000'),
    );
  });
});
