/** Guest configuration: reading, writing, digests, NICs, drives, running machines, rights. */
import { describe, expect, test } from 'vitest';
import { login, secret, start, userWithToken, type Loose } from './harness.ts';

const path = '/nodes/pve1/qemu/100/config';

test('values come back normalised; omitting the MAC draws a new one and drops what was not sent', async () => {
  const { root } = await start();
  await root.ok('PUT', path, { tags: 'Zed;alpha, ALPHA', net0: 'virtio,tag=5,bridge=vmbr0,firewall=on' });
  const first = await root.ok('GET', path);
  expect(first.tags).toBe('alpha;zed');
  expect(first.net0).toMatch(/^virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0,firewall=1,tag=5$/);
  await root.ok('PUT', path, { net0: 'virtio,bridge=vmbr0' });
  const second = await root.ok('GET', path);
  expect(second.net0).not.toContain('tag');
  expect(second.net0.slice(0, 24)).not.toBe(first.net0.slice(0, 24));
  await root.ok('PUT', path, { net0: 'e1000=02:00:00:00:00:01,bridge=vmbr0' });
  expect((await root.ok('GET', path)).net0).toBe('e1000=02:00:00:00:00:01,bridge=vmbr0');
});

test('a bridge need not exist when it is configured', async () => {
  const { root } = await start();
  expect((await root.put(path, { net1: 'virtio,bridge=vmbr4000' })).status).toBe(200);
});

test('digest, delete, and contradictions', async () => {
  const { root } = await start();
  const { digest } = await root.ok('GET', path);
  await root.ok('PUT', path, { cores: 3, digest });
  expect((await root.put(path, { cores: 4, digest })).reason).toBe(
    'checksum mismatch (file change by other user?)',
  );
  await root.ok('PUT', path, { delete: 'net0,boot' });
  expect(await root.ok('GET', path)).not.toHaveProperty('net0');
  expect((await root.put(path, { delete: 'nonsense' })).body.errors).toEqual({
    delete: "unknown option 'nonsense'",
  });
  expect((await root.put(path, { delete: 'cores', cores: 2 })).body.errors).toEqual({
    delete: "you can't use '-cores' and -delete cores' at the same time",
  });
  expect((await root.put(path)).reason).toBe('no options specified');
});

test('missing machines and machines on other nodes read alike', async () => {
  const { root } = await start();
  for (const node of ['pve2', 'pve3']) {
    expect((await root.get(`/nodes/${node}/qemu/100/config`)).reason).toBe(
      `Configuration file 'nodes/${node}/qemu-server/100.conf' does not exist`,
    );
  }
});

test('POST is a task, or nothing when it ends within the delay', async () => {
  const { root } = await start();
  expect(await root.task('POST', path, { cores: 3 })).toBe('OK');
  expect((await root.ok('GET', path)).cores).toBe('3');
  expect(await root.ok('POST', path, { cores: 2, background_delay: 5 })).toBeNull();
});

test('drives: new volumes, cloud-init, ISO, detaching and deleting', async () => {
  const { root, sim } = await start();
  const config = '/nodes/pve3/qemu/303/config';
  await root.ok('PUT', config, { scsi1: 'local-lvm:5', ide2: 'local-lvm:cloudinit' });
  const made = await root.ok('GET', config);
  expect(made.scsi1).toBe('local-lvm:vm-303-disk-1,size=5G');
  expect(made.ide2).toBe('local-lvm:vm-303-cloudinit,media=cdrom');
  await root.ok('PUT', config, { delete: 'scsi1' });
  expect((await root.ok('GET', config)).unused0).toBe('local-lvm:vm-303-disk-1');
  await root.ok('PUT', config, { delete: 'unused0' });
  expect(sim.snapshot().volumes.some((volume) => volume.volid === 'local-lvm:vm-303-disk-1')).toBe(false);
  expect((await root.put(config, { scsi2: 'local-lvm:vm-999-disk-0' })).reason).toBe(
    "volume 'local-lvm:vm-999-disk-0' does not exist",
  );
  expect((await root.put(config, { scsi2: 'local:5' })).body.errors).toEqual({
    storage: "storage 'local' does not support vm images",
  });
});

test('a running machine keeps what cannot be plugged as pending', async () => {
  const { root } = await start();
  const config = '/nodes/pve1/qemu/300/config';
  await root.ok('PUT', config, { memory: '4096', description: 'now' });
  expect((await root.ok('GET', config)).memory).toBe('4096');
  expect((await root.ok('GET', config, { current: 1 })).memory).toBe('8192');
  expect(await root.ok('GET', config, { current: 1 })).toMatchObject({ description: 'now' });
  const pending = await root.ok('GET', '/nodes/pve1/qemu/300/pending');
  expect(pending.find((one: Loose) => one.key === 'memory')).toEqual({
    key: 'memory',
    value: '8192',
    pending: '4096',
  });
  await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
  expect((await root.ok('GET', config, { current: 1 })).memory).toBe('4096');
});

