import { describe, expect, test } from 'vitest';
import { bridgeNumber } from '../../src/lib/pve-values/bridge-name.ts';
import { bridgesAmong, indexAbove, namesIn, type InterfaceRow } from '../../src/lib/pve-values/interfaces.ts';
import { bridgesIn, presentNics } from '../../src/lib/pve-values/nics.ts';
import { propertiesOf, propertyRecord } from '../../src/lib/pve-values/property-string.ts';
import { bytesOf } from '../../src/lib/pve-values/size.ts';
import { storageTraits } from '../../src/lib/pve-values/storage-types.ts';
import { formatTags, parseTags } from '../../src/lib/pve-values/tags.ts';
import { isGoodEnding, readUpid } from '../../src/lib/pve-values/task-status.ts';
import { nameIn, realmIn, tokenIn, userIn } from '../../src/lib/pve-values/userid.ts';
import {
  isAtLeast,
  isOlderVersion,
  lowestRelease,
  packageVersion,
} from '../../src/lib/pve-values/version.ts';
import { allVolumes, hangsOn, isLinkedClone, volumesOf } from '../../src/lib/pve-values/volumes.ts';

test('a property string: parts with and without a key', () => {
  expect(propertiesOf('none,media=cdrom')).toEqual([{ key: 'none' }, { key: 'media', value: 'cdrom' }]);
  expect(propertyRecord('ha=static,ha-auto-rebalance=1,odd,=x')).toEqual({
    ha: 'static',
    'ha-auto-rebalance': '1',
  });
});

test.each([
  ['8G', 8 * 2 ** 30],
  ['512M', 512 * 2 ** 20],
  ['528K', 528 * 2 ** 10],
  ['1.5T', 1.5 * 2 ** 40],
  ['4194304', 4194304],
  ['', 0],
  ['large', 0],
])('size %j', (text, bytes) => {
  expect(bytesOf(text)).toBe(bytes);
});

describe('drives', () => {
  const values = {
    scsi0: 'ceph:base-100-disk-0/vm-10201-disk-0,size=16G',
    efidisk0: 'ceph:vm-10201-disk-1,efitype=4m,size=528K',
    unused0: 'local-lvm:vm-10201-disk-7',
    ide0: 'local-lvm:vm-10201-cloudinit,media=cdrom',
    ide1: 'local:iso/cloudinit-seed.iso,media=cdrom,size=4M',
    ide2: 'none,media=cdrom',
    sata0: 'cdrom',
    scsi2: '/dev/disk/by-path/pci-0000:01:00.0,size=1T',
    scsihw: 'virtio-scsi-pci',
    net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0',
  };

  test('volumes by key, with what they are for; devices and empty drives are none', () => {
    expect(volumesOf(values)).toEqual([
      { key: 'efidisk0', storage: 'ceph', name: 'vm-10201-disk-1', kind: 'disk', bytes: 528 * 2 ** 10 },
      { key: 'ide0', storage: 'local-lvm', name: 'vm-10201-cloudinit', kind: 'cloud-init', bytes: 0 },
      { key: 'ide1', storage: 'local', name: 'iso/cloudinit-seed.iso', kind: 'iso', bytes: 4 * 2 ** 20 },
      {
        key: 'scsi0',
        storage: 'ceph',
        name: 'base-100-disk-0/vm-10201-disk-0',
        kind: 'disk',
        bytes: 16 * 2 ** 30,
      },
    ]);
    expect(allVolumes(values).map(({ key }) => key)).toContain('unused0');
  });

  test('a linked clone tells its base', () => {
    const linked = { name: 'base-100-disk-0/vm-10201-disk-0' };
    expect(isLinkedClone(linked)).toBe(true);
    expect(hangsOn(linked, 100)).toBe(true);
    expect(hangsOn(linked, 10)).toBe(false);
    expect(hangsOn({ name: '100/base-100-disk-0.qcow2/10201/vm-10201-disk-0.qcow2' }, 100)).toBe(true);
    expect(isLinkedClone({ name: 'base-100-disk-0' })).toBe(false);
  });
});

