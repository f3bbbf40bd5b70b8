import { describe, expect, test } from 'vitest';
import { handlers } from '../../src/lib/execute/handlers/index.ts';
import type { StepPayloads } from '../../src/lib/plan/document/step.ts';
import { TaskError } from '../../src/lib/proxmox/errors.ts';
import { apply, bridgeRow, count, MARK, stagedDiff, step, VM_MARK } from './apply-step.ts';
import { FakePve, type FaultSpec, lockTimeout, lost, refuse } from './fake-pve.ts';

describe('user.create', () => {
  const payload: StepPayloads['user.create'] = {
    userid: 'anna@pve',
    comment: 'deploy-stand since=2026-01-15T09:00:00Z',
    groups: ['class'],
    firstName: 'Anna',
    password: 'generate',
  };

  async function create(pve: FakePve, more: Partial<StepPayloads['user.create']> = {}) {
    const log: string[] = [];
    const secrets = {
      passwordFor: (userid: string) => {
        log.push(`pending ${userid} ${pve.writes.length}`);
        return Promise.resolve('first-password');
      },
      settle: (userid: string, state: string) => {
        log.push(`${state} ${userid}`);
        return Promise.resolve();
      },
    };
    const { outcome } = await apply(pve, 'user.create', { ...payload, ...more }, secrets);
    return { outcome, log };
  }

  test('the password is pending before PVE hears of it, and set after', async () => {
    const pve = new FakePve();
    expect(await create(pve)).toEqual({ outcome: 'done', log: ['pending anna@pve 0', 'set anna@pve'] });
    expect(pve.users).toEqual([
      {
        userid: 'anna@pve',
        comment: payload.comment,
        groups: ['class'],
        firstName: 'Anna',
        password: 'first-password',
      },
    ]);
  });

  test('a directory keeps its own passwords', async () => {
    const pve = new FakePve();
    expect(await create(pve, { password: 'directory' })).toEqual({
      outcome: 'done',
      log: ['directory anna@pve'],
    });
    expect(pve.users[0]).not.toHaveProperty('password');
  });

  test.each([
    { name: 'somebody else made the user', comment: 'by hand', state: 'unchanged' },
    { name: 'a former try of this step made the user', comment: payload.comment, state: 'set' },
  ])('$name: nothing is written, the password is $state', async ({ comment, state }) => {
    const pve = new FakePve();
    pve.users.push({ userid: 'anna@pve', comment, groups: [] });
    const { outcome, log } = await create(pve);
    expect(outcome).toBe('already-done');
    expect(log.at(-1)).toBe(`${state} anna@pve`);
    expect(pve.writes).toEqual([]);
  });

  test.each([
    { name: 'before', when: 'before', outcome: 'done' },
    { name: 'after', when: 'after', outcome: 'already-done' },
  ] as const)(
    'an answer lost $name processing makes one user with a known password',
    async ({ when, outcome }) => {
      const pve = new FakePve().fault('createUser', lost(), when);
      const created = await create(pve);
      expect(created.outcome).toBe(outcome);
      expect(created.log.at(-1)).toBe('set anna@pve');
      expect(pve.writes).toEqual(['createUser anna@pve']);
    },
  );

  test('a lock timeout is waited out with the same password', async () => {
    const pve = new FakePve().fault('createUser', lockTimeout());
    expect((await create(pve)).log).toEqual(['pending anna@pve 0', 'set anna@pve']);
  });

  test('a refusal leaves the password pending', async () => {
    const pve = new FakePve().fault('createUser', refuse('no such group'));
    const log: string[] = [];
    const secrets = {
      passwordFor: () => Promise.resolve('x'),
      settle: (_userid: string, state: string) => Promise.resolve(void log.push(state)),
    };
    await expect(apply(pve, 'user.create', payload, secrets)).rejects.toThrow('no such group');
    expect(log).toEqual([]);
  });
});

