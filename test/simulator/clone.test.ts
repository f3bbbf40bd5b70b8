/** Cloning: rules, refusals, what is inherited, what is drawn anew. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { secret, start, userWithToken, type Loose } from './harness.ts';

const local: Partial<Scenario> = {
  templates: [
    { vmid: 100, name: 'shared', node: 'pve1', storage: 'ceph' },
    { vmid: 110, name: 'thin', node: 'pve1', storage: 'local-lvm' },
    { vmid: 111, name: 'iso', node: 'pve1', storage: 'ceph', iso: 'local:iso/debian.iso' },
    { vmid: 112, name: 'seeded', node: 'pve1', storage: 'ceph', cloud_init: 'local-lvm' },
  ],
};

const clonePath = (vmid: number): string => `/nodes/pve1/qemu/${vmid}/clone`;

test('while it is under way there is a lock, no name, no row data; then everything', async () => {
  const { root, time } = await start({ latency: { linked_clone_s: 20 } });
  const upid = await root.ok('POST', clonePath(100), {
    newid: 10001,
    name: 'student-a',
    description: 'mine',
  });
  await time.sleep(100);
  expect(upid).toMatch(/^UPID:pve1:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:qmclone:100:root@pam!deploy-stand:$/);
  const under = await root.ok('GET', '/nodes/pve1/qemu/10001/config');
  expect(under).toMatchObject({ lock: 'clone' });
  expect(under).not.toHaveProperty('name');
  const rows = await root.ok('GET', '/cluster/resources', { type: 'vm' });
  const row = rows.find((one: Loose) => one.vmid === 10001);
  expect(row).toEqual({
    id: 'qemu/10001',
    vmid: 10001,
    type: 'qemu',
    node: 'pve1',
    status: 'unknown',
    lock: 'clone',
  });
  expect((await root.put('/nodes/pve1/qemu/10001/config', { cores: 1 })).reason).toMatch(
    /got timeout|VM is locked \(clone\)/,
  );
  expect(await root.ended(upid)).toBe('OK');
  const done = await root.ok('GET', '/nodes/pve1/qemu/10001/config');
  expect(done).toMatchObject({
    name: 'student-a',
    description: 'mine',
    scsi0: 'ceph:base-100-disk-0/vm-10001-disk-0,size=2G',
  });
  expect(done).not.toHaveProperty('lock');
  expect(done).not.toHaveProperty('template');
});

test('tags, notes, onboot and protection are inherited; MACs, uuid and vmgenid are not', async () => {
  const { root } = await start({
    templates: [
      {
        vmid: 100,
        name: 'tpl',
        node: 'pve1',
        tags: 'base',
        description: 'golden',
        config: { onboot: '1', protection: '1', unused0: 'ceph:vm-100-disk-9' },
      },
    ],
  });
  expect(await root.task('POST', clonePath(100), { newid: 10001 })).toBe('OK');
  const [old, made] = [
    await root.ok('GET', '/nodes/pve1/qemu/100/config'),
    await root.ok('GET', '/nodes/pve1/qemu/10001/config'),
  ];
  expect(made).toMatchObject({
    name: 'Copy-of-VM-tpl',
    tags: 'base',
    description: 'golden',
    onboot: '1',
    protection: '1',
  });
  expect(made).not.toHaveProperty('unused0');
  expect(made.net0).toMatch(/^virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,firewall=1$/);
  for (const key of ['net0', 'smbios1', 'vmgenid']) expect(made[key]).not.toBe(old[key]);
});

test('7.4 draws MACs without a prefix', async () => {
  const { root } = await start({ version: '7.4' });
  await root.task('POST', clonePath(100), { newid: 10001 });
  expect((await root.ok('GET', '/nodes/pve1/qemu/10001/config')).net0).not.toMatch(/BC:24:11/);
});

describe('number conflicts', () => {
  test('on this node: refused at once', async () => {
    const { root } = await start();
    expect(await root.post(clonePath(100), { newid: 101 })).toMatchObject({
      status: 500,
      reason: 'unable to create VM 101: config file already exists',
    });
  });

  test('on another node: the task fails', async () => {
    const { root } = await start();
    expect(await root.task('POST', clonePath(100), { newid: 301 })).toBe(
      "close (rename) atomic file '/etc/pve/nodes/pve1/qemu-server/301.conf' failed: File exists",
    );
  });

  test('two clones to one number: one of them cannot get the lock, no data is lost', async () => {
    const { root } = await start({ latency: { linked_clone_s: 30 } });
    const ends = await Promise.all(
      [1, 2].map(() => root.task('POST', clonePath(100), { newid: 10001 }).catch(String)),
    );
    expect(ends).toContain('OK');
    expect(ends.find((end) => end !== 'OK')).toMatch(
      /lock-10001\.conf' - got timeout|config file already exists/,
    );
    expect((await root.get('/nodes/pve1/qemu/10001/config')).data).not.toHaveProperty('lock');
  });
});

test.each<[string, number, Record<string, string | number>, number, string]>([
  [
    'a storage for a linked clone',
    100,
    { storage: 'ceph' },
    500,
    "parameter 'storage' not allowed for linked clones",
  ],
  [
    'a format for a linked clone',
    100,
    { format: 'raw' },
    500,
    "parameter 'format' not allowed for linked clones",
  ],
  [
    'a node that local disks cannot reach',
    110,
    { target: 'pve2' },
    500,
    "can't clone VM to node 'pve2' (VM uses local storage)",
  ],
  [
    'a node that the ISO cannot reach',
    111,
    { target: 'pve2' },
    500,
    "can't clone VM to node 'pve2' (VM uses local storage)",
  ],
  [
    'a node that the cloud-init drive cannot reach',
    112,
    { target: 'pve2' },
    500,
    "can't clone VM to node 'pve2' (VM uses local storage)",
  ],
  [
    'a full copy to local storage elsewhere',
    100,
    { target: 'pve2', full: 1, storage: 'local-lvm' },
    500,
    "can't clone to non-shared storage 'local-lvm'",
  ],
  ['a storage without images', 100, { full: 1, storage: 'local' }, 400, 'Parameter verification failed.'],
  ['an unknown storage', 100, { full: 1, storage: 'nope' }, 500, "storage 'nope' does not exist"],
  ['an unknown pool', 100, { pool: 'ghosts' }, 403, "Permission check failed (pool 'ghosts' does not exist)"],
  ['an unknown snapshot', 100, { snapname: 'snap' }, 500, "snapshot 'snap' does not exist"],
  ['an unknown target', 100, { target: 'pve9' }, 500, "no such cluster node 'pve9'"],
])('refuses %s', async (_, vmid, form, status, reason) => {
  const { root } = await start(local);
  expect(await root.post(clonePath(vmid), { newid: 10001, ...form })).toMatchObject({ status, reason });
});

test('thick LVM makes templates that cannot be linked; each version says so in its way', async () => {
  for (const [version, text] of [
    ['7.4', "Linked clone feature is not supported for drive 'scsi0'"],
    ['8.4', "Linked clone feature is not supported for 'thick:vm-120-disk-0' (scsi0)"],
  ] as const) {
    const { root } = await start({
      version,
      storages: [{ id: 'thick', type: 'lvm' }],
      templates: [{ vmid: 120, name: 'thick', node: 'pve1', storage: 'thick' }],
      guests: [],
    });
    expect((await root.post(clonePath(120), { newid: 10001 })).reason).toBe(text);
    expect(await root.task('POST', clonePath(120), { newid: 10001, full: 1 })).toBe('OK');
  }
});

test('a normal machine is copied in full; a linked copy of it is not possible', async () => {
  const { root } = await start();
  expect((await root.post('/nodes/pve3/qemu/303/clone', { newid: 10001, full: 0 })).reason).toMatch(
    /^Linked clone feature/,
  );
  expect(await root.task('POST', '/nodes/pve3/qemu/303/clone', { newid: 10001 })).toBe('OK');
  expect((await root.ok('GET', '/nodes/pve3/qemu/10001/config')).scsi0).toBe(
    'local-lvm:vm-10001-disk-0,size=32G',
  );
});

test('with target the task stays on the source node and the machine moves', async () => {
  const { root } = await start();
  const upid = await root.ok('POST', clonePath(100), { newid: 10001, target: 'pve2' });
  expect(upid).toMatch(/^UPID:pve1:/);
  const elsewhere = await root.get(`/nodes/pve2/tasks/${encodeURIComponent(upid)}/status`);
  expect(elsewhere).toMatchObject({ status: 400 });
  expect(elsewhere.body.errors).toEqual({ upid: 'no such task' });
  expect(await root.ended(upid)).toBe('OK');
  expect((await root.get('/nodes/pve2/qemu/10001/config')).status).toBe(200);
  expect((await root.get('/nodes/pve1/qemu/10001/config')).status).toBe(500);
});

test('a full clone takes its time per GiB, outside the storage lock', async () => {
  const { root, sim } = await start({ latency: { full_clone_s_per_gib: 50 } });
  const before = sim.now();
  expect(await root.task('POST', clonePath(100), { newid: 10001, full: 1 })).toBe('OK');
  expect(sim.now() - before).toBeGreaterThanOrEqual(100_000);
  expect((await root.ok('GET', '/nodes/pve1/qemu/10001/config')).scsi0).toBe('ceph:vm-10001-disk-0,size=2G');
});

test('the pool is joined at the very end; losing that lock rolls the clone back', async () => {
  const { root, sim } = await start({
    latency: { user_cfg_write_ms: 25_000, linked_clone_s: 1, storage_lock_s: 0.1 },
  });
  const blocker = root.post('/pools', { poolid: 'blocker' });
  expect(await root.task('POST', clonePath(100), { newid: 10001, pool: 'infra' })).toBe(
    "clone failed: can't add VM 10001 to pool 'infra': cfs-lock 'file-user_cfg' error: got lock request timeout",
  );
  await blocker;
  expect(sim.snapshot().guests.some((guest) => guest.vmid === 10001)).toBe(false);
});

test('a writer on the template keeps clones out after one second', async () => {
  const { root, time } = await start({ latency: { config_write_ms: 20_000 } });
  const writing = root.put('/nodes/pve1/qemu/100/config', { cores: 4 });
  await time.sleep(100);
  expect(await root.task('POST', clonePath(100), { newid: 10001 })).toBe(
    "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout",
  );
  expect((await writing).status).toBe(200);
});

test('rights: clone on the template, allocate on the number, space on the storage, SDN.Use on the bridge', async () => {
  const acl = [
    { path: '/vms/100', role: 'PVETemplateUser', user: 'anna@pve' },
    { path: '/vms/10001', role: 'PVEVMAdmin', user: 'anna@pve' },
    { path: '/storage/ceph', role: 'PVEDatastoreUser', user: 'anna@pve' },
    { path: '/sdn/zones/localnetwork', role: 'PVESDNUser', user: 'anna@pve' },
  ];
  const reasons = [
    'Permission check failed (/vms/100, VM.Clone)',
    'Permission check failed',
    'Permission check failed (/storage/ceph, Datastore.AllocateSpace)',
    'Permission check failed (/sdn/zones/localnetwork/vmbr0, SDN.Use)',
  ];
  for (const [missing, reason] of reasons.entries()) {
    const { as } = await start({
      users: [userWithToken('anna@pve')],
      acl: acl.filter((_, i) => i !== missing),
    });
    const reply = await as(`anna@pve!t=${secret}`).post(clonePath(100), { newid: 10001 });
    expect([reply.status, reply.reason]).toEqual([403, reason]);
  }
  const { as } = await start({ users: [userWithToken('anna@pve')], acl });
  expect(await as(`anna@pve!t=${secret}`).task('POST', clonePath(100), { newid: 10001 })).toBe('OK');
});

const STATES = { vmstatestorage: 'states' };
test.each([
  ['8.4', { cpu: 'custom-lab' }, 'OK'],
  ['9.2', { cpu: 'custom-lab' }, 'Permission check failed (/mapping/cpu/lab, Mapping.Use)'],
  ['7.4', STATES, 'Permission check failed (/storage/states, Datastore.AllocateSpace)'],
  ['9.2', STATES, 'Permission check failed (/storage/states, Datastore.AllocateSpace)'],
] as const)('%s: what a clone takes over: %o: %s', async (version, config, answer) => {
  const { as } = await start({
    version,
    templates: [{ vmid: 100, name: 'base', node: 'pve1', storage: 'ceph', config }],
    users: [userWithToken('anna@pve')],
    acl: [
      { path: '/vms', role: 'PVEVMAdmin', user: 'anna@pve' },
      { path: '/storage/ceph', role: 'PVEDatastoreUser', user: 'anna@pve' },
      { path: '/sdn/zones/localnetwork', role: 'PVESDNUser', user: 'anna@pve' },
    ],
  });
  const reply = await as(`anna@pve!t=${secret}`).post(clonePath(100), { newid: 10001 });
  expect(reply.reason).toBe(answer);
});

test('VM.Allocate on the pool does as well, when the pool is named', async () => {
  const { as } = await start({
    users: [userWithToken('anna@pve')],
    acl: [
      { path: '/vms/100', role: 'PVETemplateUser', user: 'anna@pve' },
      { path: '/pool/infra', role: 'PVEVMAdmin', user: 'anna@pve' },
      { path: '/storage/ceph', role: 'PVEDatastoreUser', user: 'anna@pve' },
      { path: '/sdn/zones/localnetwork', role: 'PVESDNUser', user: 'anna@pve' },
    ],
  });
  const anna = as(`anna@pve!t=${secret}`);
  expect((await anna.post(clonePath(100), { newid: 10001 })).status).toBe(403);
  expect(await anna.task('POST', clonePath(100), { newid: 10001, pool: 'infra' })).toBe('OK');
  expect((await anna.get('/nodes/pve1/qemu/10001/config')).status).toBe(200);
});

test.each(['dir', 'nfs', 'zfspool', 'lvmthin', 'rbd'] as const)(
  'volume ids of a linked clone on %s',
  async (type) => {
    const { root } = await start({
      storages: [{ id: 'st', type }],
      templates: [{ vmid: 100, name: 'tpl', node: 'pve1', storage: 'st' }],
      guests: [],
    });
    expect(await root.task('POST', clonePath(100), { newid: 10001 })).toBe('OK');
    const expected = {
      dir: 'st:100/base-100-disk-0.qcow2/10001/vm-10001-disk-0.qcow2',
      nfs: 'st:100/base-100-disk-0.qcow2/10001/vm-10001-disk-0.qcow2',
      zfspool: 'st:base-100-disk-0/vm-10001-disk-0',
      lvmthin: 'st:vm-10001-disk-0',
      rbd: 'st:base-100-disk-0/vm-10001-disk-0',
    }[type];
    expect((await root.ok('GET', '/nodes/pve1/qemu/10001/config')).scsi0).toBe(`${expected},size=2G`);
  },
);

describe.each(['7.4', '8.4', '9.2'] as const)('what can be read of a clone on %s', (version) => {
  const config = '/nodes/pve1/qemu/10001/config';

  test.each([
    ['linked', {}],
    ['full', { full: 1 }],
  ])('%s: notes and name are there while later disks are under way', async (_, how) => {
    const { root, time } = await start({
      version,
      storages: [{ id: 'ceph', type: 'rbd' }],
      templates: [{ vmid: 100, name: 'tpl', node: 'pve1', disks_gib: [1, 100] }],
      guests: [],
      latency: { linked_clone_s: 60, storage_lock_s: 1, full_clone_s_per_gib: 1 },
    });
    const upid = await root.ok('POST', clonePath(100), {
      newid: 10001,
      name: 'a',
      description: 'mine',
      ...how,
    });
    await time.sleep(10_000);
    const early = await root.ok('GET', config);
    expect(early).toMatchObject({ lock: 'clone', name: 'a', description: 'mine' });
    expect(await root.ended(upid)).toBe('OK');
    expect(await root.ok('GET', config)).toMatchObject({ net0: early.net0, smbios1: early.smbios1 });
  });

  test('the log names the source and, by most storages, the new disk; the UPID the source alone', async () => {
    const { root } = await start({
      version,
      storages: [{ id: 'files', type: 'nfs' }],
      templates: [{ vmid: 100, name: 'tpl', node: 'pve1' }],
      guests: [],
    });
    const upid = await root.ok('POST', clonePath(100), { newid: 10001 });
    expect(await root.ended(upid)).toBe('OK');
    const lines = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`);
    expect(lines.map((line: Loose) => line.t)).toEqual([
      ...(version === '9.2' ? ['creating a clone of VM 100 with ID 10001'] : []),
      'create linked clone of drive scsi0 (files:100/base-100-disk-0.qcow2)',
      'clone 100/base-100-disk-0.qcow2: images, vm-10001-disk-0.qcow2, 10001 to vm-10001-disk-0.qcow2 (base=../100/base-100-disk-0.qcow2)',
      'TASK OK',
    ]);
    expect(await root.ok('GET', '/nodes/pve1/tasks', { vmid: 10001, source: 'all' })).toEqual([]);
    expect(await root.ok('GET', '/nodes/pve1/tasks', { vmid: 100, source: 'all' })).toHaveLength(1);
  });

  test('a source that is missing is refused at once', async () => {
    const { root } = await start({ version });
    expect(await root.post(clonePath(999), { newid: 10001 })).toMatchObject({
      status: 500,
      reason: "unable to find configuration file for VM 999 on node 'pve1'",
    });
  });

  test('of two quick clones to one number the later fails in its task', async () => {
    const { root } = await start({ version, latency: { linked_clone_s: 0.3, storage_lock_s: 0.1 } });
    const ends = await Promise.all([1, 2].map(() => root.task('POST', clonePath(100), { newid: 10001 })));
    expect(ends.sort()).toEqual(['OK', 'unable to create VM 10001: config file already exists']);
  });
});
