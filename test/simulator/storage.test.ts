/** Storages that refuse, files that only one node has, and the numbers that disks get. */
import { describe, expect, test } from 'vitest';
import { versions } from '../../src/lib/simulator/version.ts';
import { login, start, type Loose, type Reply } from './harness.ts';

const ceph = { id: 'ceph', type: 'rbd' } as const;
const textOf = (reply: Reply): string => reply.body.message?.trimEnd() ?? reply.reason;

describe.each(versions)('%s: a storage that is', (version) => {
  const world = (more: object) => ({
    version,
    storages: [ceph, { id: 'vault', type: 'nfs' as const, ...more }],
    templates: [{ vmid: 100, name: 'base', node: 'pve1', storage: 'vault' }],
    guests: [
      { vmid: 300, name: 'on-vault', node: 'pve1', storage: 'vault', running: false },
      { vmid: 301, name: 'on-ceph', node: 'pve1', storage: 'ceph', running: false },
    ],
  });

  test.each([
    ['offline', { offline: true }, "storage 'vault' is not online"],
    ['disabled', { disabled: true }, "storage 'vault' is disabled"],
  ])('%s refuses starts, clones, new disks and listings', async (_word, more, text) => {
    const { root } = await start(world(more));
    expect(await root.task('POST', '/nodes/pve1/qemu/300/status/start')).toBe(text);
    expect(await root.task('POST', '/nodes/pve1/qemu/301/status/start')).toBe('OK');
    expect(await root.task('POST', '/nodes/pve1/qemu/100/clone', { newid: 400 })).toBe(
      `clone failed: ${text}`,
    );
    expect((await root.get('/nodes/pve1/qemu/400/config')).status).toBe(500);
    const attach = await root.put('/nodes/pve1/qemu/301/config', { scsi5: 'vault:1' });
    expect([attach.status, textOf(attach)]).toEqual([500, expect.stringContaining(text)]);
    expect(textOf(await root.get('/nodes/pve1/storage/vault/content'))).toBe(text);
    const rows: Loose[] = await root.ok('GET', '/nodes/pve1/storage');
    expect(rows.find((one) => one.storage === 'vault')).toMatchObject({
      active: 0,
      total: 0,
      used: 0,
      avail: 0,
    });
  });

  test('disabled has no row among the resources, one that is offline an unknown one', async () => {
    const rows = async (more: object): Promise<Loose[]> => {
      const { root } = await start(world(more));
      const all: Loose[] = await root.ok('GET', '/cluster/resources', { type: 'storage' });
      return all.filter((one) => one.storage === 'vault').map((one) => one.status);
    };
    expect(await rows({ disabled: true })).toEqual([]);
    expect(await rows({ offline: ['pve2'] })).toEqual(['available', 'unknown', 'available']);
  });

  test('offline keeps the disks of machines that are destroyed, with a warning', async () => {
    const { root, sim } = await start(world({ offline: true }));
    expect(await root.task('DELETE', '/nodes/pve1/qemu/300')).toBe('WARNINGS: 1');
    expect(sim.snapshot().volumes.some((one) => one.vmid === 300)).toBe(true);
  });

  test('offline on the target alone lets a machine move and not start there', async () => {
    const { root } = await start(world({ offline: ['pve2'] }));
    expect(await root.task('POST', '/nodes/pve1/qemu/300/migrate', { target: 'pve2' })).toBe('OK');
    expect(await root.task('POST', '/nodes/pve2/qemu/300/status/start')).toBe(
      "storage 'vault' is not online",
    );
  });
});

test.each([
  [
    'dir',
    "unable to activate storage 's1' - directory is expected to be a mount point but is not mounted: '/mnt/s1'",
  ],
  ['zfspool', "could not activate storage 's1', zfs error: cannot import 's1': no such pool available"],
  ['lvmthin', "no such volume group 's1'"],
  ['rbd', "rbd error: rbd: couldn't connect to the cluster!"],
  ['cifs', "storage 's1' is not online"],
] as const)('each type has words of its own: %s', async (type, text) => {
  const { root } = await start({
    storages: [{ id: 's1', type, offline: true }],
    templates: [],
    guests: [{ vmid: 300, name: 'a', node: 'pve1', running: false }],
  });
  expect(await root.task('POST', '/nodes/pve1/qemu/300/status/start')).toBe(text);
});