describe('pool.create', () => {
  const payload = { pool: 'anna', comment: 'deploy-stand user=anna@pve' };

  test.each([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    {
      name: 'already ours',
      prepare: (pve: FakePve) => void pve.pools.set('anna', { comment: payload.comment, vmids: new Set() }),
      outcome: 'already-done',
    },
    { name: 'lost before', prepare: (pve: FakePve) => void pve.fault('createPool', lost()), outcome: 'done' },
    {
      name: 'lost after',
      prepare: (pve: FakePve) => void pve.fault('createPool', lost(), 'after'),
      outcome: 'already-done',
    },
    {
      name: 'lock timeout',
      prepare: (pve: FakePve) => void pve.fault('createPool', lockTimeout()),
      outcome: 'done',
    },
  ])('$name', async ({ prepare, outcome }) => {
    const pve = new FakePve();
    prepare(pve);
    expect((await apply(pve, 'pool.create', payload)).outcome).toBe(outcome);
    expect(pve.pools.get('anna')?.comment).toBe(payload.comment);
    expect(count(pve, 'createPool anna')).toBeLessThanOrEqual(1);
  });

  test('somebody else has a pool of that name', async () => {
    const pve = new FakePve();
    pve.pools.set('anna', { comment: 'hers', vmids: new Set() });
    await expect(apply(pve, 'pool.create', payload)).rejects.toMatchObject({ code: 'POOL_TAKEN' });
    expect(pve.pools.get('anna')?.comment).toBe('hers');
  });
});

describe('pool.update', () => {
  const payload = {
    pool: 'anna',
    comment: 'deploy-stand user=anna@pve\nlab=net vmids=1-3',
    addVmids: [1, 2, 3],
  };

  function withPools(): FakePve {
    const pve = new FakePve();
    pve.pools.set('anna', { comment: 'deploy-stand user=anna@pve', vmids: new Set() });
    pve.pools.set('boris', { comment: '', vmids: new Set() });
    return pve;
  }
  const members = (pve: FakePve) => [...(pve.pools.get('anna')?.vmids ?? [])].sort();

  test.each([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    {
      name: 'the claim of a killed run is still there',
      prepare: (pve: FakePve) => void pve.pools.get('anna')!.vmids.add(1).add(2).add(3),
      outcome: 'done',
    },
    {
      name: 'half the claim is still there',
      prepare: (pve: FakePve) => void pve.pools.get('anna')!.vmids.add(2),
      outcome: 'done',
    },
    { name: 'lost before', prepare: (pve: FakePve) => void pve.fault('updatePool', lost()), outcome: 'done' },
    {
      name: 'lost after',
      prepare: (pve: FakePve) => void pve.fault('updatePool', lost(), 'after'),
      outcome: 'already-done',
    },
    {
      name: 'lock timeout',
      prepare: (pve: FakePve) => void pve.fault('updatePool', lockTimeout()),
      outcome: 'done',
    },
  ])('$name', async ({ prepare, outcome }) => {
    const pve = withPools();
    prepare(pve);
    expect((await apply(pve, 'pool.update', payload)).outcome).toBe(outcome);
    expect(members(pve)).toEqual([1, 2, 3]);
    expect(pve.pools.get('anna')?.comment).toBe(payload.comment);
    expect(pve.writes).toHaveLength(1);
  });

  test('an id of another pool: nothing is written', async () => {
    const pve = withPools();
    pve.pools.get('boris')!.vmids.add(2);
    pve.pools.get('anna')!.vmids.add(1);
    await expect(apply(pve, 'pool.update', payload)).rejects.toMatchObject({
      code: 'VMID_TAKEN',
      message: 'VMID 2, planned for pool anna, belongs to pool boris by now',
    });
    expect(pve.writes).toEqual([]);
  });

  test('a comment alone', async () => {
    const pve = withPools();
    await apply(pve, 'pool.update', { ...payload, addVmids: [] });
    expect(pve.writes).toEqual(['updatePool anna +']);
  });
});

test.each<{ name: string; fault?: FaultSpec }>([
  { name: 'happy path' },
  { name: 'lost before', fault: [lost(), 'before'] },
  { name: 'lost after', fault: [lost(), 'after'] },
  { name: 'lock timeout', fault: [lockTimeout(), 'before'] },
])('acl.grant: $name', async ({ fault }) => {
  const pve = new FakePve();
  if (fault) pve.fault('grant', ...fault);
  const payload = { path: '/pool/anna', role: 'PVEVMAdmin', userid: 'anna@pve', propagate: true };
  expect((await apply(pve, 'acl.grant', payload)).outcome).toBe('done');
  expect(new Set(pve.grants)).toEqual(new Set(['/pool/anna PVEVMAdmin anna@pve true']));
});