test('plugging a NIC into a missing bridge fails and stays pending', async () => {
  const { root } = await start();
  const config = '/nodes/pve1/qemu/300/config';
  const reply = await root.put(config, { net1: 'virtio,bridge=vmbr4000' });
  expect(reply).toMatchObject({ status: 400 });
  expect(reply.body.errors).toEqual({ net1: "hotplug problem - bridge 'vmbr4000' does not exist" });
  expect(await root.ok('GET', config, { current: 1 })).not.toHaveProperty('net1');
  expect(await root.ok('GET', config)).toHaveProperty('net1');
});

test('only the ticket of root may what only root may', async () => {
  const { root, sim } = await start();
  expect(await root.put(path, { args: '-snapshot' })).toMatchObject({
    status: 500,
    reason: "only root can set 'args' config",
  });
  expect((await root.put(path, { cores: 2, skiplock: 1 })).body.errors).toEqual({
    skiplock: 'Only root may use this option.',
  });
  const ticket = await login(sim, 'root@pam', 'simulator');
  expect((await ticket.put(path, { args: '-snapshot' })).status).toBe(200);
});

test.each([
  ['VM.Config.CPU', { cores: 2 }],
  ['VM.Config.Memory', { memory: '1024' }],
  ['VM.Config.Options', { name: 'x' }],
  ['VM.Config.Options', { tags: 'x' }],
  ['VM.Config.HWType', { vga: 'qxl' }],
  ['VM.Config.Disk', { boot: 'order=scsi0' }],
  ['VM.Config.Disk', { scsi1: 'ceph:1' }],
  ['VM.Config.CDROM', { ide2: 'none,media=cdrom' }],
  ['VM.Config.Cloudinit', { ciuser: 'x' }],
  ['VM.Config.Network', { net0: 'virtio,bridge=vmbr0' }],
] as const)('%s is needed for %j', async (priv, form) => {
  const withRole = (privs: readonly string[]): Parameters<typeof start>[0] => ({
    users: [userWithToken('anna@pve')],
    roles: { r: privs },
    acl: [
      { path: '/vms/100', role: 'r', user: 'anna@pve' },
      { path: '/storage/ceph', role: 'PVEDatastoreUser', user: 'anna@pve' },
      { path: '/sdn/zones/localnetwork', role: 'PVESDNUser', user: 'anna@pve' },
    ],
  });
  const other = priv === 'VM.Config.CPU' ? 'VM.Config.HWType' : 'VM.Config.CPU';
  const without = await start(withRole([other]));
  const refused = await without.as(`anna@pve!t=${secret}`).put(path, form);
  expect(refused.status).toBe(403);
  expect(refused.reason).toContain(priv);
  const having = await start(withRole([priv]));
  expect(await having.as(`anna@pve!t=${secret}`).put(path, form)).toMatchObject({ status: 200 });
});

test('8+ wants SDN.Use on the old and the new bridge, or on the tag; 7.4 does not ask', async () => {
  const change = (paths: readonly string[]): Parameters<typeof start>[0] => ({
    users: [userWithToken('anna@pve')],
    acl: [
      { path: '/vms/100', role: 'PVEVMAdmin', user: 'anna@pve' },
      ...paths.map((one) => ({
        path: `/sdn/zones/localnetwork/${one}`,
        role: 'PVESDNUser',
        user: 'anna@pve',
      })),
    ],
  });
  const reason = async (scenario: Parameters<typeof start>[0], net0: string): Promise<string> =>
    (await (await start(scenario)).as(`anna@pve!t=${secret}`).put(path, { net0 })).reason;
  const other = 'virtio,bridge=vmbr9';
  expect(await reason(change(['vmbr0']), other)).toBe(
    'Permission check failed (/sdn/zones/localnetwork/vmbr9, SDN.Use)',
  );
  expect(await reason(change(['vmbr9']), other)).toBe(
    'Permission check failed (/sdn/zones/localnetwork/vmbr0, SDN.Use)',
  );
  expect(await reason(change(['vmbr0', 'vmbr9']), other)).toBe('OK');
  expect(await reason(change(['vmbr0', 'vmbr9/7']), `${other},tag=7`)).toBe('OK');
  expect(await reason(change(['vmbr0', 'vmbr9/7']), `${other},tag=8`)).toBe(
    'Permission check failed (/sdn/zones/localnetwork/vmbr9/8, SDN.Use)',
  );
  const old = {
    users: [userWithToken('anna@pve')],
    acl: [{ path: '/vms/100', role: 'PVEVMAdmin', user: 'anna@pve' }],
  };
  expect(await reason({ ...old, version: '7.4' }, other)).toBe('OK');
});

