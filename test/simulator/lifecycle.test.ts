/** Power, deletion, templates, snapshots, migration. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { login, start, type Loose } from './harness.ts';

const guest = (vmid: number, node = 'pve1'): string => `/nodes/${node}/qemu/${vmid}`;
const ceph: Partial<Scenario> = {
  guests: [
    { vmid: 400, name: 'off', node: 'pve1', storage: 'ceph', running: false },
    { vmid: 401, name: 'on', node: 'pve1', storage: 'ceph' },
  ],
};

describe('power', () => {
  test('start, stop, shutdown; what is wrong shows in the task', async () => {
    const { root } = await start(ceph);
    const state = async (): Promise<string> => (await root.ok('GET', `${guest(400)}/status/current`)).status;
    expect(await root.task('POST', `${guest(400)}/status/start`)).toBe('OK');
    expect(await state()).toBe('running');
    expect(await root.task('POST', `${guest(400)}/status/start`)).toBe('VM 400 already running');
    expect(await root.task('POST', `${guest(400)}/status/shutdown`)).toBe('OK');
    expect(await state()).toBe('stopped');
    expect(await root.task('POST', `${guest(400)}/status/stop`)).toBe('OK');
    expect(await root.task('POST', `${guest(100)}/status/start`)).toBe(
      "you can't start a vm if it's a template",
    );
    expect((await root.post(`${guest(400)}/status/reboot`)).reason).toBe('VM 400 not running');
  });

  test('a guest that is too slow to shut down fails, unless forced', async () => {
    const { root } = await start({ ...ceph, latency: { shutdown_s: 100 } });
    expect(await root.task('POST', `${guest(401)}/status/shutdown`, { timeout: 5 })).toBe(
      'VM quit/powerdown failed - got timeout',
    );
    expect(await root.task('POST', `${guest(401)}/status/shutdown`, { timeout: 5, forceStop: 1 })).toBe('OK');
  });

  test('suspend and resume; a paused machine cannot shut down', async () => {
    const { root } = await start(ceph);
    await root.task('POST', `${guest(401)}/status/suspend`);
    expect((await root.ok('GET', `${guest(401)}/status/current`)).qmpstatus).toBe('paused');
    expect((await root.post(`${guest(401)}/status/shutdown`)).reason).toBe('VM is paused - cannot shutdown');
    await root.task('POST', `${guest(401)}/status/resume`);
    expect((await root.ok('GET', `${guest(401)}/status/current`)).qmpstatus).toBe('running');
  });

  test.each([
    ['virtio,bridge=vmbr4000', "bridge 'vmbr4000' does not exist"],
    ['virtio,bridge=vmbr100,mtu=1501', "netdev net0: MTU '1501' is bigger than the bridge MTU '1500'"],
    ['virtio,bridge=vmbr100,mtu=575', "netdev net0: MTU '575' is smaller than the IP minimum MTU '576'"],
    ['virtio,bridge=vmbr100,mtu=1', 'OK'],
    ['e1000,bridge=vmbr100,mtu=1501', 'OK'],
    ['virtio,bridge=vmbr0,tag=5', 'OK'],
    ['virtio,bridge=vmbr100,tag=5', 'start failed: QEMU exited with code 1'],
    ['virtio,bridge=vmbr100,trunks=5;6', 'start failed: QEMU exited with code 1'],
    ['virtio,bridge=vmbr200,tag=5', 'OK'],
    ['virtio,bridge=vnet1', 'OK'],
    [
      'virtio,bridge=vnet1,tag=5',
      'start failed: QEMU exited with code 1',
      'vm vlans are not allowed on vnet vnet1',
    ],
    ['virtio,bridge=vnet2,tag=5', 'OK'],
  ])('net0 %s → %s', async (net0, exit, logged = '') => {
    const { root } = await start({
      ...ceph,
      nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr100', { name: 'vmbr200', vlan_aware: true }] }],
      sdn: {
        zones: [{ zone: 'z', type: 'simple' }],
        vnets: [
          { vnet: 'vnet1', zone: 'z' },
          { vnet: 'vnet2', zone: 'z', vlanaware: true },
        ],
      },
    });
    await root.ok('PUT', `${guest(400)}/config`, { net0 });
    const upid = await root.ok('POST', `${guest(400)}/status/start`);
    expect(await root.ended(upid)).toBe(exit);
    const log = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`);
    expect(JSON.stringify(log)).toContain(logged);
  });

  test('HA-managed machines: the task ends when the request is queued', async () => {
    const { root, time } = await start({
      guests: [{ vmid: 400, name: 'ha', node: 'pve1', ha: true, running: false }],
    });
    const upid = await root.ok('POST', `${guest(400)}/status/start`);
    expect(upid).toContain(':hastart:400:');
    expect(await root.ended(upid)).toBe('OK');
    expect((await root.ok('GET', `${guest(400)}/status/current`)).status).toBe('stopped');
    while ((await root.ok('GET', `${guest(400)}/status/current`)).status !== 'running') await time.sleep(100);
  });
});

describe('delete', () => {
  test('refusals before and inside the task', async () => {
    const { root } = await start({
      guests: [
        { vmid: 400, name: 'on', node: 'pve1', storage: 'ceph' },
        {
          vmid: 401,
          name: 'kept',
          node: 'pve1',
          storage: 'ceph',
          running: false,
          config: { protection: '1' },
        },
        { vmid: 402, name: 'ha', node: 'pve1', storage: 'ceph', running: false, ha: true },
        {
          vmid: 403,
          name: 'locked',
          node: 'pve1',
          storage: 'ceph',
          running: false,
          config: { lock: 'backup' },
        },
      ],
    });
    const reason = async (vmid: number): Promise<string> => (await root.del(guest(vmid))).reason;
    expect(await reason(400)).toBe('VM 400 is running - destroy failed');
    expect(await reason(401)).toBe("can't remove VM 401 - protection mode enabled");
    expect(await reason(402)).toBe(
      'unable to remove VM 402 - used in HA resources and purge parameter not set.',
    );
    expect(await root.task('DELETE', guest(403))).toBe('VM is locked (backup)');
    expect(await root.task('DELETE', guest(402), { purge: 1 })).toBe('OK');
    expect(await root.ok('GET', '/cluster/ha/resources')).toEqual([]);
  });

  test('takes disks, grants and pool membership along', async () => {
    const { root, sim } = await start(ceph);
    await root.ok('PUT', '/pools', { poolid: 'infra', vms: 400 });
    await root.ok('PUT', '/access/acl', { path: '/vms/400', users: 'teacher@pve', roles: 'PVEVMUser' });
    expect(await root.task('DELETE', guest(400))).toBe('OK');
    const { guests, volumes, pools, acl } = sim.snapshot();
    expect(guests.some((one) => one.vmid === 400)).toBe(false);
    expect(volumes.some((one) => one.vmid === 400)).toBe(false);
    expect(pools.find((one) => one.poolid === 'infra')?.vms).not.toContain(400);
    expect(acl.some((one) => one.path === '/vms/400')).toBe(false);
  });

  test('a template under linked clones stays, except on lvmthin, which does not know', async () => {
    const { root } = await start({
      templates: [
        { vmid: 100, name: 'rbd', node: 'pve1', storage: 'ceph' },
        { vmid: 110, name: 'thin', node: 'pve1', storage: 'local-lvm' },
      ],
    });
    await root.task('POST', `${guest(100)}/clone`, { newid: 10001 });
    await root.task('POST', `${guest(110)}/clone`, { newid: 10002 });
    expect(await root.task('DELETE', guest(100))).toBe(
      "base volume 'ceph:base-100-disk-0' is still in use by linked cloned",
    );
    expect(await root.task('DELETE', guest(110))).toBe('OK');
    expect(await root.task('DELETE', guest(10001))).toBe('OK');
    expect(await root.task('DELETE', guest(100))).toBe('OK');
  });

  test("losing the user.cfg lock leaves a zombie that only root's ticket removes", async () => {
    const { root, sim } = await start({ ...ceph, latency: { user_cfg_write_ms: 60_000 } });
    const blocker = root.post('/pools', { poolid: 'blocker' });
    expect(await root.task('DELETE', guest(400))).toBe(
      "access permissions cleanup for VM 400 failed: cfs-lock 'file-user_cfg' error: got lock request timeout",
    );
    await blocker;
    expect(sim.snapshot().guests.find((one) => one.vmid === 400)?.config).toEqual({ lock: 'destroyed' });
    expect(sim.snapshot().volumes.some((one) => one.vmid === 400)).toBe(false);
    expect(await root.task('DELETE', guest(400))).toBe('VM is locked (destroyed)');
    expect((await root.del(guest(400), { skiplock: 1 })).body.errors).toEqual({
      skiplock: 'Only root may use this option.',
    });
    const ticket = await login(sim, 'root@pam', 'simulator');
    expect((await ticket.del(guest(400), { skiplock: 1 })).status).toBe(200);
  });
});

test('creating: numbers are unique over nodes and kinds', async () => {
  const { root } = await start();
  const form = { memory: '512', scsi0: 'ceph:4', net0: 'virtio,bridge=vmbr0' };
  expect(await root.task('POST', '/nodes/pve2/qemu', { vmid: 500, ...form })).toBe('OK');
  expect(await root.ok('GET', `${guest(500, 'pve2')}/config`)).toMatchObject({
    scsi0: 'ceph:vm-500-disk-0,size=4G',
  });
  expect((await root.post('/nodes/pve1/qemu', { vmid: 500 })).reason).toBe(
    "unable to create VM 500 - VM 500 already exists on node 'pve2'",
  );
  expect((await root.post('/nodes/pve1/qemu', { vmid: 302 })).reason).toBe(
    "unable to create VM 302 - CT 302 already exists on node 'pve3'",
  );
});

test('conversion to a template: base volumes, refusals, and LVM that stays as it is', async () => {
  const { root } = await start({
    storages: [
      { id: 'ceph', type: 'rbd' },
      { id: 'thick', type: 'lvm' },
    ],
    templates: [],
    guests: [
      { vmid: 400, name: 'off', node: 'pve1', storage: 'ceph', running: false },
      { vmid: 401, name: 'on', node: 'pve1', storage: 'ceph' },
      { vmid: 402, name: 'lvm', node: 'pve1', storage: 'thick', running: false },
    ],
  });
  expect(await root.task('POST', `${guest(400)}/template`)).toBe('OK');
  expect(await root.ok('GET', `${guest(400)}/config`)).toMatchObject({
    template: '1',
    scsi0: 'ceph:base-400-disk-0,size=8G',
  });
  expect((await root.post(`${guest(400)}/template`)).reason).toBe(
    "you can't convert a template to a template",
  );
  expect((await root.post(`${guest(401)}/template`)).reason).toBe(
    "you can't convert a VM to template if VM is running",
  );
  expect(await root.task('POST', `${guest(402)}/template`)).toBe('OK');
  expect((await root.ok('GET', `${guest(402)}/config`)).scsi0).toBe('thick:vm-402-disk-0,size=8G');
});

test('snapshots: create, list, roll back, delete', async () => {
  const { root } = await start(ceph);
  const path = `${guest(400)}/snapshot`;
  expect(await root.task('POST', path, { snapname: 'base', description: 'clean' })).toBe('OK');
  expect(await root.task('POST', path, { snapname: 'base' })).toBe("snapshot name 'base' already used");
  expect((await root.post(path, { snapname: 'current' })).reason).toMatch(/reserved name/);
  await root.ok('PUT', `${guest(400)}/config`, { cores: 8 });
  await root.task('POST', path, { snapname: 'later' });
  const names = (await root.ok('GET', path)).map((one: Loose) => [one.name, one.parent]);
  expect(names).toEqual([
    ['base', undefined],
    ['later', 'base'],
    ['current', 'later'],
  ]);
  expect((await root.post(`${guest(400)}/template`)).reason).toBe(
    'unable to create template, because VM contains snapshots',
  );
  expect(await root.task('POST', `${path}/base/rollback`)).toBe('OK');
  expect((await root.ok('GET', `${guest(400)}/config`)).cores).toBe('2');
  expect((await root.ok('GET', `${path}/later/config`)).cores).toBe('8');
  expect(await root.task('DELETE', `${path}/base`)).toBe('OK');
  expect(await root.task('DELETE', `${path}/base`)).toBe("snapshot 'base' does not exist");
  expect((await root.ok('GET', path)).map((one: Loose) => one.name)).toEqual(['later', 'current']);
});

test('storages that cannot snapshot', async () => {
  const { root } = await start({
    storages: [{ id: 'thick', type: 'lvm' }],
    templates: [],
    guests: [{ vmid: 400, name: 'off', node: 'pve1', storage: 'thick', running: false }],
  });
  expect(await root.task('POST', `${guest(400)}/snapshot`, { snapname: 'base' })).toBe(
    'snapshot feature is not available',
  );
});

describe('migrate', () => {
  test('on shared storage, off and on', async () => {
    const { root } = await start(ceph);
    expect(await root.task('POST', `${guest(400)}/migrate`, { target: 'pve2' })).toBe('OK');
    expect((await root.get(`${guest(400, 'pve2')}/config`)).data).not.toHaveProperty('lock');
    expect((await root.post(`${guest(401)}/migrate`, { target: 'pve2' })).reason).toBe(
      "can't migrate running VM without --online",
    );
    expect(await root.task('POST', `${guest(401)}/migrate`, { target: 'pve2', online: 1 })).toBe('OK');
    expect((await root.ok('GET', `${guest(401, 'pve2')}/status/current`)).status).toBe('running');
    expect((await root.post(`${guest(400, 'pve2')}/migrate`, { target: 'pve2' })).body.errors).toEqual({
      target: 'target is local node.',
    });
  });

  test('the bridge is missed only online', async () => {
    const { root } = await start({
      guests: ceph.guests!,
      nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr1000'] }, { name: 'pve2' }],
    });
    for (const vmid of [400, 401])
      await root.ok('PUT', `${guest(vmid)}/config`, { net0: 'virtio,bridge=vmbr1000' });
    expect(await root.task('POST', `${guest(400)}/migrate`, { target: 'pve2' })).toBe('OK');
    expect(await root.task('POST', `${guest(401)}/migrate`, { target: 'pve2', online: 1 })).toBe(
      'migration problems',
    );
    expect((await root.get(`${guest(401)}/config`)).status).toBe(200);
  });

  test('local disks', async () => {
    const { root } = await start({
      storages: [
        { id: 'thin', type: 'lvmthin' },
        { id: 'files', type: 'dir' },
        { id: 'here', type: 'zfspool', nodes: ['pve1'] },
      ],
      templates: [
        { vmid: 110, name: 'thin', node: 'pve1', storage: 'thin' },
        { vmid: 111, name: 'files', node: 'pve1', storage: 'files' },
      ],
      guests: [
        { vmid: 400, name: 'on', node: 'pve1', storage: 'thin' },
        { vmid: 401, name: 'bound', node: 'pve1', storage: 'here', running: false },
      ],
    });
    expect((await root.post(`${guest(401)}/migrate`, { target: 'pve2' })).reason).toBe(
      "storage 'here' is not available on node 'pve2'",
    );
    expect(await root.task('POST', `${guest(400)}/migrate`, { target: 'pve2', online: 1 })).toBe(
      'migration aborted',
    );
    expect(
      await root.task('POST', `${guest(400)}/migrate`, { target: 'pve2', online: 1, 'with-local-disks': 1 }),
    ).toBe('OK');
    await root.task('POST', `${guest(110)}/clone`, { newid: 10001 });
    await root.task('POST', `${guest(111)}/clone`, { newid: 10002 });
    expect(await root.task('POST', `${guest(10001)}/migrate`, { target: 'pve2' })).toBe('OK');
    const upid = await root.ok('POST', `${guest(10002)}/migrate`, { target: 'pve2' });
    expect(await root.ended(upid)).toBe('migration aborted');
    const log = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`);
    expect(log.map((one: Loose) => one.t).join('\n')).toContain(
      "can't migrate 'files:111/base-111-disk-0.qcow2/10002/vm-10002-disk-0.qcow2' as it's a clone of 'files:111/base-111-disk-0.qcow2'",
    );
  });

  test('a template goes along with its base images until it has linked clones', async () => {
    const { root } = await start({
      storages: [{ id: 'files', type: 'dir' }],
      templates: [{ vmid: 111, name: 'files', node: 'pve1', storage: 'files' }],
      guests: [],
    });
    const move = async (from: string, target: string) => {
      const upid = await root.ok('POST', `${guest(111, from)}/migrate`, { target });
      const end: string = await root.ended(upid);
      const log = await root.ok('GET', `/nodes/${from}/tasks/${encodeURIComponent(upid)}/log`);
      return `${end}: ${log.map((one: Loose) => one.t).join('; ')}`;
    };
    expect(await move('pve1', 'pve2')).toMatch(/^OK/);
    expect((await root.ok('GET', `${guest(111, 'pve2')}/config`)).scsi0).toContain(
      'files:111/base-111-disk-0',
    );
    expect(await root.task('POST', `${guest(111, 'pve2')}/clone`, { newid: 10001 })).toBe('OK');
    expect(await move('pve2', 'pve1')).toMatch(/^migration aborted: .*is referenced by linked clone\(s\)/);
  });

  test.each([
    { from: 'zfs1', to: 'zfs2', volid: 'zfs2:vm-400-disk-0' },
    { from: 'thin', to: 'thick', volid: 'thick:vm-400-disk-0' },
    { from: 'thin', to: 'zfs2', says: "cannot migrate from storage type 'lvmthin' to 'zfspool'" },
    { from: 'files', to: 'thin', says: "cannot migrate from storage type 'dir' to 'lvmthin'" },
    { from: 'zfs1', to: 'zfs2', device: { usb0: 'host=1234:5678' }, says: 'uses local devices: usb0' },
    { from: 'zfs1', to: 'zfs2', device: { usb0: 'spice', serial0: 'socket' }, volid: 'zfs2:vm-400-disk-0' },
  ])('a stopped machine, from $from to $to: $says', async ({ from, to, volid, says = '', device = {} }) => {
    const kinds = { zfs1: 'zfspool', zfs2: 'zfspool', thin: 'lvmthin', thick: 'lvm', files: 'dir' } as const;
    const { root } = await start({
      storages: Object.entries(kinds).map(([id, type]) => ({ id, type })),
      templates: [],
      guests: [{ vmid: 400, name: 'off', node: 'pve1', storage: from, running: false, config: device }],
    });
    const upid = await root.ok('POST', `${guest(400)}/migrate`, { target: 'pve2', targetstorage: to });
    expect(await root.ended(upid)).toBe(volid === undefined ? 'migration aborted' : 'OK');
    const log = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`);
    expect(log.map((one: Loose) => one.t).join('\n')).toContain(says);
    if (volid !== undefined)
      expect((await root.ok('GET', `${guest(400, 'pve2')}/config`)).scsi0).toContain(volid);
  });

  test.each([
    ['8.4', { 'amd-sev': 'std' }, 'uses local devices: amd-sev'],
    ['8.4', { vga: 'std,clipboard=vnc' }, "VMs with 'clipboard' set to 'vnc' are not live migratable!"],
    [
      '9.2',
      { vga: 'std,clipboard=vnc', machine: 'pc-i440fx-10.0' },
      'with QEMU/machine versions older than 10.1!',
    ],
    ['9.2', { vga: 'std,clipboard=vnc' }, undefined],
  ] as const)('%s: a running machine with %o: %s', async (version, config, says) => {
    const { root } = await start({
      version,
      storages: [{ id: 'ceph', type: 'rbd' }],
      templates: [],
      guests: [{ vmid: 400, name: 'on', node: 'pve1', storage: 'ceph', running: true, config }],
    });
    if ('amd-sev' in config) {
      const why = 'Cannot live-migrate, snapshot (with RAM), or hibernate a VM with: amd-sev';
      const ram = await root.post(`${guest(400)}/snapshot`, { snapname: 'ram', vmstate: 1 });
      expect([ram.status, ram.reason]).toEqual([500, why]);
      expect(await root.task('POST', `${guest(400)}/status/suspend`, { todisk: 1 })).toBe(why);
      expect(await root.task('POST', `${guest(400)}/snapshot`, { snapname: 'disks' })).toBe('OK');
      await root.task('DELETE', `${guest(400)}/snapshot/disks`);
    }
    const upid = await root.ok('POST', `${guest(400)}/migrate`, { target: 'pve2', online: 1 });
    expect(await root.ended(upid)).toBe(says === undefined ? 'OK' : 'migration aborted');
    const log = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`);
    expect(log.map((one: Loose) => one.t).join('\n')).toContain(says ?? '');
  });

  test.each([
    ['7.4', { content: ['rootdir'] }, {}, "storage 'ceph' does not support content-type 'images'"],
    [
      '9.2',
      {},
      { ide2: 'files:iso/x.iso,media=cdrom' },
      "storage 'files' does not support content-type 'iso'",
    ],
  ] as const)('%s: what a storage is for is asked at each start: %o', async (version, ceph, config, says) => {
    const { root } = await start({
      version,
      storages: [
        { id: 'ceph', type: 'rbd', ...ceph },
        { id: 'files', type: 'dir', content: ['snippets'] },
      ],
      templates: [],
      guests: [{ vmid: 400, name: 'off', node: 'pve1', storage: 'ceph', running: false, config }],
    });
    expect(await root.task('POST', `${guest(400)}/status/start`)).toBe(says);
  });

  test('targetstorage: pairs for some disks, one storage for all others, never for shared ones', async () => {
    const local = (id: string, node: string, content: 'images' | 'rootdir' = 'images') =>
      ({ id, type: 'zfspool', nodes: [node], content: [content] }) as const;
    const { root } = await start({
      storages: [
        local('here', 'pve1'),
        local('more', 'pve1'),
        local('there', 'pve2'),
        local('rest', 'pve2'),
        local('roots', 'pve2', 'rootdir'),
        { id: 'ceph', type: 'rbd' },
      ],
      templates: [],
      guests: [400, 401].map((vmid) => ({
        ...{ vmid, name: `g${vmid}`, node: 'pve1', storage: 'here', running: false },
      })),
    });
    for (const vmid of [400, 401])
      await root.task('POST', `${guest(vmid)}/config`, { scsi1: 'more:1', scsi2: 'ceph:1' });
    await root.task('POST', `${guest(401)}/status/start`);
    const move = (vmid: number, targetstorage: string) =>
      root.post(`${guest(vmid)}/migrate`, {
        ...{ target: 'pve2', targetstorage, online: '1', 'with-local-disks': '1' },
      });
    for (const [map, says] of [
      ['here:there,here:rest', "duplicate mapping for source 'here'"],
      ['there,rest', 'default target ID can only be provided once'],
      ['1,here:there', 'identity mapping cannot be combined with other mappings'],
    ] as const)
      expect((await move(400, map)).body.errors?.['targetstorage']).toContain(says);
    expect((await move(400, '1')).reason).toContain("storage 'here' is not available on node 'pve2'");
    expect((await move(400, 'roots')).reason).toContain("'roots' does not support vm images");
    const short = (await move(400, 'here:there')).body.data;
    expect(await root.ended(short)).toBe('migration aborted');
    for (const vmid of [400, 401]) {
      expect(await root.ended((await move(vmid, 'here:there;rest')).body.data)).toBe('OK');
      const config = await root.ok('GET', `${guest(vmid, 'pve2')}/config`);
      expect([config.scsi0, config.scsi1, config.scsi2].map((drive: string) => drive.split(':')[0])).toEqual([
        'there',
        'rest',
        'ceph',
      ]);
    }
  });

  test('the precondition names nodes; 7.4 only for stopped machines', async () => {
    const { root } = await start(ceph);
    expect(await root.ok('GET', `${guest(401)}/migrate`)).toMatchObject({
      running: 1,
      allowed_nodes: ['pve2', 'pve3'],
    });
    const old = await start({ ...ceph, version: '7.4' });
    expect(await old.root.ok('GET', `${guest(401)}/migrate`)).not.toHaveProperty('allowed_nodes');
    expect(await old.root.ok('GET', `${guest(400)}/migrate`)).toHaveProperty('allowed_nodes');
  });

  test('root-only options are refused to tokens', async () => {
    const { root } = await start(ceph);
    expect(
      (await root.post(`${guest(400)}/migrate`, { target: 'pve2', migration_type: 'insecure' })).body.errors,
    ).toEqual({
      migration_type: 'Only root may use this option.',
    });
  });
});

describe.each(['7.4', '8.4', '9.2'] as const)('what is missing, locked or lost on %s', (version) => {
  test('start, stop and shutdown of a missing machine fail in their tasks, the others at once', async () => {
    const { root } = await start({ ...ceph, version });
    const missing = "unable to find configuration file for VM 999 on node 'pve1'";
    const state = (action: string): string => `${guest(999)}/status/${action}`;
    expect(await root.task('POST', state('start'))).toBe(
      "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist",
    );
    expect(await root.task('POST', state('stop'))).toBe(missing);
    expect(await root.task('POST', state('shutdown'))).toBe(missing);
    for (const action of ['reboot', 'reset', 'suspend', 'resume']) {
      expect(await root.post(state(action))).toMatchObject({ status: 500, reason: missing });
    }
  });

  test('a destroy without user.cfg leaves what only the ticket of root removes', async () => {
    const { root, sim } = await start({
      ...ceph,
      version,
      latency: { user_cfg_write_ms: 40_000, destroy_s: 1, storage_lock_s: 0.1 },
    });
    const blocker = root.post('/pools', { poolid: 'blocker' });
    expect(await root.task('DELETE', guest(400))).toBe(
      "access permissions cleanup for VM 400 failed: cfs-lock 'file-user_cfg' error: got lock request timeout",
    );
    await blocker;
    expect(await root.task('DELETE', guest(400))).toBe('VM is locked (destroyed)');
    expect((await root.del(guest(400), { skiplock: 1 })).body.errors).toEqual({
      skiplock: 'Only root may use this option.',
    });
    const ticket = await login(sim, 'root@pam', 'simulator');
    expect(await ticket.task('DELETE', guest(400), { skiplock: 1 })).toBe('OK');
    expect((await root.get(`${guest(400)}/config`)).status).toBe(500);
  });

  test('no worker: nothing has been started', async () => {
    const { root, sim } = await start({ ...ceph, version });
    sim.addFault({
      match: { method: 'POST', path: '/nodes/{node}/qemu/{vmid}/status/start' },
      once: true,
      action: 'no-worker',
    });
    expect(await root.post(`${guest(400)}/status/start`)).toMatchObject({
      status: 500,
      reason: 'got no worker upid - start worker failed',
    });
    expect(await root.ok('GET', '/nodes/pve1/tasks', { source: 'all' })).toEqual([]);
    expect(await root.task('POST', `${guest(400)}/status/start`)).toBe('OK');
  });

  test('without quorum everything can be read and nothing written', async () => {
    const { root, sim } = await start({ ...ceph, version });
    sim.addFault({ action: 'quorum-lost' });
    const refused = (reason: string | RegExp): unknown => ({
      status: 500,
      reason: expect.stringMatching(reason),
    });
    expect(await root.post('/pools', { poolid: 'a' })).toEqual(
      expect.objectContaining(refused("^create pool failed: cfs-lock 'file-user_cfg' error: no quorum!$")),
    );
    expect(await root.put(`${guest(400)}/config`, { cores: 1 })).toEqual(
      expect.objectContaining(
        refused(
          "^unable to open file '/etc/pve/nodes/pve1/qemu-server/400.conf.tmp.\\d+' - Permission denied$",
        ),
      ),
    );
    expect(await root.post(`${guest(100)}/clone`, { newid: 10001 })).toMatchObject({
      status: 500,
      reason: 'cluster not ready - no quorum?',
    });
    expect((await root.get(`${guest(400)}/config`)).status).toBe(200);
    sim.addFault({ action: 'quorum-back' });
    expect((await root.put(`${guest(400)}/config`, { cores: 1 })).status).toBe(200);
  });
});