describe('bridge.create', () => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', vlanAware: true, comment: MARK };

  test.each([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    {
      name: 'already ours',
      prepare: (pve: FakePve) => void pve.rows.push(bridgeRow('vmbr1000', `${MARK}\n`)),
      outcome: 'already-done',
    },
    {
      name: 'lost before',
      prepare: (pve: FakePve) => void pve.fault('createBridge', lost()),
      outcome: 'done',
    },
    {
      name: 'lost after',
      prepare: (pve: FakePve) => void pve.fault('createBridge', lost(), 'after'),
      outcome: 'already-done',
    },
    {
      name: 'the file is locked',
      prepare: (pve: FakePve) =>
        void pve.fault(
          'createBridge',
          refuse("can't lock file '/etc/network/.pve-interfaces.lock' - got timeout"),
        ),
      outcome: 'done',
    },
  ])('$name', async ({ prepare, outcome }) => {
    const pve = new FakePve();
    prepare(pve);
    expect((await apply(pve, 'bridge.create', payload)).outcome).toBe(outcome);
    expect(pve.rows.map(({ iface }) => iface)).toEqual(['vmbr1000']);
  });

  test.each([
    {
      name: 'somebody else',
      comments: 'uplink to the lab',
      says: /created by somebody else \("uplink to the lab"\)/,
    },
    { name: 'another stand', comments: MARK.replace('anna', 'boris'), says: /boris@pve/ },
    { name: 'nobody in particular', comments: '', says: /created by somebody else$/ },
  ])('taken by $name', async ({ comments, says }) => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr1000', comments));
    const applied = apply(pve, 'bridge.create', payload);
    await expect(applied).rejects.toMatchObject({ code: 'BRIDGE_TAKEN' });
    await expect(applied).rejects.toThrow(says);
  });
});

describe('bridge.update', () => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', vlanAware: true, comment: MARK } as const;

  test.each<{ name: string; fault?: FaultSpec; outcome: string; writes: number }>([
    { name: 'happy path', outcome: 'done', writes: 1 },
    { name: 'lost before', fault: [lost(), 'before'], outcome: 'done', writes: 1 },
    { name: 'lost after', fault: [lost(), 'after'], outcome: 'already-done', writes: 1 },
  ])('$name', async ({ fault, outcome, writes }) => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr1000', MARK, true));
    if (fault) pve.fault('updateBridge', ...fault);
    expect((await apply(pve, 'bridge.update', payload)).outcome).toBe(outcome);
    expect(pve.rows[0]?.vlanAware).toBe(true);
    expect(pve.writes).toHaveLength(writes);
  });

  test('already VLAN-aware: nothing is written', async () => {
    const pve = new FakePve();
    pve.rows.push({ ...bridgeRow('vmbr1000', MARK), vlanAware: true });
    expect((await apply(pve, 'bridge.update', payload)).outcome).toBe('already-done');
    expect(pve.writes).toEqual([]);
  });

  test.each([
    { name: 'gone', rows: [] },
    { name: 'not ours any more', rows: [bridgeRow('vmbr1000', 'mine')] },
  ])('a bridge that is $name is left alone', async ({ rows }) => {
    const pve = new FakePve();
    pve.rows.push(...rows);
    await expect(apply(pve, 'bridge.update', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(pve.writes).toEqual([]);
  });
});

