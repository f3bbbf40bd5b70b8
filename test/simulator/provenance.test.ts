/** Who made a machine: what the tasks and the disks tell, which students cannot write. */
import { describe, expect, test } from 'vitest';
import { secret, start, userWithToken, type Loose } from './harness.ts';

const versions = ['7.4', '8.4', '9.2'] as const;
const seal = 'deploy-stand lab=x seal=0011';

describe.each(versions)('%s', (version) => {
  test('a given description is there from the first read on, before a pool is', async () => {
    const { root, time } = await start({
      version,
      latency: { linked_clone_s: 20, full_clone_s_per_gib: 20 },
    });
    for (const [newid, full] of [
      [10001, 0],
      [10002, 1],
    ] as const) {
      const upid = await root.ok('POST', '/nodes/pve1/qemu/100/clone', { newid, full, description: seal });
      await time.sleep(100);
      const early = await root.ok('GET', `/nodes/pve1/qemu/${newid}/config`);
      expect(early).toMatchObject({ lock: 'clone', description: seal });
      const rows = await root.ok('GET', '/cluster/resources', { type: 'vm' });
      const row = rows.find((one: Loose) => one.vmid === newid);
      expect(row).toMatchObject({ lock: 'clone' });
      expect(row).not.toHaveProperty('pool');
      expect(await root.ended(upid)).toBe('OK');
      expect((await root.ok('GET', `/nodes/pve1/qemu/${newid}/config`)).description).toBe(seal);
    }
  });

  test('an empty description is none: that of the template is inherited', async () => {
    const { root } = await start({ version });
    await root.ok('PUT', '/nodes/pve1/qemu/100/config', { description: 'golden' });
    expect(await root.task('POST', '/nodes/pve1/qemu/100/clone', { newid: 10001, description: '' })).toBe(
      'OK',
    );
    expect((await root.ok('GET', '/nodes/pve1/qemu/10001/config')).description).toBe('golden');
  });

  test('a clone is a task of its source; its log names the new disks', async () => {
    const { root } = await start({ version });
    const upid = await root.ok('POST', '/nodes/pve1/qemu/100/clone', { newid: 10001 });
    expect(await root.ended(upid)).toBe('OK');
    const tasks = (vmid: number): Promise<Loose> =>
      root.ok('GET', '/nodes/pve1/tasks', { source: 'all', vmid });
    expect(await tasks(10001)).toEqual([]);
    expect(await tasks(100)).toMatchObject([{ upid, type: 'qmclone', user: 'root@pam', id: '100' }]);
    const log = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`);
    expect(log.map((line: Loose) => line.t).join('\n')).toContain('vm-10001-disk-0');
    expect((await root.ok('GET', '/nodes/pve1/qemu/10001/config')).scsi0).toContain('base-100-disk-0');
  });

  test('a machine made anew is a task of its own number, by its maker', async () => {
    const { root, as } = await start({
      version,
      users: [userWithToken('anna@pve')],
      pools: [{ pool: 'anna' }],
      acl: [{ path: '/pool/anna', role: 'PVEVMAdmin', user: 'anna@pve' }],
    });
    const anna = as(`anna@pve!t=${secret}`);
    const upid = await anna.ok('POST', '/nodes/pve2/qemu', { vmid: 10001, pool: 'anna', description: seal });
    expect(await anna.ended(upid)).toBe('OK');
    expect(await root.ok('GET', '/nodes/pve2/tasks', { source: 'all', vmid: 10001 })).toMatchObject([
      { type: 'qmcreate', id: '10001', user: 'anna@pve', tokenid: 't' },
    ]);
  });

  test('two clones to one number: the second finds the first one done', async () => {
    const { root, time } = await start({
      version,
      latency: { linked_clone_s: 0.4, storage_lock_s: 0.1, config_write_ms: 300 },
    });
    // A writer keeps both from beginning, so that neither sees the other in its early checks.
    const writer = root.put('/nodes/pve1/qemu/100/config', { description: 'golden' });
    await time.sleep(50);
    const form = { newid: 10001 };
    const upids = [0, 1].map(() => root.ok('POST', '/nodes/pve1/qemu/100/clone', form));
    const ends = await Promise.all(upids.map(async (upid) => root.ended(await upid)));
    expect(ends.sort()).toEqual(['OK', 'unable to create VM 10001: config file already exists']);
    expect((await writer).status).toBe(200);
  });
});
