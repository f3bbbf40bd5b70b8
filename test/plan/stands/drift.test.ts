import { describe, expect, test } from 'vitest';
import { viewOf } from '../../../src/lib/plan/cluster/view.ts';
import { bridgesOn, driftNote, driftOf } from '../../../src/lib/plan/stands/drift.ts';
import { formatBridgeMark } from '../../../src/lib/marks/bridge.ts';
import { alias, bridge, have, machine, real, router, template } from '../builders.ts';

const NODE = 'pve1';
const bridges = [
  ['vmbr1000', 'anna@pve', 'net'],
  ['vmbr1001', 'boris@pve', 'net'],
  ['vmbr1002', 'anna@pve', 'old'],
] as const;
const since = '2026-01-15T09:00:00Z';
const marked = bridges.map(([iface, user, lab]) =>
  bridge(iface, {
    comments: formatBridgeMark(iface, { kind: 'stand', lab, user, net: 'lan' }, since),
  }),
);
const index = viewOf(
  have({
    networks: have().networks.map((one) =>
      one.node === NODE ? { ...one, bridges: [bridge('vmbr0'), ...marked] } : one,
    ),
  }),
);

const pc = machine('pc', [alias('lan'), real('vmbr0', { tag: 5 })], { cores: 2, memory: 2048 });
const MAC = 'virtio=BC:24:11:00:00:01';
const CLEAN = {
  ...{ net0: `${MAC},bridge=vmbr1000,firewall=1`, net1: `${MAC},bridge=vmbr0,tag=5` },
  ...{ cores: '2', memory: '2048', boot: 'order=scsi0', ide2: 'none,media=cdrom' },
  scsi0: 'ceph:vm-10000-disk-0,size=8G',
};
const origin = template(101, 'ceph', { scsi0: 'ceph:base-101-disk-0,size=8G', boot: 'order=scsi0' });

type Change = Readonly<Record<string, string | undefined>>;

function drift(change: Change, one = pc, of: typeof origin | null = origin) {
  const all: Change = { ...CLEAN, ...change };
  const values = Object.entries(all).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const vmid = 10_000;
  return driftOf({
    machine: one,
    vm: {
      ...{ vmid, node: NODE, nicShift: 0 },
      config: { vmid, node: NODE, digest: 'd', values: Object.fromEntries(values) },
    },
    bridges: bridgesOn({ user: 'anna@pve', lab: 'net', node: NODE }, ['lan'], index),
    template: of ?? undefined,
    ...{ index, user: 'anna@pve', lab: 'net' },
  });
}

const OPEN = machine('pc', [alias('lan'), real('vmbr0', { tag: 5 })]);

describe('what a student changed', () => {
  test.each<[string, Change, string[]]>([
    ['nothing', {}, []],
    ['a disc in the drive', { ide2: 'local:iso/debian.iso,media=cdrom' }, []],
    ['another bridge', { net0: `${MAC},bridge=vmbr0` }, ['net0 is on vmbr0, not vmbr1000']],
    [
      "another student's bridge",
      { net0: `${MAC},bridge=vmbr1001` },
      ['net0 is on vmbr1001, the bridge of boris@pve, lab net, not vmbr1000'],
    ],
    [
      'a bridge of her own other lab',
      { net0: `${MAC},bridge=vmbr1002` },
      ['net0 is on vmbr1002, the bridge of anna@pve, lab old, not vmbr1000'],
    ],
    ['no card', { net1: undefined }, ['net1 was removed']],
    ['unplugged', { net0: `${MAC},bridge=vmbr1000,link_down=1` }, ['net0 is unplugged']],
    ['VLAN', { net1: `${MAC},bridge=vmbr0` }, ['net1 has VLAN none, not 5']],
    ['no bridge', { net0: MAC }, ['net0 is on no bridge, not vmbr1000']],
    ['one more card, on none', { net4: MAC }, ['net4 was added on no bridge']],
    ['one more card', { net4: `${MAC},bridge=vmbr0` }, ['net4 was added on vmbr0']],
    [
      'cores and sockets',
      { cores: '8', sockets: '2' },
      ['cores is 8, not 2', 'sockets is 2, the template has 1'],
    ],
    ['less memory than the lab gives', { memory: '1024' }, ['memory is 1024, not 2048']],
    ['a larger disk', { scsi0: 'ceph:vm-1-disk-0,size=40G' }, ['scsi0 has 40G, the template 8G']],
    ['one more disk', { scsi1: 'ceph:vm-1-disk-1,size=512M' }, ['scsi1 was added (0.5G)']],
    ['a disk that is detached', { scsi0: undefined, unused0: 'ceph:vm-1-disk-0' }, ['scsi0 was taken away']],
    ['boot order', { boot: 'order=net0' }, ['boot is order=net0, the template has order=scsi0']],
    ['another name', { name: 'mine' }, ['it is called mine now']],
    [
      'kept from being removed',
      { name: 'pc', protection: '1' },
      ['it is protected: cleanup takes --force-protected'],
    ],
    [
      'a drive for cloud-init',
      { ide2: 'ceph:vm-1-cloudinit,media=cdrom' },
      ['ide2 was added (cloud-init drive)'],
    ],
    ['the agent', { agent: 'fstrim_cloned_disks=0,enabled=1' }, ['agent is on, the template has it off']],
    ['tags of the own', { tags: 'deploy-stand;evil;lab-net;mine' }, ['it is tagged evil, mine']],
    ['tags of a machine that was taken over', { tags: 'former' }, []],
    ['started with its node', { onboot: '1' }, ['it starts with its node (onboot)']],
    [
      'what reaches others goes first',
      { cores: '8', net0: undefined, net7: `${MAC},bridge=vmbr1001` },
      [
        'net7 was added on vmbr1001, the bridge of boris@pve, lab net',
        'net0 was removed',
        'cores is 8, not 2',
      ],
    ],
  ])('%s', (_, change, texts) => {
    expect(drift(change).map(({ text }) => text)).toEqual(texts);
  });

  test('where the lab leaves it to the template, more than it has is told, less is not', () => {
    const of = (change: Change) => drift(change, OPEN).map(({ text }) => text);
    expect(of({ cores: '1', memory: '256' })).toEqual([]);
    expect(of({ cores: '4', memory: 'current=4096' })).toEqual([
      'cores is 4, the template has 1',
      'memory is 4096, the template has 512',
    ]);
  });

  test('without the template nothing is compared with it', () => {
    const change = { scsi1: 'ceph:vm-1-disk-1,size=1G', boot: 'order=net0', cores: '8' };
    expect(drift(change, pc, null).map(({ field }) => field)).toEqual(['cores']);
    expect(drift(change, OPEN, null)).toEqual([]);
  });

  test("a router's management card is not the lab's", () => {
    const eco = router('eco', [alias('lan')], { cores: 2, memory: 2048 });
    const net0 = 'vmxnet3=BC:24:11:00:00:02,bridge=vmbr0,link_down=1';
    expect(drift({ net0, net1: `${MAC},bridge=vmbr1000` }, eco)).toEqual([]);
  });

  test('as data, and as a note', () => {
    expect(drift({ net0: `${MAC},bridge=vmbr1001` })).toMatchObject([
      { kind: 'foreign-bridge', field: 'net0', is: 'vmbr1001', ought: 'vmbr1000' },
    ]);
    expect(driftNote(pc, 10_000, [])).toEqual([]);
    expect(driftNote(pc, 10_000, drift({ cores: '8' }))).toEqual([
      'VM 10000 (pc) was changed: cores is 8, not 2 (left as it is)',
    ]);
  });
});