describe('network.reload', () => {
  const payload = { node: 'pve1', bridges: ['vmbr1000', 'vmbr1001'] };

  function withStaged(): FakePve {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr0', '', true), bridgeRow('vmbr1000', MARK), bridgeRow('vmbr1001', MARK));
    pve.changes = stagedDiff('+', MARK);
    return pve;
  }

  test.each([
    { name: 'happy path', prepare: () => undefined, outcome: 'done', reloads: 1 },
    {
      name: 'everything is up: nothing is done',
      prepare: (pve: FakePve) => {
        for (const row of pve.rows) row.active = true;
        pve.changes = '';
      },
      outcome: 'already-done',
      reloads: 0,
    },
    {
      name: 'up, but edits of ours are staged',
      prepare: (pve: FakePve) => {
        for (const row of pve.rows) row.active = true;
      },
      outcome: 'done',
      reloads: 1,
    },
    {
      name: 'down with nothing staged (a former reload failed)',
      prepare: (pve: FakePve) => void (pve.changes = ''),
      outcome: 'done',
      reloads: 1,
    },
    {
      name: 'a bridge that was never staged is not waited for',
      prepare: (pve: FakePve) => void pve.rows.pop(),
      outcome: 'done',
      reloads: 1,
    },
    {
      name: 'another reload is running',
      prepare: (pve: FakePve) => void pve.exits.push("command 'ifreload -a' failed: exit code 89"),
      outcome: 'done',
      reloads: 2,
    },
    {
      name: 'a reload that fails is followed by one more',
      prepare: (pve: FakePve) => void pve.exits.push("command 'ifreload -a' failed: exit code 1"),
      outcome: 'done',
      reloads: 2,
    },
    {
      name: 'lost before',
      prepare: (pve: FakePve) => void pve.fault('reloadNetwork', lost()),
      outcome: 'done',
      reloads: 1,
    },
    {
      name: 'lost after: the running reload is waited for, not doubled',
      prepare: (pve: FakePve) => void pve.fault('reloadNetwork', lost(), 'after'),
      outcome: 'already-done',
      reloads: 1,
    },
  ])('$name', async ({ prepare, outcome, reloads }) => {
    const pve = withStaged();
    prepare(pve);
    expect((await apply(pve, 'network.reload', payload)).outcome).toBe(outcome);
    expect(count(pve, 'reload')).toBe(reloads);
    expect(pve.rows.every(({ active }) => active)).toBe(true);
  });

  test('edits of somebody else are never put into force', async () => {
    const pve = withStaged();
    pve.rows.push(bridgeRow('vmbr7', 'mine'));
    pve.changes = stagedDiff('+', 'mine', 'vmbr7');
    const applied = apply(pve, 'network.reload', payload);
    await expect(applied).rejects.toMatchObject({
      code: 'FOREIGN_PENDING_CHANGES',
      message: expect.stringContaining('vmbr7') as string,
      hint: expect.stringContaining('+auto vmbr7') as string,
    });
    expect(pve.writes).toEqual([]);
  });

  test('edits of somebody else do not matter when there is nothing to apply', async () => {
    const pve = withStaged();
    for (const row of pve.rows) row.active = true;
    pve.rows.push(bridgeRow('vmbr7', 'mine'));
    pve.changes = stagedDiff('+', 'mine', 'vmbr7');
    expect((await apply(pve, 'network.reload', payload)).outcome).toBe('already-done');
    expect(pve.writes).toEqual([]);
  });

  test('bridges that stay down after two reloads fail the step', async () => {
    const pve = withStaged();
    pve.exits.push('ifreload: exit code 1', 'ifreload: exit code 1');
    await expect(apply(pve, 'network.reload', payload)).rejects.toMatchObject({
      code: 'BRIDGES_DOWN',
      message: 'vmbr1000, vmbr1001 on pve1 did not come up',
      hint: expect.stringContaining('TASK ERROR') as string,
    });
    expect(count(pve, 'reload')).toBe(2);
  });
});