describe.each(versions)('%s: snippets that one node has', (version) => {
  const world = {
    version,
    storages: [ceph, { id: 'local', type: 'dir' as const, content: ['snippets', 'iso'] }],
    snippets: [{ volid: 'local:snippets/one.yml', nodes: ['pve1'] }],
    templates: [],
  };
  const guest = (config: Record<string, string>) => ({
    guests: [{ vmid: 300, name: 'a', node: 'pve1', storage: 'ceph', running: false, config }],
  });

  test('are listed there', async () => {
    const { root } = await start({ ...world, guests: [] });
    const list = async (node: string): Promise<string[]> =>
      (await root.ok('GET', `/nodes/${node}/storage/local/content`)).map((one: Loose) => one.volid);
    expect(await list('pve1')).toEqual(['local:snippets/one.yml']);
    expect(await list('pve2')).toEqual([]);
  });

  test('a hook lets its machine start there and nowhere else', async () => {
    const { root } = await start({ ...world, ...guest({ hookscript: 'local:snippets/one.yml' }) });
    expect(await root.task('POST', '/nodes/pve1/qemu/300/status/start')).toBe('OK');
    expect(await root.task('POST', '/nodes/pve1/qemu/300/migrate', { target: 'pve2', online: 1 })).toBe(
      'migration problems',
    );
    await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
    expect(await root.task('POST', '/nodes/pve1/qemu/300/migrate', { target: 'pve2' })).toBe('OK');
    expect(await root.task('POST', '/nodes/pve2/qemu/300/status/start')).toBe(
      "hookscript error for 300 on pre-start: 400 Parameter verification failed. hookscript: script 'local:snippets/one.yml' does not exist",
    );
  });

  test('cloud-init files are read at each start, when there is a drive for them', async () => {
    const cicustom = { cicustom: 'user=local:snippets/one.yml' };
    const { root } = await start({
      ...world,
      ...guest({ ...cicustom, ide2: 'ceph:vm-300-cloudinit,media=cdrom' }),
    });
    await root.task('POST', '/nodes/pve1/qemu/300/migrate', { target: 'pve2' });
    expect(await root.task('POST', '/nodes/pve2/qemu/300/status/start')).toBe(
      "volume 'local:snippets/one.yml' does not exist",
    );
    const plain = await start({ ...world, ...guest(cicustom) });
    await plain.root.task('POST', '/nodes/pve1/qemu/300/migrate', { target: 'pve2' });
    expect(await plain.root.task('POST', '/nodes/pve2/qemu/300/status/start')).toBe('OK');
  });

  test('a hook is looked for when it is set', async () => {
    const { sim } = await start({ ...world, ...guest({}) });
    const root = await login(sim, 'root@pam', 'simulator');
    const set = (volid: string): Promise<Reply> =>
      root.put('/nodes/pve1/qemu/300/config', { hookscript: volid });
    expect((await set('local:snippets/two.yml')).body.errors).toEqual({
      hookscript: "script 'local:snippets/two.yml' does not exist",
    });
    expect((await set('local:iso/one.iso')).body.errors).toEqual({
      hookscript: "'local:iso/one.iso' is not in the snippets directory",
    });
    expect((await set('local:snippets/one.yml')).status).toBe(200);
  });
});

describe('disk numbers', () => {
  const base = (type: 'dir' | 'lvmthin' | 'zfspool' | 'rbd') => ({
    storages: [{ id: 's1', type }],
    guests: [],
    templates: [{ vmid: 100, name: 'base', node: 'pve1', storage: 's1', disks_gib: [1, 1] }],
  });

  test.each([
    ['dir', 's1:100/base-100-disk-0.qcow2/200/vm-200-disk-0.qcow2', 's1:200/vm-200-disk-2.qcow2'],
    ['zfspool', 's1:base-100-disk-0/vm-200-disk-0', 's1:vm-200-disk-2'],
    ['rbd', 's1:base-100-disk-0/vm-200-disk-0', 's1:vm-200-disk-2'],
    ['lvmthin', 's1:vm-200-disk-0', 's1:vm-200-disk-2'],
  ] as const)('%s: a new disk comes after the linked ones', async (type, linked, fresh) => {
    const { root } = await start(base(type));
    await root.task('POST', '/nodes/pve1/qemu/100/clone', { newid: 200 });
    const clone = await root.ok('GET', '/nodes/pve1/qemu/200/config');
    expect(clone.scsi0).toBe(`${linked},size=1G`);
    await root.ok('PUT', '/nodes/pve1/qemu/200/config', { scsi5: 's1:1' });
    expect((await root.ok('GET', '/nodes/pve1/qemu/200/config')).scsi5).toBe(`${fresh},size=1G`);
  });

  test('the lowest free one is taken, and with extensions each has numbers of its own', async () => {
    const { root } = await start(base('dir'));
    await root.task('POST', '/nodes/pve1/qemu/100/clone', { newid: 200 });
    const config = '/nodes/pve1/qemu/200/config';
    await root.ok('PUT', config, { scsi5: 's1:1,format=raw' });
    expect((await root.ok('GET', config)).scsi5).toMatch(/^s1:200\/vm-200-disk-0\.raw,/);
    await root.ok('PUT', config, { delete: 'scsi0' });
    await root.ok('PUT', config, { delete: 'unused0', force: 1 });
    await root.ok('PUT', config, { scsi6: 's1:1' });
    expect((await root.ok('GET', config)).scsi6).toMatch(/^s1:200\/vm-200-disk-0\.qcow2,/);
  });
});