test('resize: null on 7.4, a task later; never smaller', async () => {
  const old = await start({ version: '7.4' });
  expect(await old.root.ok('PUT', '/nodes/pve3/qemu/303/resize', { disk: 'scsi0', size: '+1G' })).toBeNull();
  const { root } = await start();
  expect(await root.task('PUT', '/nodes/pve3/qemu/303/resize', { disk: 'scsi0', size: '40G' })).toBe('OK');
  expect((await root.ok('GET', '/nodes/pve3/qemu/303/config')).scsi0).toContain('size=40G');
  expect(await root.task('PUT', '/nodes/pve3/qemu/303/resize', { disk: 'scsi0', size: '1G' })).toBe(
    'shrinking disks is not supported',
  );
  expect((await root.put('/nodes/pve3/qemu/303/resize', { disk: 'scsi5', size: '+1G' })).reason).toBe(
    "disk 'scsi5' does not exist",
  );
});

describe.each(['7.4', '8.4', '9.2'] as const)('values on %s', (version) => {
  const stopped = '/nodes/pve3/qemu/303/config';
  const key = (type: string, of = type): string => {
    const name = Buffer.from(of);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(name.length);
    return `${type} ${Buffer.concat([length, name, Buffer.alloc(36)]).toString('base64')} me@home`;
  };

  test('a cloud-init password is never read back, nor pending', async () => {
    const { root, sim } = await start({ version });
    for (const [one, pending] of [
      [stopped, '/nodes/pve3/qemu/303/pending'],
      ['/nodes/pve1/qemu/300/config', '/nodes/pve1/qemu/300/pending'],
    ] as const) {
      await root.ok('PUT', one, { cipassword: 'secret-1' });
      expect(await root.ok('GET', one)).toMatchObject({ cipassword: '**********' });
      expect(JSON.stringify(await root.ok('GET', pending))).not.toContain('$5$');
    }
    expect(sim.snapshot().guests.find((one) => one.vmid === 303)?.config['cipassword']).toMatch(/^\$5\$/);
  });

  test.each([
    [key('ssh-ed25519'), 200],
    [`${key('ssh-ed25519')}\n\n${key('ssh-rsa')}\n`, 200],
    ['', 200],
    ['ssh-ed25519 AAAA', 500],
    [key('ssh-ed25519', 'ssh-rsa'), 500],
    [`${key('ssh-rsa')}\n# a comment`, 500],
  ])('sshkeys %j: %i', async (keys, status) => {
    const { root } = await start({ version });
    const reply = await root.put(stopped, { sshkeys: encodeURIComponent(keys) });
    expect(reply.status).toBe(status);
    if (status === 500) expect(reply.reason).toBe('SSH public key validation error');
  });

  test('a boot order names what is there, or comes along', async () => {
    const { root } = await start({ version });
    expect(await root.put(stopped, { boot: 'order=scsi0;scsi7' })).toMatchObject({
      status: 500,
      reason: "invalid bootorder: device 'scsi7' does not exist'",
    });
    expect((await root.put(stopped, { boot: 'order=net0', delete: 'net0' })).status).toBe(500);
    expect((await root.put(stopped, { boot: 'order=net5;scsi0', net5: 'virtio,bridge=vmbr0' })).status).toBe(
      200,
    );
  });

  test('a balloon is no larger than the memory; vmgenid 1 asks for a new one', async () => {
    const { root } = await start({ version });
    const refused = { status: 500, reason: 'balloon value too large (must be smaller than assigned memory)' };
    expect(await root.put(stopped, { memory: 1024, balloon: 2048 })).toMatchObject(refused);
    await root.ok('PUT', stopped, { memory: 2048, balloon: 2048 });
    expect(await root.put(stopped, { memory: 1024 })).toMatchObject(refused);
    await root.ok('PUT', stopped, { vmgenid: 1 });
    expect((await root.ok('GET', stopped)).vmgenid).toMatch(/^[0-9a-f]{8}-/);
    expect((await root.put(stopped, { vmgenid: 'x' })).status).toBe(400);
  });

  test('empty values end an option, where its format lets them through', async () => {
    const { root } = await start({ version });
    await root.ok('PUT', stopped, { tags: 'a', description: 'b', ciuser: 'c' });
    await root.ok('PUT', stopped, { tags: '', description: '', ciuser: '' });
    const now = await root.ok('GET', stopped);
    for (const option of ['tags', 'description', 'ciuser']) expect(now).not.toHaveProperty(option);
    for (const option of ['name', 'cores', 'net0', 'onboot']) {
      expect([option, (await root.put(stopped, { [option]: '' })).status]).toEqual([option, 400]);
    }
  });

  test('memory and cores of a running machine wait, without an error', async () => {
    const { root } = await start({ version });
    const running = '/nodes/pve1/qemu/300';
    const before = await root.ok('GET', `${running}/config`, { current: 1 });
    await root.ok('PUT', `${running}/config`, { memory: 1024, cores: 7 });
    expect(await root.ok('GET', `${running}/config`, { current: 1 })).toMatchObject({
      memory: before.memory,
      cores: before.cores,
    });
    const pending = await root.ok('GET', `${running}/pending`);
    expect(pending).toEqual(
      expect.arrayContaining([
        { key: 'cores', value: before.cores, pending: '7' },
        { key: 'memory', value: before.memory, pending: '1024' },
      ]),
    );
  });
});