describe('vm.clone', () => {
  const payload: StepPayloads['vm.clone'] = {
    node: 'pve1',
    target: 'pve2',
    templateVmid: 100,
    vmid: 10001,
    name: 'pc',
    description: VM_MARK,
    full: false,
    locks: ['shared:nfs'],
  };
  const clones = (pve: FakePve) => count(pve, 'clone 10001');

  test.each([
    { name: 'happy path', prepare: () => undefined, outcome: 'done', clones: 1 },
    {
      name: 'finished by a run that was killed',
      prepare: (pve: FakePve) => void pve.vms.set('pve2/10001', { description: `${VM_MARK} spec=ab\n` }),
      outcome: 'already-done',
      clones: 0,
    },
    {
      name: 'still under way from a run that was killed',
      prepare: (pve: FakePve) => {
        pve.vms.set('pve1/10001', { lock: 'clone' });
        const finish = () => {
          pve.vms.delete('pve1/10001');
          pve.vms.set('pve2/10001', { description: VM_MARK });
          return 'OK';
        };
        pve.startTask('qmclone', '100', finish, 90);
      },
      outcome: 'already-done',
      clones: 0,
    },
    {
      name: 'a clone under way that is rolled back is made again',
      prepare: (pve: FakePve) => {
        pve.vms.set('pve1/10001', { lock: 'clone' });
        const finish = () => {
          pve.vms.delete('pve1/10001');
          return 'clone failed: no space';
        };
        pve.startTask('qmclone', '100', finish, 20);
      },
      outcome: 'done',
      clones: 1,
    },
    {
      name: 'lost before',
      prepare: (pve: FakePve) => void pve.fault('cloneVm', lost()),
      outcome: 'done',
      clones: 1,
    },
    {
      name: 'lost after: the task is waited for',
      prepare: (pve: FakePve) => void pve.fault('cloneVm', lost(), 'after'),
      outcome: 'already-done',
      clones: 1,
    },
    {
      name: 'the task meets a lock timeout and is rolled back',
      prepare: (pve: FakePve) =>
        void pve.exits.push("clone failed: cfs-lock 'storage-nfs' error: got lock request timeout"),
      outcome: 'done',
      clones: 2,
    },
    {
      name: 'the template is locked for a moment',
      prepare: (pve: FakePve) =>
        void pve.fault(
          'cloneVm',
          refuse("can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"),
        ),
      outcome: 'done',
      clones: 1,
    },
  ])('$name', async ({ prepare, outcome, clones: expected }) => {
    const pve = new FakePve();
    prepare(pve);
    expect((await apply(pve, 'vm.clone', payload)).outcome).toBe(outcome);
    expect(clones(pve)).toBe(expected);
    expect(pve.vm('pve2/10001')['description']).toContain(VM_MARK);
  });

  test('a lost answer and nothing to see: waits for young clones of the template, then makes it', async () => {
    const pve = new FakePve().fault('cloneVm', lost());
    pve.taskSeconds = 1;
    pve.startTask('qmclone', '100', () => 'OK', 45);
    const started = pve.clock.now();
    expect((await apply(pve, 'vm.clone', payload)).outcome).toBe('done');
    expect((pve.clock.now() - started) / 1000).toBeGreaterThan(45);
  });

  test('a lock timeout is told apart from other trouble', async () => {
    const pve = new FakePve();
    pve.exits.push("clone failed: cfs-lock 'storage-nfs' error: got lock request timeout");
    const io = pve.io();
    await pve.clock.drive(handlers['vm.clone'](step('vm.clone', payload), io));
    expect(io.retries).toMatchObject([{ lockTimeout: true }]);
  });

  test('a clone lock without a task is a zombie', async () => {
    const pve = new FakePve();
    pve.vms.set('pve1/10001', { lock: 'clone' });
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({
      code: 'ZOMBIE_CLONE',
      hint: expect.stringContaining('qm unlock 10001') as string,
    });
    expect(clones(pve)).toBe(0);
  });

  test('a finished clone that never reached its node is reported', async () => {
    const pve = new FakePve();
    pve.vms.set('pve1/10001', { description: VM_MARK });
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({ code: 'VM_MISPLACED' });
  });

  test.each([
    {
      name: 'another VM',
      values: { name: 'db', description: 'production' },
      says: /in use by another VM \("db"\)/,
    },
    {
      name: 'another machine of ours',
      values: { description: VM_MARK.replace('machine=pc', 'machine=router') },
      says: /in use by another VM on pve2/,
    },
  ])('the number belongs to $name', async ({ values, says }) => {
    const pve = new FakePve();
    pve.vms.set('pve2/10001', values);
    const applied = apply(pve, 'vm.clone', payload);
    await expect(applied).rejects.toMatchObject({ code: 'VMID_TAKEN' });
    await expect(applied).rejects.toThrow(says);
  });

  test('the number is taken on a node where we do not look', async () => {
    const pve = new FakePve();
    pve.vms.set('pve3/10001', { description: 'production' });
    await expect(apply(pve, 'vm.clone', payload)).rejects.toMatchObject({
      code: 'VMID_TAKEN',
      message: expect.stringContaining('File exists') as string,
    });
    expect(clones(pve)).toBe(0);
  });

  test('any other failure of the task is the failure of the step', async () => {
    const pve = new FakePve();
    pve.exits.push('clone failed: no space left on device');
    const applied = apply(pve, 'vm.clone', payload);
    await expect(applied).rejects.toBeInstanceOf(TaskError);
    await expect(applied).rejects.toMatchObject({ code: 'TASK_FAILED' });
    expect(clones(pve)).toBe(1);
  });
});

