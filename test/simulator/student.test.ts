/** What a student with PVEVMAdmin on the own pool can do to machines in it, and what is refused. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { login, secret, start, userWithToken, type Caller, type Form, type Virtual } from './harness.ts';

const versions = ['7.4', '8.4', '9.2'] as const;
const machine = '/nodes/pve1/qemu/400';
const config = `${machine}/config`;

const withRights = (more: Scenario['acl'] = [], role = 'PVEVMAdmin'): Partial<Scenario> => ({
  guests: [
    { vmid: 400, name: 'own', node: 'pve1', storage: 'ceph', running: false },
    { vmid: 401, name: 'foreign', node: 'pve1', storage: 'ceph', running: false },
  ],
  users: [userWithToken('anna@pve')],
  roles: {
    few: [
      'VM.Audit',
      'VM.Console',
      'VM.PowerMgmt',
      'VM.Snapshot',
      'VM.Snapshot.Rollback',
      ...['CPU', 'Memory', 'Network', 'HWType', 'Options', 'Disk', 'CDROM', 'Cloudinit'].map(
        (one) => `VM.Config.${one}`,
      ),
    ],
  },
  pools: [{ pool: 'anna', vms: [400] }, { pool: 'other' }],
  acl: [{ path: '/pool/anna', role, user: 'anna@pve' }, ...more],
});

interface Class extends Virtual {
  readonly anna: Caller;
}

async function room(change: Partial<Scenario>): Promise<Class> {
  const started = await start(change);
  return { ...started, anna: started.as(`anna@pve!t=${secret}`) };
}

const useOf = (...bridges: string[]): NonNullable<Scenario['acl']> =>
  bridges.map((bridge) => ({
    path: `/sdn/zones/localnetwork/${bridge}`,
    role: 'PVESDNUser',
    user: 'anna@pve',
  }));

describe.each(versions)('%s', (version) => {
  test.each<Form>([
    { description: 'deploy-stand machine' },
    { name: 'renamed' },
    { tags: 'deploy-stand' },
    { protection: 1 },
    { cores: 128, memory: 4_000_000 },
    { template: 1 },
    { onboot: 1 },
    { ide2: 'ceph:cloudinit' },
    { description: '' },
    { scsi0: 'ceph:vm-400-disk-0,backup=0' },
  ])('writes %j', async (form) => {
    const { anna } = await room({ ...withRights(), version });
    expect(await anna.put(config, form)).toMatchObject({ status: 200 });
  });

  test('sets and takes the template flag by a change of options, without VM.Allocate', async () => {
    const { anna, sim } = await room({ ...withRights([], 'few'), version });
    const snapshots = `${machine}/snapshot`;
    expect(await anna.task('POST', snapshots, { snapname: 'base' })).toBe('OK');
    await anna.ok('PUT', config, { template: 1 });
    expect(await anna.task('POST', snapshots, { snapname: 'base' })).toBe(
      "you can't take a snapshot if it's a template",
    );
    expect(await anna.task('POST', `${snapshots}/base/rollback`)).toBe(
      "you can't rollback if vm is a template",
    );
    expect(await anna.task('DELETE', `${snapshots}/base`)).toBe(
      "you can't delete a snapshot if vm is a template",
    );
    // That deletion has locked the machine before it was refused; only the ticket of root gets it off.
    expect((await anna.put(config, { template: 0 })).reason).toBe('VM is locked (snapshot-delete)');
    await (await login(sim, 'root@pam', 'simulator')).ok('PUT', config, { delete: 'lock', skiplock: 1 });
    expect(await anna.task('POST', `${machine}/status/start`)).toBe(
      "you can't start a vm if it's a template",
    );
    // The disks are not converted, and the way back is open.
    expect((await anna.ok('GET', config)).scsi0).toContain('ceph:vm-400-disk-0');
    await anna.ok('PUT', config, { template: 0 });
    expect(await anna.task('POST', `${machine}/status/start`)).toBe('OK');
    for (const [method, path, form] of [
      ['POST', `${machine}/template`, {}],
      ['POST', `${machine}/clone`, { newid: 402, pool: 'anna' }],
      ['POST', `${machine}/migrate`, { target: 'pve2', online: 1 }],
      ['POST', '/nodes/pve1/qemu', { vmid: 402, pool: 'anna' }],
      ['DELETE', machine, {}],
    ] as const) {
      expect(await anna.call(method, path, form)).toMatchObject({ status: 403 });
    }
  });

  test('converts by POST, resizes, migrates, deletes', async () => {
    const { anna } = await room({ ...withRights(), version });
    const size = { disk: 'scsi0', size: '+1G' };
    if (version === '7.4') await anna.ok('PUT', `${machine}/resize`, size);
    else expect(await anna.task('PUT', `${machine}/resize`, size)).toBe('OK');
    expect(await anna.task('POST', `${machine}/migrate`, { target: 'pve2' })).toBe('OK');
    const there = '/nodes/pve2/qemu/400';
    expect(await anna.task('POST', `${there}/template`)).toBe('OK');
    expect(await anna.task('DELETE', there)).toBe('OK');
  });

  test('makes machines at any free number on any node, in the own pool alone', async () => {
    const { anna, sim } = await room({ ...withRights(), version });
    const form = { vmid: 777_777, pool: 'anna', name: 'mine', memory: 64_000, description: 'anything' };
    expect(await anna.task('POST', '/nodes/pve3/qemu', form)).toBe('OK');
    const tasks = await anna.ok('GET', '/nodes/pve3/tasks', { vmid: 777_777 });
    expect(tasks).toMatchObject([{ type: 'qmcreate', id: '777777', user: 'anna@pve', tokenid: 't' }]);
    expect(sim.snapshot().pools.find((pool) => pool.poolid === 'anna')?.vms).toEqual([400, 777_777]);
    for (const elsewhere of [{ vmid: 500 }, { vmid: 500, pool: 'other' }]) {
      expect(await anna.post('/nodes/pve1/qemu', elsewhere)).toMatchObject({
        status: 403,
        reason: 'Permission check failed',
      });
    }
    expect((await anna.post('/nodes/pve1/qemu', { vmid: 500, pool: 'ghost' })).reason).toBe(
      "Permission check failed (pool 'ghost' does not exist)",
    );
  });

  test.each<[Form, number, string]>([
    [{ startup: 'order=1' }, 403, 'Permission check failed (/, Sys.Modify)'],
    [{ scsi1: 'ceph:5' }, 403, 'Permission check failed (/storage/ceph, Datastore.AllocateSpace)'],
    [
      { ide2: 'local:iso/x.iso,media=cdrom' },
      403,
      'Permission check failed (/storage/local, Datastore.AllocateSpace|Datastore.Audit)',
    ],
    [{ scsi1: 'ceph:vm-401-disk-0' }, 403, 'Permission check failed (/storage/ceph, Datastore.Audit)'],
    [{ scsi1: '/dev/sda' }, 500, 'Only root can pass arbitrary filesystem paths.'],
    [{ args: '-snapshot' }, 500, "only root can set 'args' config"],
    [{ hookscript: 'local:snippets/x.pl' }, 500, "only root can set 'hookscript' config"],
  ])('%j is refused, for a machine that is there and for a new one', async (form, status, reason) => {
    const { anna, sim } = await room({ ...withRights(), version });
    expect(await anna.put(config, form)).toMatchObject({ status, reason });
    const fresh = { vmid: 500, pool: 'anna', ...form };
    expect(await anna.post('/nodes/pve1/qemu', fresh)).toMatchObject({ status, reason });
    expect(sim.snapshot().guests.map((guest) => guest.vmid)).not.toContain(500);
  });

  test('pools, grants and copies of disks are refused', async () => {
    const { anna } = await room({ ...withRights(), version });
    const member = { vms: '401' };
    const change =
      version === '7.4' ? anna.put('/pools/anna', member) : anna.put('/pools', { poolid: 'anna', ...member });
    expect((await change).reason).toBe('Permission check failed (/pool/anna, Pool.Allocate)');
    expect((await anna.post('/pools', { poolid: 'mine' })).status).toBe(403);
    const grant = { users: 'anna@pve', roles: 'PVEVMUser' };
    expect((await anna.put('/access/acl', { path: '/pool/anna', ...grant })).status).toBe(403);
    expect((await anna.put('/access/acl', { path: '/vms/401', ...grant })).status).toBe(403);
    expect((await anna.post(`${machine}/clone`, { newid: 500, pool: 'anna' })).reason).toBe(
      'Permission check failed (/storage/ceph, Datastore.AllocateSpace)',
    );
    expect((await anna.get('/nodes/pve1/qemu/401/config')).status).toBe(403);
  });

  test('a rollback brings NICs, tags and protection back, without a right on the bridge; notes stay', async () => {
    const { anna, root } = await room({ ...withRights(), version });
    await root.ok('PUT', config, {
      net0: 'virtio=02:00:00:00:00:01,bridge=vmbr0',
      tags: 'old',
      description: 'old',
      protection: 1,
    });
    expect(await anna.task('POST', `${machine}/snapshot`, { snapname: 'base' })).toBe('OK');
    await root.ok('PUT', config, {
      net0: 'virtio=02:00:00:00:00:01,bridge=vmbr100',
      tags: 'new',
      description: 'new',
      delete: 'protection',
      scsi1: 'ceph:1',
    });
    expect(await anna.task('POST', `${machine}/snapshot/base/rollback`)).toBe('OK');
    expect(await root.ok('GET', config)).toMatchObject({
      net0: 'virtio=02:00:00:00:00:01,bridge=vmbr0',
      tags: 'old',
      description: 'new',
      protection: '1',
      unused0: 'ceph:vm-400-disk-1',
    });
  });
});

describe.each(['8.4', '9.2'] as const)('NICs on %s', (version) => {
  const refused = (bridge: string): Record<string, unknown> => ({
    status: 403,
    reason: `Permission check failed (/sdn/zones/localnetwork/${bridge}, SDN.Use)`,
  });

  test.each([
    { form: { net0: 'virtio,bridge=vmbr1' }, use: ['vmbr0'], lacking: 'vmbr1' },
    { form: { net0: 'virtio,bridge=vmbr1' }, use: ['vmbr1'], lacking: 'vmbr0' },
    { form: { delete: 'net0' }, use: [], lacking: 'vmbr0' },
    { form: { net1: 'virtio,bridge=nowhere' }, use: ['vmbr0'], lacking: 'nowhere' },
  ])('$form with SDN.Use on $use', async ({ form, use, lacking }) => {
    const { anna, root } = await room({ ...withRights(useOf(...use)), version });
    expect(await anna.put(config, form)).toMatchObject(refused(lacking));
    await root.ok('PUT', '/access/acl', {
      path: `/sdn/zones/localnetwork/${lacking}`,
      users: 'anna@pve',
      roles: 'PVESDNUser',
    });
    expect((await anna.put(config, form)).status).toBe(200);
  });

  test('without a bridge', async () => {
    const { anna } = await room({ ...withRights(), version });
    expect(await anna.put(config, { net1: 'virtio' })).toMatchObject(
      version === '8.4' ? { status: 500, reason: 'no sdn vnet ID specified' } : { status: 200 },
    );
  });
});

test('7.4 asks nobody about bridges', async () => {
  const { anna } = await room({ ...withRights(), version: '7.4' });
  expect((await anna.put(config, { net0: 'virtio,bridge=nowhere', net1: 'virtio' })).status).toBe(200);
});

test('since 9 a new machine takes no tags through the pool, unless its number is claimed there', async () => {
  for (const [version, end] of [
    ['8.4', 'OK'],
    ['9.2', 'unable to create VM 500 - 403 Permission check failed (/vms/500, VM.Config.Options)'],
  ] as const) {
    const { anna } = await room({ ...withRights(), version });
    expect(await anna.task('POST', '/nodes/pve1/qemu', { vmid: 500, pool: 'anna', tags: 'x' })).toBe(end);
  }
  const { anna } = await room({
    ...withRights(),
    pools: [{ pool: 'anna', vms: [400, 500] }],
    version: '9.2',
  });
  expect(await anna.task('POST', '/nodes/pve1/qemu', { vmid: 500, pool: 'anna', tags: 'x' })).toBe('OK');
});