test('NICs are read in both forms that PVE writes', () => {
  expect(
    presentNics({
      net10: 'model=e1000,macaddr=aa:bb:cc:dd:ee:ff,bridge=vmbr1,tag=20',
      net2: 'virtio=AA:BB:CC:00:00:01,bridge=vmbr0,firewall=1',
      scsi0: 'x:y',
    }),
  ).toEqual([
    { index: 2, model: 'virtio', mac: 'AA:BB:CC:00:00:01', bridge: 'vmbr0' },
    { index: 10, model: 'e1000', mac: 'AA:BB:CC:DD:EE:FF', bridge: 'vmbr1', tag: 20 },
  ]);
});

test('bridges of cards, of VMs and of containers, in the order of the cards', () => {
  const values = {
    net1: 'name=eth0,bridge=vmbr5,hwaddr=BC:24:11:00:00:02,type=veth',
    net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=5',
    net2: 'virtio=BC:24:11:00:00:03',
  };
  expect(bridgesIn(values)).toEqual(['vmbr0', 'vmbr5']);
});

test('tags are compared in lower case, whatever separates them', () => {
  expect(parseTags('Lab;net, Deploy-Stand')).toEqual(['lab', 'net', 'deploy-stand']);
  expect(parseTags(undefined)).toEqual([]);
  expect(formatTags(['b', 'A', 'b'])).toBe('a;b');
});

test('user ids are taken apart at the last @', () => {
  expect([nameIn('anna@school@pve'), realmIn('anna@school@pve')]).toEqual(['anna@school', 'pve']);
});

test.each([
  ['anna@pve', 'anna@pve', undefined],
  ['anna@pve!ci', 'anna@pve', 'ci'],
  ['wow!@pve', 'wow!@pve', undefined],
  ['wow!x@school@pve!ci', 'wow!x@school@pve', 'ci'],
  ['anna@pve!a!b', 'anna@pve!a', 'b'],
  ['anna!ci', 'anna', 'ci'],
  ['', '', undefined],
])('%j is of user %j, token %j', (account, user, token) => {
  expect([userIn(account), tokenIn(account)]).toEqual([user, token]);
});

describe('versions', () => {
  test.each([
    ['8.4', 8, 4, true],
    ['8.4', 9, 0, false],
    ['9.0', 8, 4, true],
    ['8.1', 8, 2, false],
    ['?', 7, 0, false],
  ] as const)('%s is at least %i.%i: %s', (release, major, minor, expected) => {
    expect(isAtLeast(release, major, minor)).toBe(expected);
  });

  test('the lowest by number, not by text', () => {
    expect(lowestRelease(['8.10', '8.9', '9.0'])).toBe('8.9');
  });

  test('packages and machine types', () => {
    expect(packageVersion('pve-manager/8.4.5/0123456789abcdef')).toBe('8.4.5');
    expect(isOlderVersion('9.0.2', 'pc-i440fx-9.2+pve1')).toBe(true);
    expect(isOlderVersion('9.2.0', 'pc-i440fx-9.2+pve1')).toBe(false);
    expect(isOlderVersion('10.0.2', 'pc-i440fx-9.2+pve1')).toBe(false);
    expect(isOlderVersion('9.2.0', '10.0')).toBe(true);
    expect(isOlderVersion(undefined, '9.2')).toBe(false);
  });
});