describe('vm.configure', () => {
  const payload: StepPayloads['vm.configure'] = {
    node: 'pve1',
    vmid: 10001,
    description: `${VM_MARK} spec=abc`,
    nics: [
      { index: 0, model: 'virtio', bridge: 'vmbr0', firewall: true },
      {
        index: 1,
        model: 'vmxnet3',
        bridge: 'vmbr1000',
        mac: '1C:87:76:40:00:01',
        tag: 100,
        linkDown: true,
        mtu: 1400,
      },
      { index: 2, model: 'e1000', bridge: 'vmbr1001', trunks: ['10', '20-30'] },
    ],
    options: { cores: '2', onboot: '0' },
    tags: ['lab-net', 'deploy-stand'],
    remove: ['hookscript', 'startup'],
  };
  const fresh = () => ({
    digest: 'd1',
    description: `${VM_MARK}\n`,
    net0: 'e1000=BC:24:11:00:00:01,bridge=vmbr9,tag=7',
    net1: 'virtio=BC:24:11:00:00:02,bridge=vmbr9',
    net5: 'virtio=BC:24:11:00:00:05,bridge=vmbr9',
    tags: 'Debian;deploy-stand',
    startup: 'order=1',
  });

  function withVm(values: Record<string, string> = fresh()): FakePve {
    const pve = new FakePve();
    pve.vms.set('pve1/10001', values);
    return pve;
  }

  test('one write says everything', async () => {
    const pve = withVm();
    expect((await apply(pve, 'vm.configure', payload)).outcome).toBe('done');
    expect(pve.vm('pve1/10001')).toEqual({
      digest: 'd1+',
      description: payload.description,
      net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1',
      net1: 'vmxnet3=1C:87:76:40:00:01,bridge=vmbr1000,tag=100,link_down=1,mtu=1400',
      net2: 'model=e1000,bridge=vmbr1001,trunks=10;20-30',
      cores: '2',
      onboot: '0',
      tags: 'debian;deploy-stand;lab-net',
    });
    expect(pve.writes).toEqual(['configure 10001']);
  });

  test('a present MAC in the long form is kept too', async () => {
    const pve = withVm({ ...fresh(), net0: 'model=virtio,macaddr=bc:24:11:aa:bb:cc,bridge=vmbr9' });
    await apply(pve, 'vm.configure', payload);
    expect(pve.vm('pve1/10001')['net0']).toMatch(/^virtio=BC:24:11:AA:BB:CC,/);
  });

  test('configured already: nothing is written', async () => {
    const pve = withVm({ ...fresh(), description: `${payload.description}\n` });
    expect((await apply(pve, 'vm.configure', payload)).outcome).toBe('already-done');
    expect(pve.writes).toEqual([]);
  });

  test.each<{ name: string; fault: FaultSpec; outcome: string }>([
    { name: 'lost before', fault: [lost(), 'before'], outcome: 'done' },
    { name: 'lost after', fault: [lost(), 'after'], outcome: 'already-done' },
    {
      name: 'the VM is busy',
      fault: [
        refuse("can't lock file '/var/lock/qemu-server/lock-10001.conf' - got timeout"),
        'before',
      ] as const,
      outcome: 'done',
    },
    {
      name: 'somebody changed it meanwhile',
      fault: [refuse('checksum mismatch (file change by other user?)'), 'before'],
      outcome: 'done',
    },
  ])('$name: still one write', async ({ fault, outcome }) => {
    const pve = withVm().fault('updateVmConfig', ...fault);
    expect((await apply(pve, 'vm.configure', payload)).outcome).toBe(outcome);
    expect(pve.writes).toEqual(['configure 10001']);
  });

  test('a VM that changes all the time is given up', async () => {
    const mismatch = refuse('checksum mismatch (file change by other user?)');
    const pve = withVm().fault('updateVmConfig', mismatch).fault('updateVmConfig', mismatch);
    await expect(apply(pve, 'vm.configure', payload)).rejects.toBe(mismatch);
  });

  test('tags that the datacenter reserves are left out', async () => {
    const denied = refuse("Permission check failed (/, Sys.Modify for modifying tag 'lab-net')", {}, 403);
    const pve = withVm().fault('updateVmConfig', denied);
    expect((await apply(pve, 'vm.configure', payload)).outcome).toBe('done');
    expect(pve.vm('pve1/10001')).toMatchObject({
      tags: 'Debian;deploy-stand',
      description: payload.description,
    });
  });

  test('the cloud-init password comes from the secrets', async () => {
    const pve = withVm();
    const secrets = { cloudInitPassword: (machine: string) => `secret of ${machine}` };
    await apply(pve, 'vm.configure', { ...payload, secret: { machine: 'pc' } }, secrets);
    expect(pve.vm('pve1/10001')['cipassword']).toBe('secret of pc');
    const unknown = { cloudInitPassword: () => undefined };
    const applied = apply(withVm(), 'vm.configure', { ...payload, secret: { machine: 'pc' } }, unknown);
    await expect(applied).rejects.toMatchObject({ code: 'SECRET_MISSING' });
  });

  test('a clone lock is waited for', async () => {
    const values: Record<string, string> = { ...fresh(), lock: 'clone' };
    const pve = withVm(values);
    pve.startTask('qmclone', '100', () => {
      Reflect.deleteProperty(values, 'lock');
      return 'OK';
    });
    expect((await apply(pve, 'vm.configure', payload)).outcome).toBe('done');
  });

  test.each([
    { name: 'is not there', values: undefined, code: 'VM_MISSING' },
    { name: 'stays locked', values: { ...fresh(), lock: 'backup' }, code: 'VM_LOCKED' },
    { name: 'has no mark', values: { ...fresh(), description: 'production' }, code: 'NOT_OURS' },
    {
      name: "is another student's",
      values: { ...fresh(), description: VM_MARK.replace('anna', 'boris') },
      code: 'NOT_OURS',
    },
    {
      name: 'carries the mark of another number (a clone of ours)',
      values: { ...fresh(), description: VM_MARK.replace('10001', '10002') },
      code: 'NOT_OURS',
    },
  ])('a VM that $name is left alone', async ({ values, code }) => {
    const pve = values ? withVm(values) : new FakePve();
    await expect(apply(pve, 'vm.configure', payload)).rejects.toMatchObject({ code });
    expect(pve.writes).toEqual([]);
  });
});

