/** Where a student's rights end: storages, options of new machines, numbers that are taken. */
import { describe, expect, test } from 'vitest';
import { secret, start, userWithToken, type Caller, type Virtual } from './harness.ts';

const versions = ['7.4', '8.4', '9.2'] as const;

interface Student extends Virtual {
  readonly anna: Caller;
}

/** A stopped machine in Anna's pool; she may use vmbr0, and has no right on any storage. */
async function student(version: (typeof versions)[number], more: { role?: string } = {}): Promise<Student> {
  const { role = 'PVEVMAdmin' } = more;
  const started = await start({
    version,
    users: [userWithToken('anna@pve')],
    guests: [
      { vmid: 400, name: 'pc', node: 'pve1', storage: 'ceph', disk_gib: 4, running: false, pool: 'anna' },
    ],
    roles: {
      narrow: [
        'VM.Audit',
        'VM.Config.Options',
        'VM.Config.Network',
        'VM.PowerMgmt',
        'VM.Snapshot',
        'VM.Allocate',
      ],
      optionsOnly: ['VM.Audit', 'VM.Config.Options'],
    },
    pools: [{ pool: 'anna' }],
    acl: [
      { path: '/pool/anna', role, user: 'anna@pve' },
      ...(version === '7.4'
        ? []
        : [{ path: '/sdn/zones/localnetwork/vmbr0', role: 'PVESDNUser', user: 'anna@pve' }]),
    ],
  });
  const anna = started.as(`anna@pve!t=${secret}`);
  await started.root.ok('PUT', config, { net0: 'virtio=02:00:00:00:00:01,bridge=vmbr0' });
  return { ...started, anna };
}

const guest = '/nodes/pve1/qemu/400';
const config = `${guest}/config`;

describe.each(versions)('%s: allowed', (version) => {
  test('resize, a cloud-init drive and the own volumes, with no right on a storage', async () => {
    const { anna, root } = await student(version);
    const resized = await anna.ok('PUT', `${guest}/resize`, { disk: 'scsi0', size: '+1G' });
    if (version !== '7.4') expect(await anna.ended(resized)).toBe('OK');
    await anna.ok('PUT', config, { ide2: 'ceph:cloudinit' });
    const made = await anna.ok('GET', config);
    expect(made).toMatchObject({
      scsi0: 'ceph:vm-400-disk-0,size=5G',
      ide2: 'ceph:vm-400-cloudinit,media=cdrom',
    });
    await anna.ok('PUT', config, { delete: 'scsi0' });
    await anna.ok('PUT', config, { scsi1: 'ceph:vm-400-disk-0' });
    expect((await root.ok('GET', config)).scsi1).toBe('ceph:vm-400-disk-0,size=5G');
  });
});

describe.each(versions)('%s: refused', (version) => {
  test.each<[string, string, string, Record<string, string | number>, string]>([
    ['startup', 'PUT', config, { startup: 'order=1' }, '(/, Sys.Modify)'],
    ['a new disk', 'PUT', config, { scsi1: 'ceph:1' }, '(/storage/ceph, Datastore.AllocateSpace)'],
    [
      'an ISO image',
      'PUT',
      config,
      { ide0: 'local:iso/x.iso,media=cdrom' },
      'Datastore.AllocateSpace|Datastore.Audit',
    ],
    ["somebody's disk", 'PUT', config, { scsi1: 'ceph:vm-300-disk-0' }, '(/storage/ceph, Datastore.Audit)'],
    [
      'a clone with disks',
      'POST',
      `${guest}/clone`,
      { newid: 500, pool: 'anna' },
      '(/storage/ceph, Datastore.AllocateSpace)',
    ],
    ['a machine without the pool', 'POST', '/nodes/pve1/qemu', { vmid: 500 }, 'Permission check failed'],
    [
      'startup of a new one',
      'POST',
      '/nodes/pve1/qemu',
      { vmid: 500, pool: 'anna', startup: '1' },
      '(/, Sys.Modify)',
    ],
    [
      'a disk of a new one',
      'POST',
      '/nodes/pve1/qemu',
      { vmid: 500, pool: 'anna', scsi0: 'ceph:1' },
      'AllocateSpace',
    ],
    ['a pool', 'POST', '/pools', { poolid: 'anna2' }, 'Pool.Allocate)'],
  ])('%s', async (_, method, path, form, text) => {
    const { anna } = await student(version);
    const reply = await anna.call(method, path, form);
    expect(reply.status).toBe(403);
    expect(reply.reason).toContain(text);
  });

  test('roles on the own pool', async () => {
    const { anna } = await student(version);
    const form = { path: '/pool/anna', users: 'teacher@pve', roles: 'PVEVMUser' };
    expect((await anna.put('/access/acl', form)).status).toBe(403);
  });

  test('options of a new machine that the role on the pool lacks', async () => {
    const { anna } = await student(version, { role: 'narrow' });
    const post = (form: Record<string, string>): ReturnType<Caller['post']> =>
      anna.post('/nodes/pve1/qemu', { vmid: 500, pool: 'anna', ...form });
    const reply = await post({ memory: '512' });
    expect(reply).toMatchObject({
      status: 403,
      reason: 'Permission check failed (/vms/500, VM.Config.Memory)',
    });
    expect((await post({ name: 'x' })).status).toBe(200);
  });

  test('a number that is taken, and disks of a protected machine', async () => {
    const { anna, root } = await student(version);
    expect(await anna.post('/nodes/pve1/qemu', { vmid: 100, pool: 'anna' })).toMatchObject({
      status: 500,
      reason: "unable to create VM 100 - VM 100 already exists on node 'pve1'",
    });
    await root.ok('PUT', config, { protection: 1 });
    expect((await anna.put(config, { delete: 'scsi0' })).reason).toBe(
      "can't remove drive 'scsi0' - protection mode enabled",
    );
  });
});