test('tasks: identifiers and endings', () => {
  expect(readUpid('UPID:pve1:0000A1B2:00C3D4E5:65A4F2B0:qmclone:100:root@pam!t:')).toMatchObject({
    node: 'pve1',
    type: 'qmclone',
    id: '100',
    user: 'root@pam!t',
  });
  expect(readUpid('UPID:pve1:qmclone')).toBeUndefined();
  expect(['OK', 'WARNINGS: 2', 'got signal 9', undefined].map(isGoodEnding)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('bridges: numbers', () => {
  expect(bridgeNumber('vmbr1000')).toBe(1000);
  expect(bridgeNumber('vmbr1000.5')).toBeUndefined();
});

test('interfaces: lists of names, and what is built on what', () => {
  expect(namesIn(' eno1  vmbr1000.5 ')).toEqual(['eno1', 'vmbr1000.5']);
  expect(namesIn('none')).toEqual([]);
  const made = (iface: string, ports: readonly string[] = [], rawDevice?: string) => ({
    iface,
    ports,
    ...(rawDevice === undefined ? {} : { rawDevice }),
  });
  const above = indexAbove([
    made('vmbr1000', ['eno1']),
    made('vmbr1001'),
    made('vmbr10001', ['vmbr1001.5']),
    made('bond0', ['vmbr1000', 'vmbr1000.7']),
    made('vmbr1000.5'),
    made('vmbr1000:1'),
    made('uplink', [], 'vmbr1000'),
  ]);
  expect(above.get('vmbr1000')).toEqual(['bond0', 'vmbr1000.5', 'vmbr1000:1', 'uplink']);
  expect(above.get('vmbr1001')).toEqual(['vmbr10001']);
  expect(above.get('vmbr10001')).toBeUndefined();
  expect(above.get('eno1')).toEqual(['vmbr1000']);
});

test.each([
  {
    trait: 'links',
    types: ['dir', 'btrfs', 'zfspool', 'nfs', 'cifs', 'glusterfs', 'zfs', 'rbd', 'lvmthin', 'odd', ''],
  },
  { trait: 'bindsClones', types: ['dir', 'btrfs', 'zfspool'] },
  { trait: 'migrates', types: ['dir', 'btrfs', 'zfspool', 'lvmthin', 'lvm'] },
  { trait: 'tellsBase', types: ['dir', 'btrfs', 'zfspool', 'nfs', 'cifs', 'glusterfs', 'zfs', 'rbd'] },
  { trait: 'thin', types: ['dir', 'btrfs', 'zfspool', 'nfs', 'cifs', 'glusterfs', 'zfs', 'rbd', 'lvmthin'] },
] as const)('storage types: $trait', ({ trait, types }) => {
  const all = [
    'dir',
    'btrfs',
    'zfspool',
    'nfs',
    'cifs',
    'glusterfs',
    'zfs',
    'rbd',
    'lvmthin',
    'lvm',
    'iscsi',
    'iscsidirect',
    'cephfs',
    'odd',
    '',
  ];
  expect(all.filter((type) => storageTraits(type)[trait])).toEqual(types);
});

describe('bridges among the interfaces of a node', () => {
  const row = (iface: string, type: string, more: Partial<InterfaceRow> = {}): InterfaceRow => ({
    ...{ iface, type, active: true, autostart: true, vlanAware: false, comments: '' },
    ...{ ports: [], addresses: [], gateways: [], ...more },
  });
  const host = { addresses: ['192.0.2.10/24'], gateways: ['192.0.2.1'] };

  test.each<{ name: string; rows: InterfaceRow[]; gives: Partial<ReturnType<typeof bridgesAmong>[number]> }>([
    {
      name: 'Linux: its ports, and VLANs where it was told to take them',
      rows: [row('eno1', 'eth'), row('vmbr0', 'bridge', { ports: ['eno1'] })],
      gives: { ports: ['eno1'], vlanAware: false, addresses: [], above: [] },
    },
    {
      name: 'OVS with a port, and the host on an internal one',
      rows: [
        row('eno1', 'OVSPort', { ovsBridge: 'vmbr0' }),
        row('mgmt', 'OVSIntPort', { ovsBridge: 'vmbr0', ...host }),
        row('vmbr0', 'OVSBridge', { ports: ['eno1', 'mgmt'] }),
      ],
      gives: { ports: ['eno1'], vlanAware: true, ...host, above: ['mgmt'] },
    },
    {
      name: 'OVS with a bond that names it, and is not listed with it',
      rows: [
        row('bond0', 'OVSBond', { ports: ['eno1', 'eno2'], ovsBridge: 'vmbr0' }),
        row('vmbr0', 'OVSBridge'),
      ],
      gives: { ports: ['bond0'], vlanAware: true, addresses: [], above: [] },
    },
    {
      name: 'OVS with nothing but an internal port without an address leads nowhere',
      rows: [
        row('int1', 'OVSIntPort', { ovsBridge: 'vmbr0' }),
        row('vmbr0', 'OVSBridge', { ports: ['int1'] }),
      ],
      gives: { ports: [], vlanAware: true, addresses: [], above: ['int1'] },
    },
    {
      name: 'a port of another OVS bridge is none of this one',
      rows: [
        row('eno1', 'OVSPort', { ovsBridge: 'vmbr1' }),
        row('vmbr0', 'OVSBridge'),
        row('vmbr1', 'OVSBridge', { ports: ['eno1'] }),
      ],
      gives: { ports: [], vlanAware: true },
    },
  ])('$name', ({ rows, gives }) => {
    const bridge = bridgesAmong(rows).find(({ iface }) => iface === 'vmbr0');
    expect(bridge).toMatchObject(gives);
  });
});
