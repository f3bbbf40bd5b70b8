/** Stands of every published form of the older tool: its cards begin at another index in each, and stay where they are. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { presentNics } from '../../src/lib/pve-values/nics.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { post, runCli, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';

// On PVE 7 cards alone do not tell whose a bridge is.
const LAB = `name: old
bridge_range: 1000-1999
machines:
  - { device_type: linux, name: lin, template_node: pve1, template_vmid: 101, networks: [{ bridge: vmbr0 }, { bridge: hq }] }
  - { device_type: ecorouter, name: eco, template_node: pve1, template_vmid: 100, networks: [{ bridge: hq }, { bridge: dmz }] }
  - { device_type: linux, name: web, template_node: pve1, template_vmid: 101, networks: [{ bridge: vmbr0 }] }
`;

type Cards = Readonly<Record<string, string>>;

/** By machine: index → bridge. `own` of the template, which the tool left where it was. */
const FORMS: Readonly<Record<string, { lin: Cards; eco: Cards; web: Cards; shifts: readonly number[] }>> = {
  'lazy_teacher: linux net{i}, ecorouter net{i+1}': {
    lin: { net0: 'vmbr0', net1: 'vmbr1000' },
    eco: { net0: 'vmbr0', net1: 'vmbr1000', net2: 'vmbr1001' },
    web: { net0: 'vmbr0' },
    shifts: [0, 0, 0],
  },
  '1.2.0: linux net{i+1}, ecorouter net{i+2}': {
    lin: { net0: 'vmbr0', net1: 'vmbr0', net2: 'vmbr1000' },
    eco: { net0: 'vmbr0', net2: 'vmbr1000', net3: 'vmbr1001' },
    web: { net0: 'vmbr0', net1: 'vmbr0' },
    shifts: [1, 1, 1],
  },
  'the one after it: linux net{i}, ecorouter net{i+2}': {
    lin: { net0: 'vmbr0', net1: 'vmbr1000' },
    eco: { net0: 'vmbr0', net1: 'vmbr0', net2: 'vmbr1000', net3: 'vmbr1001' },
    web: { net0: 'vmbr0' },
    shifts: [0, 1, 0],
  },
};

function guest(vmid: number, name: string, cards: Cards, running: boolean) {
  const model = name === 'eco' ? 'vmxnet3=1C:87:76:40' : 'virtio=BC:24:11:00';
  const config = Object.fromEntries(
    Object.entries(cards).map(([key, bridge]) => {
      return [key, `${model}:${vmid - 100}:0${key.slice(3)},bridge=${bridge}`];
    }),
  );
  return { vmid, name, node: 'pve1', pool: 'anna', running, config };
}

function cluster(version: '7.4' | '8.4' | '9.2', form: string, running = false): Scenario {
  const { lin = {}, eco = {}, web = {} } = FORMS[form] ?? {};
  return {
    version,
    nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr1000', 'vmbr1001'] }, { name: 'pve2' }],
    storages: [{ id: 'ceph', type: 'rbd' }],
    templates: [
      { vmid: 100, name: 'eco-tpl', node: 'pve1', disks_gib: [8] },
      { vmid: 101, name: 'lin-tpl', node: 'pve1', disks_gib: [8] },
    ],
    users: [{ userid: 'anna@pve' }],
    pools: [{ pool: 'anna' }],
    acl: [{ path: '/pool/anna', role: 'PVEVMAdmin', user: 'anna@pve' }],
    guests: [guest(110, 'lin', lin, running), guest(111, 'eco', eco, false), guest(112, 'web', web, false)],
  };
}

function files(): string[] {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' });
  const at = (name: string) => join(folder, name);
  return ['-c', at('lab.yml'), '-u', at('users.yml'), '--credentials', at('c.csv')];
}

const configOf = (simulator: Cluster, vmid: number) =>
  simulator.snapshot().guests.find((one) => one.vmid === vmid)?.config ?? {};

/** Index and bridge of a machine's cards; their MACs. */
function cardsOf(simulator: Cluster, vmid: number) {
  const nics = presentNics(configOf(simulator, vmid));
  return {
    cards: Object.fromEntries(nics.map(({ index, bridge }) => [`net${index}`, bridge])),
    macs: nics.map(({ mac }) => mac),
  };
}

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test.each(Object.keys(FORMS))('%s', async (form) => {
    const args = files();
    const simulator = await startCluster({ scenario: cluster(version, form) });
    const vmids = [110, 111, 112];
    const before = vmids.map((vmid) => cardsOf(simulator, vmid));
    const taken = await runCli(['deploy', ...args, '--adopt'], simulator);
    expect([taken.code, taken.stderr]).toEqual([0, expect.not.stringContaining('ADOPT')]);
    expect(vmids.map((vmid) => cardsOf(simulator, vmid))).toEqual(before);
    const shifts = vmids.map((vmid) => {
      const spec = /spec=\S+?(?:\+(\d))?\s*$/m.exec(configOf(simulator, vmid)['description'] ?? '');
      return Number(spec?.[1] ?? 0);
    });
    expect(shifts).toEqual(FORMS[form]?.shifts);
    // Of an ecorouter's management port and an own card, the lab knows which is which.
    expect(presentNics(configOf(simulator, 111)).map(({ model }) => model)).not.toContain('virtio');

    const since = simulator.requests.length;
    const again = await runCli(['deploy', ...args], simulator);
    expect([again.code, writes(simulator, since)]).toEqual([0, []]);
    expect(again.stdout).not.toMatch(/was (changed|added|removed)/);
  });

  test('a running machine is told as pending, and keeps its place until it is configured', async () => {
    const args = files();
    const form = '1.2.0: linux net{i+1}, ecorouter net{i+2}';
    const simulator = await startCluster({ scenario: cluster(version, form, true) });
    expect((await runCli(['deploy', ...args, '--adopt'], simulator)).code).toBe(0);
    expect(configOf(simulator, 110)['description']).toContain('spec=adopted+1');
    const later = await runCli(['deploy', ...args, '--update-running'], simulator);
    expect(later.code).toBe(0);
    expect(cardsOf(simulator, 110).cards).toEqual(FORMS[form]?.lin);
    expect(configOf(simulator, 110)['description']).toMatch(/spec=\w+\.\w+\+1/);
  });

  test('its bridges, staged and never applied, are told as its own', async () => {
    const args = files();
    const from = cluster(version, '1.2.0: linux net{i+1}, ecorouter net{i+2}');
    const pve1 = { name: 'pve1', bridges: ['vmbr0'], staged: [{ name: 'vmbr1000' }, { name: 'vmbr1001' }] };
    const scenario = { ...from, nodes: [pve1, { name: 'pve2' }] };
    const simulator = await startCluster({ scenario });
    const refused = await runCli(['deploy', ...args, '--adopt'], simulator);
    expect([refused.code, writes(simulator)]).toEqual([3, []]);
    expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
      'vmbr1000, vmbr1001: as the older Python tool makes bridges, which it stages and, with strategy local, never applies',
    );
    // What the hint says.
    expect(await post(simulator, '/nodes/pve1/network', {}, 'admin', 'PUT')).toBe(200);
    await simulator.time.sleep(60_000);
    expect((await runCli(['deploy', ...args, '--adopt'], simulator)).code).toBe(0);
  });
});
