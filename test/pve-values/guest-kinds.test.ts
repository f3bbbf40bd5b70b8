import { expect, test } from 'vitest';
import { nameIn } from '../../src/lib/pve-values/guest-flags.ts';
import {
  GUEST_KINDS,
  guestTasks,
  haName,
  isGuestKind,
  listedKind,
  machineKind,
  mayBeMachine,
  MIGRATIONS,
  nameOption,
  ourTasks,
  taskType,
  toldKind,
} from '../../src/lib/pve-values/guest-kinds.ts';
import { hostDevices } from '../../src/lib/pve-values/host-ties.ts';
import { hostMounts } from '../../src/lib/pve-values/mount-points.ts';
import { allVolumes } from '../../src/lib/pve-values/volumes.ts';

test.each([
  ['qemu', 'start', 'qmstart'],
  ['qemu', 'migrate', 'qmigrate'],
  ['qemu', 'delsnapshot', 'qmdelsnapshot'],
  ['lxc', 'migrate', 'vzmigrate'],
  ['lxc', 'destroy', 'vzdestroy'],
] as const)('%s: %s is %s', (kind, deed, type) => {
  expect(taskType(deed, kind)).toBe(type);
});

test('types of tasks on any guest, and on machines of ours', () => {
  expect(guestTasks('clone', 'start')).toEqual(['qmclone', 'vzclone', 'qmstart', 'vzstart']);
  expect(ourTasks('stop', 'migrate')).toEqual(['qmstop', 'qmigrate']);
  expect(MIGRATIONS).toEqual(['qmigrate', 'vzmigrate', 'hamigrate']);
});

test.each([
  ['qemu', 'qemu', {}, 'vm:100', 'name'],
  ['lxc', 'lxc', { type: 'lxc' }, 'ct:100', 'hostname'],
  [undefined, 'qemu', {}, 'vm:100', 'name'],
  ['openvz', 'qemu', {}, 'vm:100', 'name'],
] as const)('listed as %s it is %s, and said as %j', (listed, kind, told, ha, name) => {
  const type = listedKind(listed);
  expect([type, toldKind({ type }), haName({ vmid: 100, type }), nameOption(type)]).toEqual([
    kind,
    told,
    ha,
    name,
  ]);
});

test('plans tell the kind of machines alone', () => {
  const told = GUEST_KINDS.map((type) => machineKind({ type }));
  expect(told).toEqual(GUEST_KINDS.map((type) => (mayBeMachine({ type }) ? toldKind({ type }) : {})));
  expect(told).toEqual([{}, {}]);
});

test('rows of the list of resources that are guests', () => {
  expect(GUEST_KINDS.map((kind) => isGuestKind(kind))).toEqual([true, true]);
  expect(['storage', 'node', 'toString', undefined].map((type) => isGuestKind(type))).toEqual(
    Array(4).fill(false),
  );
});

test('disks, devices, mounts and name of a container are read as those of a VM are', () => {
  const values = {
    hostname: 'ct',
    rootfs: 'volume=ceph:base-100-disk-0/vm-101-disk-0,size=8G',
    mp0: '/srv/www,mp=/www,shared=1',
    dev0: '/dev/kvm',
    unused0: 'ceph:vm-101-disk-1',
  };
  expect(allVolumes(values).map(({ key, storage, name }) => `${key} ${storage} ${name}`)).toEqual([
    'rootfs ceph base-100-disk-0/vm-101-disk-0',
    'unused0 ceph vm-101-disk-1',
  ]);
  expect(hostDevices(values)).toEqual([{ key: 'dev0', text: 'dev0' }]);
  expect(hostMounts(values)).toEqual([{ key: 'mp0', path: '/srv/www', shared: true }]);
  expect([nameIn(values), nameIn({ name: 'vm' }), nameIn(undefined)]).toEqual(['ct', 'vm', undefined]);
});