describe('vm.snapshot', () => {
  const payload = { node: 'pve1', vmid: 10001, snapshot: 'start' };

  test.each([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    {
      name: 'already there',
      prepare: (pve: FakePve) => void pve.snapshots.push('start'),
      outcome: 'already-done',
    },
    { name: 'lost before', prepare: (pve: FakePve) => void pve.fault('snapshotVm', lost()), outcome: 'done' },
    {
      name: 'lost after: the task is waited for',
      prepare: (pve: FakePve) => void pve.fault('snapshotVm', lost(), 'after'),
      outcome: 'already-done',
    },
    {
      name: 'lock timeout',
      prepare: (pve: FakePve) => void pve.fault('snapshotVm', lockTimeout('storage-nfs')),
      outcome: 'done',
    },
  ])('$name', async ({ prepare, outcome }) => {
    const pve = new FakePve();
    prepare(pve);
    expect((await apply(pve, 'vm.snapshot', payload)).outcome).toBe(outcome);
    expect(pve.snapshots).toEqual(['start']);
    expect(pve.writes).toHaveLength(1);
  });

  test('a task that fails fails the step', async () => {
    const pve = new FakePve();
    pve.exits.push('snapshot feature is not available');
    await expect(apply(pve, 'vm.snapshot', payload)).rejects.toMatchObject({ code: 'TASK_FAILED' });
  });
});

describe('vm.start', () => {
  const payload = { node: 'pve1', vmid: 10001 };
  const withVm = () => {
    const pve = new FakePve();
    pve.vms.set('pve1/10001', { description: VM_MARK });
    return pve;
  };

  test.each([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    {
      name: 'already running',
      prepare: (pve: FakePve) => void pve.running.add(10001),
      outcome: 'already-done',
    },
    { name: 'lost before', prepare: (pve: FakePve) => void pve.fault('startVm', lost()), outcome: 'done' },
    {
      name: 'lost after: the task is waited for',
      prepare: (pve: FakePve) => void pve.fault('startVm', lost(), 'after'),
      outcome: 'already-done',
    },
  ])('$name', async ({ prepare, outcome }) => {
    const pve = withVm();
    prepare(pve);
    expect((await apply(pve, 'vm.start', payload)).outcome).toBe(outcome);
    expect([...pve.running]).toEqual([10001]);
    expect(pve.writes).toEqual(['start 10001']);
  });

  test('a lost start whose task fails is tried again, and says why', async () => {
    const pve = withVm().fault('startVm', lost(), 'after');
    pve.exits.push("bridge 'vmbr1000' does not exist", "bridge 'vmbr1000' does not exist");
    await expect(apply(pve, 'vm.start', payload)).rejects.toThrow("bridge 'vmbr1000' does not exist");
    expect(pve.writes).toHaveLength(2);
  });
});
