/** Machines whose memory is on disk: hibernated ones, and snapshots with RAM. */
import { describe, expect, test } from 'vitest';
import { versions } from '../../src/lib/simulator/version.ts';
import { secret, start, userWithToken, type Loose, type Virtual } from './harness.ts';

const vm = '/nodes/pve1/qemu/300';
const gib = 1024 ** 3;

const status = ({ root }: Virtual): Promise<Loose> => root.ok('GET', `${vm}/status/current`);
const config = ({ root }: Virtual): Promise<Loose> => root.ok('GET', `${vm}/config`);
const states = ({ sim }: Virtual): string[] =>
  sim
    .snapshot()
    .volumes.map((one) => one.volid)
    .filter((volid) => volid.includes('-state-'));

async function hibernated(change: Parameters<typeof start>[0] = {}): Promise<Virtual> {
  const started = await start({ clock: { start: '2026-09-01T08:00:00Z' }, ...change });
  expect(await started.root.task('POST', `${vm}/status/suspend`, { todisk: 1 })).toBe('OK');
  return started;
}

describe('hibernation', () => {
  test.each(versions)('%s: stopped, locked, memory in a volume; a start brings it back', async (version) => {
    const started = await hibernated({ version });
    const { root, sim } = started;
    expect(await status(started)).toMatchObject({
      status: 'stopped',
      qmpstatus: 'stopped',
      lock: 'suspended',
    });
    const volid = 'ceph:vm-300-state-suspend-2026-09-01';
    expect(await config(started)).toMatchObject({ lock: 'suspended', vmstate: volid });
    // Twice the memory and 500 MiB.
    expect(sim.snapshot().volumes.find((one) => one.volid === volid)?.size).toBe(16 * gib + 500 * 1024 ** 2);
    expect(await root.task('POST', `${vm}/status/start`)).toBe('OK');
    expect(await status(started)).toMatchObject({ status: 'running' });
    expect(await config(started)).not.toHaveProperty('lock');
    expect(await config(started)).not.toHaveProperty('vmstate');
    expect(states(started)).toEqual([]);
  });

  test('resume starts it, too', async () => {
    const started = await hibernated();
    expect(await started.root.task('POST', `${vm}/status/resume`)).toBe('OK');
    expect((await status(started)).status).toBe('running');
    expect(states(started)).toEqual([]);
  });

  test('what is refused, and what is not', async () => {
    const started = await hibernated();
    const { root } = started;
    const put = await root.put(`${vm}/config`, { cores: 8 });
    expect([put.status, put.reason]).toEqual([500, 'VM is locked (suspended)']);
    for (const action of ['suspend', 'reboot', 'reset']) {
      expect((await root.post(`${vm}/status/${action}`)).reason).toBe('VM 300 not running');
    }
    expect(await root.task('POST', `${vm}/snapshot`, { snapname: 'one' })).toBe('VM is locked (suspended)');
    expect((await root.post(`${vm}/clone`, { newid: 400 })).reason).toBe('VM is locked (suspended)');
    expect(await root.task('POST', `${vm}/status/stop`)).toBe('OK');
    expect(await root.task('POST', `${vm}/status/shutdown`)).toBe('OK');
    expect((await status(started)).lock).toBe('suspended');
  });

  test('destroying takes the memory along', async () => {
    const started = await hibernated();
    expect(await started.root.task('DELETE', vm)).toBe('OK');
    expect(started.sim.snapshot().volumes.filter((one) => one.vmid === 300)).toEqual([]);
  });

  test('giving the memory up unlocks the machine', async () => {
    const started = await hibernated();
    await started.root.ok('PUT', `${vm}/config`, { delete: 'vmstate' });
    expect(await config(started)).not.toHaveProperty('lock');
    expect(states(started)).toEqual([]);
  });

  test('the lock stands while the memory is written; an interrupted task leaves it', async () => {
    const started = await start();
    const { root, time } = started;
    const upid: string = await root.ok('POST', `${vm}/status/suspend`, { todisk: 1 });
    await time.sleep(2000);
    expect(await status(started)).toMatchObject({ status: 'running', lock: 'suspending' });
    await root.ok('DELETE', `/nodes/pve1/tasks/${encodeURIComponent(upid)}`);
    expect(await root.ended(upid)).toContain('interrupted');
    expect(await status(started)).toMatchObject({ status: 'running', lock: 'suspending' });
    expect(states(started)).toEqual([]);
  });

  test('not for machines that HA manages', async () => {
    const { root } = await start({ guests: [{ vmid: 300, name: 'a', node: 'pve1', ha: true }] });
    const reply = await root.post(`${vm}/status/suspend`, { todisk: 1 });
    expect([reply.status, reply.reason]).toEqual([500, 'Cannot suspend HA managed VM to disk']);
  });

  test('takes VM.Config.Disk and space on the storage', async () => {
    const roles = { Power: ['VM.PowerMgmt'], Disk: ['VM.PowerMgmt', 'VM.Config.Disk'] };
    const { as } = await start({
      roles,
      users: [userWithToken('a@pve'), userWithToken('b@pve')],
      acl: [
        { path: '/vms', role: 'Power', user: 'a@pve' },
        { path: '/vms', role: 'Disk', user: 'b@pve' },
      ],
    });
    const refused = async (user: string): Promise<string> =>
      (await as(`${user}!t=${secret}`).post(`${vm}/status/suspend`, { todisk: 1 })).reason;
    expect(await refused('a@pve')).toBe('Permission check failed (/vms/300, VM.Config.Disk)');
    expect(await refused('b@pve')).toBe('Permission check failed (/storage/ceph, Datastore.AllocateSpace)');
  });
});

