/** Taking disks out of machines, moving them between storages and machines, growing them. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { versions } from '../../src/lib/simulator/version.ts';
import { secret, start, userWithToken, type Caller, type Loose } from './harness.ts';

const guest = (vmid: number, node = 'pve1'): string => `/nodes/${node}/qemu/${vmid}`;
const config = (vmid: number): string => `${guest(vmid)}/config`;

const scenario: Partial<Scenario> = {
  templates: [{ vmid: 100, name: 'base', node: 'pve1', storage: 'ceph', disks_gib: [2] }],
  guests: [
    { vmid: 400, name: 'off', node: 'pve1', storage: 'ceph', running: false },
    { vmid: 401, name: 'on', node: 'pve1', storage: 'ceph' },
    { vmid: 402, name: 'other', node: 'pve1', storage: 'ceph', running: false },
    { vmid: 403, name: 'away', node: 'pve2', storage: 'ceph', running: false },
  ],
};

const volidsOf = ({ sim }: Awaited<ReturnType<typeof start>>, vmid: number): string[] =>
  sim
    .snapshot()
    .volumes.filter((volume) => volume.vmid === vmid)
    .map((volume) => volume.volid)
    .sort();

const lines = async (root: Caller, upid: string): Promise<string[]> =>
  (await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`)).map((line: Loose) => line.t);

describe('unlink', () => {
  test.each(versions)('%s: without force a disk stays as unused, unused ones go', async (version) => {
    const all = await start({ ...scenario, version });
    const { root } = all;
    await root.ok('PUT', config(400), { scsi1: 'ceph:1', virtio0: 'ceph:1' });
    expect(await root.ok('PUT', `${guest(400)}/unlink`, { idlist: 'scsi1' })).toBeNull();
    expect(await root.ok('GET', config(400))).toMatchObject({ unused0: 'ceph:vm-400-disk-1' });
    await root.ok('PUT', `${guest(400)}/unlink`, { idlist: 'virtio0', force: 1 });
    expect(volidsOf(all, 400)).toEqual(['ceph:vm-400-disk-0', 'ceph:vm-400-disk-1']);
    await root.ok('PUT', `${guest(400)}/unlink`, { idlist: 'unused0' });
    expect(volidsOf(all, 400)).toEqual(['ceph:vm-400-disk-0']);
  });

  test('a running machine gives SCSI disks back at once, IDE ones later, its boot disk never', async () => {
    const { root } = await start(scenario);
    await root.task('POST', `${guest(401)}/status/stop`);
    await root.ok('PUT', config(401), { scsi1: 'ceph:1', ide0: 'ceph:1' });
    await root.task('POST', `${guest(401)}/status/start`);
    await root.ok('PUT', `${guest(401)}/unlink`, { idlist: 'scsi1,ide0' });
    const now = await root.ok('GET', config(401), { current: 1 });
    expect(now).toMatchObject({ unused0: 'ceph:vm-401-disk-1', ide0: 'ceph:vm-401-disk-2,size=1G' });
    const reply = await root.put(`${guest(401)}/unlink`, { idlist: 'scsi0' });
    expect(reply.body.errors).toEqual({ scsi0: "hotplug problem - can't unplug bootdisk 'scsi0'" });
    await root.task('POST', `${guest(401)}/status/stop`);
    expect(await root.ok('GET', config(401))).toMatchObject({
      unused1: 'ceph:vm-401-disk-2',
      unused2: 'ceph:vm-401-disk-0',
    });
  });

  test('protected machines, snapshots and linked clones keep their volumes', async () => {
    const { root } = await start(scenario);
    await root.ok('PUT', config(400), { scsi1: 'ceph:1' });
    await root.task('POST', `${guest(400)}/snapshot`, { snapname: 'one' });
    expect((await root.put(`${guest(400)}/unlink`, { idlist: 'scsi1', force: 1 })).reason).toBe(
      "unable to delete 'ceph:vm-400-disk-1' - volume is still in use (snapshot?)",
    );
    expect(await root.ok('GET', config(400))).toHaveProperty('scsi1');
    await root.ok('PUT', config(400), { protection: 1 });
    expect((await root.put(`${guest(400)}/unlink`, { idlist: 'scsi1' })).reason).toBe(
      "can't remove drive 'scsi1' - protection mode enabled",
    );
    await root.task('POST', `${guest(100)}/clone`, { newid: 900 });
    expect((await root.put(`${guest(100)}/unlink`, { idlist: 'scsi0', force: 1 })).reason).toBe(
      "base volume 'base-100-disk-0' is still in use by linked cloned",
    );
  });

  test('protection keeps a disk that is pending, and says nothing of one that is not there', async () => {
    const { root } = await start(scenario);
    await root.ok('PUT', config(401), { scsi1: 'ceph:1', protection: 1 });
    expect((await root.put(`${guest(401)}/unlink`, { idlist: 'scsi1' })).reason).toBe(
      "can't remove drive 'scsi1' - protection mode enabled",
    );
    expect((await root.put(`${guest(401)}/unlink`, { idlist: 'scsi2' })).status).toBe(200);
  });
});

describe('move_disk to another storage', () => {
  test.each(versions)('%s: the source stays as unused, or goes', async (version) => {
    const all = await start({ ...scenario, version });
    const { root } = all;
    const upid = await root.ok('POST', `${guest(400)}/move_disk`, { disk: 'scsi0', storage: 'local-lvm' });
    expect(upid).toContain(':qmmove:400:');
    expect(await root.ended(upid)).toBe('OK');
    expect(await root.ok('GET', config(400))).toMatchObject({
      scsi0: 'local-lvm:vm-400-disk-0,size=8G',
      unused0: 'ceph:vm-400-disk-0',
    });
    expect(await lines(root, upid)).toContain(
      "adding source volume 'ceph:vm-400-disk-0' as 'unused0' to config",
    );
    expect(
      await root.task('POST', `${guest(401)}/move_disk`, { disk: 'scsi0', storage: 'local-lvm', delete: 1 }),
    ).toBe('OK');
    expect(volidsOf(all, 401)).toEqual(['local-lvm:vm-401-disk-0']);
    expect(await root.ok('GET', config(401))).not.toHaveProperty('unused0');
  });

  test('a linked clone becomes a full copy, beside which the base is free again', async () => {
    const all = await start(scenario);
    const { root } = all;
    await root.task('POST', `${guest(100)}/clone`, { newid: 900 });
    await root.task('POST', `${guest(900)}/move_disk`, { disk: 'scsi0', storage: 'local-lvm', delete: 1 });
    expect(volidsOf(all, 900)).toEqual(['local-lvm:vm-900-disk-0']);
    expect(await root.task('DELETE', guest(100))).toBe('OK');
  });

  test("a template's disk is a base image on its new storage; a base in use stays behind", async () => {
    const all = await start(scenario);
    const { root } = all;
    await root.task('POST', `${guest(100)}/clone`, { newid: 900 });
    const move = { disk: 'scsi0', storage: 'local-lvm', delete: 1 };
    const upid = await root.ok('POST', `${guest(100)}/move_disk`, move);
    expect(await root.ended(upid)).toBe('OK');
    expect((await root.ok('GET', config(100))).scsi0).toBe('local-lvm:base-100-disk-0,size=2G');
    expect(volidsOf(all, 100)).toEqual(['ceph:base-100-disk-0', 'local-lvm:base-100-disk-0']);
    expect(await lines(root, upid)).toContain(
      "base volume 'base-100-disk-0' is still in use by linked cloned",
    );
  });

  test.each([
    [{ disk: 'scsi5', storage: 'local-lvm' }, "disk 'scsi5' does not exist"],
    [{ disk: 'ide2', storage: 'local-lvm' }, "you can't move a cdrom"],
    [{ disk: 'scsi0', storage: 'ceph' }, "you can't move to the same storage with same format"],
    [{ disk: 'scsi0', storage: 'nowhere' }, "storage 'nowhere' does not exist"],
    [
      { disk: 'scsi0', storage: 'local-lvm', digest: 'a'.repeat(40) },
      'detected modified configuration - file changed by other user? Try again.',
    ],
  ])('%j is refused at once', async (form, reason) => {
    const { root } = await start(scenario);
    await root.ok('PUT', config(400), { ide2: 'none,media=cdrom' });
    expect(await root.post(`${guest(400)}/move_disk`, form)).toMatchObject({ status: 500, reason });
  });

  test('wrong storages and missing targets are parameter errors; snapshots keep the source', async () => {
    const { root } = await start(scenario);
    const move = (form: Record<string, string | number>): Promise<Loose> =>
      root.post(`${guest(400)}/move_disk`, { disk: 'scsi0', ...form });
    expect((await move({ storage: 'local' })).body.errors).toEqual({
      storage: "storage 'local' does not support vm images",
    });
    const neither = "both 'storage' and 'target-vmid' missing, either needs to be set";
    expect((await move({})).body.errors).toEqual({ storage: neither, 'target-vmid': neither });
    const both = "either set 'storage' or 'target-vmid', but not both";
    expect((await move({ storage: 'local-lvm', 'target-vmid': 402 })).body.errors).toEqual({
      storage: both,
      'target-vmid': both,
    });
    await root.task('POST', `${guest(400)}/snapshot`, { snapname: 'one' });
    expect((await move({ storage: 'local-lvm', delete: 1 })).reason).toBe(
      "you can't move a disk with snapshots and delete the source",
    );
    expect(await root.ended((await move({ storage: 'local-lvm' })).data)).toBe('OK');
  });

  test('a copy that is stopped leaves nothing behind', async () => {
    const all = await start(scenario);
    const { root, time } = all;
    const upid = await root.ok('POST', `${guest(400)}/move_disk`, { disk: 'scsi0', storage: 'local-lvm' });
    await time.sleep(5_000);
    expect(volidsOf(all, 400)).toEqual(['ceph:vm-400-disk-0', 'local-lvm:vm-400-disk-0']);
    await root.ok('DELETE', `/nodes/pve1/tasks/${encodeURIComponent(upid)}`);
    expect(await root.ended(upid)).toBe('storage migration failed: interrupted by signal');
    expect(volidsOf(all, 400)).toEqual(['ceph:vm-400-disk-0']);
  });

  test('a copy whose machine cannot be written leaves nothing behind', async () => {
    const all = await start(scenario);
    const upid = await all.root.ok('POST', `${guest(400)}/move_disk`, {
      disk: 'scsi0',
      storage: 'local-lvm',
    });
    all.sim.addFault({ action: 'quorum-lost' });
    expect(await all.root.ended(upid)).toMatch(/^storage migration failed: unable to open file .*denied$/);
    expect(volidsOf(all, 400)).toEqual(['ceph:vm-400-disk-0']);
  });

  test('the target storage needs a right of its own', async () => {
    const { as } = await start({
      ...scenario,
      users: [userWithToken('a@pve')],
      roles: { Disks: ['VM.Config.Disk'] },
      acl: [{ path: '/vms/400', user: 'a@pve', role: 'Disks' }],
    });
    const reply = await as(`a@pve!t=${secret}`).post(`${guest(400)}/move_disk`, {
      disk: 'scsi0',
      storage: 'local-lvm',
    });
    expect(reply).toMatchObject({
      status: 403,
      reason: 'Permission check failed (/storage/local-lvm, Datastore.AllocateSpace)',
    });
  });
});

describe('move_disk to another machine', () => {
  test.each(versions)('%s: the volume gets a name of its new owner', async (version) => {
    const all = await start({ ...scenario, version });
    const { root } = all;
    const form = { disk: 'scsi0', 'target-vmid': 402, 'target-disk': 'scsi3' };
    const upid = await root.ok('POST', `${guest(400)}/move_disk`, form);
    expect(upid).toContain(':qmmove:400-scsi0>402-scsi3:');
    expect(await root.ended(upid)).toBe('OK');
    const source = await root.ok('GET', config(400));
    expect(source).not.toHaveProperty('scsi0');
    expect(source).not.toHaveProperty('boot');
    expect((await root.ok('GET', config(402))).scsi3).toBe('ceph:vm-402-disk-1,size=8G');
    expect([...volidsOf(all, 400), ...volidsOf(all, 402)]).toEqual([
      'ceph:vm-402-disk-0',
      'ceph:vm-402-disk-1',
    ]);
  });

  test.each<[number, Record<string, string | number>, string]>([
    [400, { disk: 'scsi0', 'target-vmid': 402 }, "Target disk key 'scsi0' is already in use for VM '402'"],
    [400, { disk: 'scsi0', 'target-vmid': 999 }, 'could not find target VM 999'],
    [400, { disk: 'scsi0', 'target-vmid': 403 }, 'Both VMs need to be on the same node (pve1 != pve2)'],
    [400, { disk: 'scsi9', 'target-vmid': 402 }, "Disk 'scsi9' for VM '400' does not exist"],
    [400, { disk: 'scsi0', 'target-vmid': 100 }, "Can't move disks from or to template VMs"],
    [
      401,
      { disk: 'scsi0', 'target-vmid': 402, 'target-disk': 'scsi3' },
      'Cannot move disk to another VM while the source VM is running - detach first',
    ],
  ])('from %i %j is refused', async (vmid, form, reason) => {
    const { root } = await start(scenario);
    expect(await root.post(`${guest(vmid)}/move_disk`, form)).toMatchObject({ status: 500, reason });
  });
});

test('a machine that grows: null on 7.4, a task since 8.0; optical drives do not', async () => {
  for (const version of versions) {
    const { root } = await start({ ...scenario, version });
    const reply = await root.ok('PUT', `${guest(400)}/resize`, { disk: 'scsi0', size: '+1G' });
    if (version === '7.4') expect(reply).toBeNull();
    else expect(await root.ended(reply)).toBe('OK');
    expect((await root.ok('GET', config(400))).scsi0).toBe('ceph:vm-400-disk-0,size=9G');
  }
});