describe('snapshots', () => {
  test('with RAM: a volume, and running again after a rollback', async () => {
    const started = await start();
    const { root } = started;
    await root.task('POST', `${vm}/snapshot`, { snapname: 'one', vmstate: 1 });
    expect(states(started)).toEqual(['ceph:vm-300-state-one']);
    expect((await root.ok('GET', `${vm}/snapshot`))[0]).toMatchObject({ name: 'one', vmstate: 1 });
    await root.task('POST', `${vm}/status/stop`);
    expect(await root.task('POST', `${vm}/snapshot/one/rollback`)).toBe('OK');
    expect((await status(started)).status).toBe('running');
    expect(await config(started)).not.toHaveProperty('vmstate');
    await root.task('DELETE', `${vm}/snapshot/one`);
    expect(states(started)).toEqual([]);
  });

  test('of a stopped machine there is no RAM to keep', async () => {
    const started = await start();
    const path = '/nodes/pve3/qemu/303/snapshot';
    await started.root.task('POST', path, { snapname: 'one', vmstate: 1 });
    expect((await started.root.ok('GET', path))[0].vmstate).toBe(0);
    expect(states(started)).toEqual([]);
  });

  test('have a description of their own; a rollback leaves the notes alone', async () => {
    const started = await start();
    const { root } = started;
    await root.ok('PUT', `${vm}/config`, { description: 'notes' });
    await root.task('POST', `${vm}/snapshot`, { snapname: 'one', description: 'first' });
    await root.ok('PUT', `${vm}/config`, { description: 'later notes', tags: 'x' });
    const path = `${vm}/snapshot/one/config`;
    expect(await root.ok('GET', path)).toMatchObject({ name: 'moodle', description: 'first' });
    expect(await root.ok('GET', `${vm}/config`, { snapshot: 'one' })).toMatchObject({ description: 'first' });
    await root.ok('PUT', path, { description: 'second' });
    const [row, current] = await root.ok('GET', `${vm}/snapshot`);
    expect(row).toMatchObject({ name: 'one', description: 'second' });
    expect(current).toMatchObject({ name: 'current', parent: 'one', running: 1 });
    expect(current.digest).toBe((await config(started)).digest);
    expect((await root.put(`${vm}/snapshot/two/config`, { description: 'x' })).reason).toBe(
      "snapshot 'two' does not exist",
    );
    await root.task('POST', `${vm}/snapshot/one/rollback`);
    expect(await config(started)).toMatchObject({ description: 'later notes', tags: 'infra' });
  });

  test('ZFS goes back to the newest only', async () => {
    const { root } = await start({
      storages: [{ id: 'tank', type: 'zfspool' }],
      templates: [],
      guests: [{ vmid: 300, name: 'a', node: 'pve1', snapshots: ['one', 'two'] }],
    });
    expect(await root.task('POST', `${vm}/snapshot/one/rollback`)).toBe(
      "can't rollback, 'one' is not most recent snapshot on 'tank:vm-300-disk-0'",
    );
    expect(await root.task('POST', `${vm}/snapshot/two/rollback`)).toBe('OK');
  });
});
