/** Handlers that take away what is not a VM: bridges, rights, claims, pools, users. */
import { describe, expect, test } from 'vitest';
import type { RequestFault } from '../../../src/lib/simulator/faults.ts';
import type { ScenarioBridge } from '../../../src/lib/simulator/scenario-types.ts';
import { handlers } from '../../../src/lib/execute/handlers/index.ts';
import {
  apply,
  claim,
  count,
  FORMER_SEAL,
  MARK,
  OURS,
  reserved,
  RESERVED,
  SEALED,
  step,
  VM_MARK,
} from '../apply-step.ts';
import { busy, lost, onPve1, PveWorld, refused, sealOf, taskEnds, VERSIONS, vm } from '../world.ts';

const unchanged = (world: PveWorld) => world.writes.length === 0;

describe.each(VERSIONS)('bridge.delete on %s', (version) => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', comment: MARK };
  const DELETE = ['DELETE', '/nodes/pve1/network/vmbr1000'] as const;
  const LOCKED = "can't lock file '/etc/network/.pve-interfaces.lock' - got timeout";
  const withBridge = (comments = `${MARK}\n`) =>
    new PveWorld({ version, ...onPve1({ bridges: ['vmbr0', { name: 'vmbr1000', comments }] }) });

  test.each<{ name: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(DELETE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(DELETE, 'after')], outcome: 'already-done' },
    { name: 'the file is locked', faults: [refused(DELETE, LOCKED)], outcome: 'done' },
  ])('$name', async ({ faults = [], outcome }) => {
    const world = withBridge().fault(...faults);
    expect((await apply(world, 'bridge.delete', payload)).outcome).toBe(outcome);
    expect(await world.bridges()).toEqual(['vmbr0']);
    expect(world.writes).toEqual([DELETE.join(' ')]);
  });

  test('absent: nothing is written', async () => {
    const world = new PveWorld({ version });
    expect((await apply(world, 'bridge.delete', payload)).outcome).toBe('already-done');
    expect(unchanged(world)).toBe(true);
  });

  test('removed between look and write', async () => {
    const world = withBridge();
    world.before(DELETE, () => world.admin.deleteBridge('pve1', 'vmbr1000'));
    expect((await apply(world, 'bridge.delete', payload)).outcome).toBe('already-done');
    expect(unchanged(world)).toBe(true);
  });

  test.each(['mine', '', MARK.replace('anna', 'boris')])(
    'a bridge that says "%s" is left alone',
    async (comment) => {
      const world = withBridge(comment);
      await expect(apply(world, 'bridge.delete', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
      expect(unchanged(world)).toBe(true);
    },
  );

  test.each<{ name: string; bridge?: Omit<ScenarioBridge, 'name'>; other?: string; says: string }>([
    { name: 'a port', bridge: { ports: 'eno2' }, says: 'the port eno2' },
    { name: 'an address', bridge: { cidr: '10.1.0.1/24' }, says: 'the address 10.1.0.1/24' },
    { name: 'a bridge over a VLAN of it', other: 'vmbr1000.5', says: 'vmbr7 is built on it' },
  ])('one that was given $name since it was planned is left alone', async ({ bridge = {}, other, says }) => {
    const over = other === undefined ? [] : [{ name: 'vmbr7', ports: other }];
    const bridges = ['vmbr0', { name: 'vmbr1000', comments: `${MARK}\n`, ...bridge }, ...over];
    const world = new PveWorld({ version, ...onPve1({ bridges }) });
    const applied = apply(world, 'bridge.delete', payload);
    await expect(applied).rejects.toThrow(`bridge vmbr1000 on pve1 stays: `);
    await expect(applied).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: expect.stringContaining(says) as unknown,
    });
    expect(unchanged(world)).toBe(true);
  });

  test.each([
    { comment: '', ports: 'eno2' },
    { comment: '', cidr: '10.1.0.1/24' },
    { comment: 'deploy-stand bridge=vmbr1000 reserved since=2026-01-15T09:00:00Z' },
  ])('nor does one without a mark, or a reserved one, go: $comment $ports $cidr', async (bridge) => {
    const { comment, ...more } = bridge;
    const made = { name: 'vmbr1000', comments: comment, ...more };
    const world = new PveWorld({ version, ...onPve1({ bridges: ['vmbr0', made] }) });
    const applied = apply(world, 'bridge.delete', { ...payload, comment });
    await expect(applied).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(unchanged(world)).toBe(true);
  });
});

describe('network.reload after removals', () => {
  const payload = { node: 'pve1', bridges: [], gone: ['vmbr1000'] };
  const RELOAD = ['PUT', '/nodes/pve1/network'] as const;
  const WRITE = RELOAD.join(' ');
  const FAILED = "command 'ifreload -a' failed: exit code 1";
  const isUp = (world: PveWorld, iface: string) =>
    world.state().nodes.find(({ name }) => name === 'pve1')?.running[iface] !== undefined;

  /** Bridges that are up, and the removals of some of them staged. */
  async function staged(
    removed: readonly string[],
    comments: Record<string, string> = {},
  ): Promise<PveWorld> {
    const bridges = ['vmbr1000', 'vmbr1001', 'vmbr7'].map((name) => ({
      name,
      comments: comments[name] ?? MARK,
    }));
    const world = new PveWorld(onPve1({ bridges: ['vmbr0', ...bridges] }));
    for (const iface of removed) await world.drive(world.admin.deleteBridge('pve1', iface));
    return world;
  }

  test.each([
    { name: 'marked', comment: MARK },
    { name: 'adopted, without a mark', comment: '' },
  ])('a staged removal ($name) is applied once', async ({ comment }) => {
    const world = await staged(['vmbr1000'], { vmbr1000: comment });
    expect(isUp(world, 'vmbr1000')).toBe(true);
    expect((await apply(world, 'network.reload', payload)).outcome).toBe('done');
    expect((await world.network()).changes).toBe('');
    expect(isUp(world, 'vmbr1000')).toBe(false);
    expect((await apply(world, 'network.reload', payload)).outcome).toBe('already-done');
    expect(world.writes).toEqual([WRITE]);
  });

  test('a reload that fails twice is told of: the list shows no bridge that is only in the kernel', async () => {
    const world = await staged(['vmbr1000']);
    world.fault(taskEnds(RELOAD, FAILED), taskEnds(RELOAD, FAILED, 2));
    await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject({
      code: 'RELOAD_FAILED',
      message: expect.stringContaining('vmbr1000 may still be up') as string,
    });
    expect(count(world, WRITE)).toBe(2);
    expect(isUp(world, 'vmbr1000')).toBe(true);
    expect(await world.bridges()).not.toContain('vmbr1000');
  });

  test('a reload whose answer was lost is done again: whether it failed, the list does not show', async () => {
    const world = await staged(['vmbr1000']);
    world.fault(lost(RELOAD, 'after'), taskEnds(RELOAD, 'got signal 9'));
    expect((await apply(world, 'network.reload', payload)).outcome).toBe('done');
    expect(count(world, WRITE)).toBe(2);
    expect(isUp(world, 'vmbr1000')).toBe(false);
  });

  test('a foreign removal is never put into force', async () => {
    const world = await staged(['vmbr1000', 'vmbr7'], { vmbr7: '' });
    await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject({
      code: 'FOREIGN_PENDING_CHANGES',
      message: expect.stringMatching(/: vmbr7$/) as string,
    });
    expect(unchanged(world)).toBe(true);
    expect(isUp(world, 'vmbr7')).toBe(true);
  });

  test.each([
    { name: 'nothing is staged', removed: [], reloads: 0 },
    { name: 'other removals are staged', removed: ['vmbr1001'], reloads: 1 },
  ])('a bridge that is still there, where $name, is told of', async ({ removed, reloads }) => {
    const world = await staged(removed);
    await expect(apply(world, 'network.reload', payload)).rejects.toMatchObject({
      code: 'BRIDGES_LEFT',
      message: 'vmbr1000 on pve1 should be gone and is still there',
    });
    expect(count(world, WRITE)).toBe(reloads);
  });

  test('a bridge whose removal failed in this run is not missed: its own step has said why', async () => {
    const world = await staged([]);
    world.undone.add('bridge.delete:pve1/vmbr1000');
    expect((await apply(world, 'network.reload', payload)).outcome).toBe('already-done');
    await world.drive(world.admin.deleteBridge('pve1', 'vmbr1001'));
    const both = { ...payload, gone: ['vmbr1000', 'vmbr1001'] };
    expect((await apply(world, 'network.reload', both)).outcome).toBe('done');
    expect(count(world, WRITE)).toBe(1);
    expect(isUp(world, 'vmbr1000')).toBe(true);
  });
});

describe('acl.revoke', () => {
  const payload = { path: '/pool/anna', role: 'PVEVMAdmin', userid: 'anna@pve' };
  const ACL = ['PUT', '/access/acl'] as const;
  const granted = () =>
    new PveWorld({
      users: [{ userid: 'anna@pve' }],
      pools: [{ pool: 'anna' }],
      acl: ['PVEVMAdmin', 'PVEAuditor'].map((role) => ({ path: '/pool/anna', role, user: 'anna@pve' })),
    });

  test.each<{ name: string; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(ACL, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(ACL, 'after')], outcome: 'done' },
    { name: 'lock timeout', faults: [busy(ACL)], outcome: 'done' },
  ])('$name', async ({ faults = [], outcome }) => {
    const world = granted().fault(...faults);
    expect((await apply(world, 'acl.revoke', payload)).outcome).toBe(outcome);
    expect(world.grants()).toEqual(['/pool/anna PVEAuditor anna@pve true']);
  });

  test.each([
    { name: 'the user does not exist', gone: { userid: 'boris@pve' } },
    { name: 'the role does not exist', gone: { role: 'Former' } },
  ])('$name: done', async ({ gone }) => {
    const world = granted();
    expect((await apply(world, 'acl.revoke', { ...payload, ...gone })).outcome).toBe('already-done');
    expect(world.grants()).toHaveLength(2);
  });
});

describe.each(VERSIONS)('pool.release on %s', (version) => {
  const HEADER = 'deploy-stand user=anna@pve';
  const OTHER = [10020, 10021];
  const VMIDS = [10001, 10002, 10003];
  const payload = {
    pool: 'anna',
    comment: `${HEADER}\nlab=other vmids=10020-10021 since=2026-01-15T09:00:00Z`,
    removeVmids: VMIDS,
  };
  const BEFORE = `${payload.comment}\nlab=net vmids=10001-10003 since=2026-01-15T09:00:00Z`;
  const UPDATE = ['PUT', version === '7.4' ? '/pools/anna' : '/pools'] as const;

  const withPool = (comment = BEFORE, vms: readonly number[] = [...VMIDS, ...OTHER], guests = [10020]) =>
    new PveWorld({
      version,
      pools: [{ pool: 'anna', comment, vms }],
      guests: guests.map((vmid) => vm(vmid, 'pve1')),
    });
  /** What was taken out with each write that PVE carried out. */
  const removals = (world: PveWorld) => world.sent.map(({ params }) => params['vms'] ?? '');

  test.each<{
    name: string;
    make?: () => PveWorld;
    faults?: RequestFault[];
    outcome: string;
    writes: string[];
  }>([
    { name: 'happy path', outcome: 'done', writes: ['10001,10002,10003'] },
    {
      name: 'some went with their VMs',
      make: () => withPool(BEFORE, [10002, ...OTHER]),
      outcome: 'done',
      writes: ['10002'],
    },
    {
      name: 'all went with their VMs: the comment is left to write',
      make: () => withPool(BEFORE, OTHER),
      outcome: 'done',
      writes: [''],
    },
    {
      name: 'done by a run that was killed',
      make: () => withPool(payload.comment, OTHER),
      outcome: 'already-done',
      writes: [],
    },
    { name: 'lost before', faults: [lost(UPDATE, 'before')], outcome: 'done', writes: ['10001,10002,10003'] },
    {
      name: 'lost after',
      faults: [lost(UPDATE, 'after')],
      outcome: 'already-done',
      writes: ['10001,10002,10003'],
    },
    { name: 'lock timeout', faults: [busy(UPDATE)], outcome: 'done', writes: ['10001,10002,10003'] },
  ])('$name', async ({ make = withPool, faults = [], outcome, writes }) => {
    const world = make().fault(...faults);
    expect((await apply(world, 'pool.release', payload)).outcome).toBe(outcome);
    expect(world.pool('anna')).toEqual({ comment: payload.comment, vmids: OTHER });
    expect(removals(world)).toEqual(writes);
  });

  test('one whose VM is removed between look and write', async () => {
    const world = withPool(BEFORE, [...VMIDS, ...OTHER]);
    world.before(UPDATE, () => world.admin.updatePool('anna', { removeVmids: [10002] }));
    expect((await apply(world, 'pool.release', payload)).outcome).toBe('done');
    expect(world.pool('anna')).toEqual({ comment: payload.comment, vmids: OTHER });
    expect(removals(world)).toEqual(['10001,10003']);
  });

  test('somebody else may write the pool by now: its claims are not judged, and not given up', async () => {
    const world = withPool(BEFORE, [...VMIDS, ...OTHER], [10001, 10020]);
    const right = { path: '/pool/anna', role: 'PVEPoolAdmin', userid: 'boss@pve', propagate: true };
    await world.drive(world.admin.createUser({ userid: 'boss@pve', comment: '', groups: [] }));
    await world.drive(world.admin.grant(right));
    await expect(apply(world, 'pool.release', payload)).rejects.toMatchObject({ code: 'POOL_DELEGATED' });
    expect(unchanged(world)).toBe(true);
  });

  test('no pool: nothing to release', async () => {
    const world = new PveWorld({ version });
    expect((await apply(world, 'pool.release', payload)).outcome).toBe('already-done');
    expect(unchanged(world)).toBe(true);
  });

  test('the mark goes, the pool stays', async () => {
    const world = withPool(BEFORE, [10001], []);
    await apply(world, 'pool.release', { pool: 'anna', comment: '', removeVmids: [10001] });
    expect(world.sent).toMatchObject([{ params: { comment: '', vms: '10001', delete: '1' } }]);
    expect(world.pool('anna')).toMatchObject({ comment: '', vmids: [] });
  });

  test('the claim of a VM that exists is never dropped', async () => {
    const world = withPool(BEFORE, [...VMIDS, ...OTHER], [10002, 10020]);
    await expect(apply(world, 'pool.release', payload)).rejects.toMatchObject({
      code: 'CLAIM_IN_USE',
      message: 'pool anna still has VMs of the lab: 10002',
    });
    expect(unchanged(world)).toBe(true);
  });

  const claims = (vms: string) => `${payload.comment}\nlab=net vms=${vms} since=2026-01-15T09:00:00Z`;

  test.each([
    { name: 'that has not joined', vms: reserved(sealOf(10001)), notes: SEALED },
    {
      name: 'of a killed run',
      vms: reserved(sealOf(10001), FORMER_SEAL),
      notes: `${VM_MARK} seal=${FORMER_SEAL}`,
    },
    { name: 'that somebody took out of the pool', vms: 'pc:10001', notes: '' },
    { name: 'that is being cloned', vms: reserved(sealOf(10001)), notes: '', lock: 'clone' },
  ])('the claim of a VM $name is not dropped', async ({ vms, notes, lock }) => {
    const guest = vm(10001, 'pve1', { description: notes, ...(lock ? { config: { lock } } : {}) });
    const pools = [{ pool: 'anna', comment: claims(vms), vms: OTHER }];
    const world = new PveWorld({ version, pools, guests: [guest] });
    await expect(apply(world, 'pool.release', payload)).rejects.toMatchObject({
      code: 'CLAIM_IN_USE',
      message: 'pool anna still has VMs of the lab: 10001',
    });
    expect(unchanged(world)).toBe(true);
  });

  test.each([
    { name: 'a forged mark and no seal', vms: reserved(sealOf(10001)), notes: VM_MARK },
    { name: 'a guessed seal', vms: reserved(sealOf(10001)), notes: `${VM_MARK} seal=${'0'.repeat(32)}` },
    { name: 'a place in another pool', vms: 'pc:10001', notes: SEALED, pool: 'boris' },
  ])("somebody's VM at a claimed id, with $name, keeps no claim", async ({ vms, notes, pool }) => {
    const pools = [{ pool: 'anna', comment: claims(vms), vms: OTHER }, { pool: 'boris' }];
    const guest = vm(10001, 'pve1', { description: notes, ...(pool ? { pool } : {}) });
    const world = new PveWorld({ version, pools, guests: [guest] });
    expect((await apply(world, 'pool.release', { ...payload, removeVmids: [] })).outcome).toBe('done');
    expect(world.pool('anna')?.comment).toBe(payload.comment);
    expect(world.config('pve1', 10001)?.['description']).toBe(notes);
  });

  test.each([
    { name: 'a member', pool: { ...OURS, comment: claims('pc:10001') } },
    { name: 'one that had not joined', pool: { pool: 'anna', comment: claims(reserved(sealOf(10001))) } },
  ])('$name that this run has removed a moment ago is not in use', async ({ pool }) => {
    const world = new PveWorld({
      version,
      pools: [pool],
      guests: [vm(10001, 'pve1', { description: SEALED })],
    });
    const io = world.io();
    const gone = { node: 'pve1', vmid: 10001, pool: 'anna', lockWaitSeconds: 0 };
    await world.drive(handlers['vm.delete'](step('vm.delete', gone), io));
    const release = step('pool.release', { ...payload, removeVmids: [] });
    expect(await world.drive(handlers['pool.release'](release, io))).toBe('done');
    expect(world.pool('anna')?.comment).toBe(payload.comment);
  });

  test('any other refusal fails the step', async () => {
    const denied = 'update pools failed: 403 Permission check failed (/vms/10001, Permissions.Modify)';
    const world = withPool().fault(refused(UPDATE, denied));
    await expect(apply(world, 'pool.release', payload)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      text: denied,
    });
    expect(unchanged(world)).toBe(true);
  });
});

describe.each(VERSIONS)('pool.delete on %s', (version) => {
  const payload = { pool: 'anna', comment: 'deploy-stand user=anna@pve\nlab=net vmids=10001-10003' };
  const DELETE = ['DELETE', version === '7.4' ? '/pools/anna' : '/pools'] as const;
  const withPool = (comment = `${payload.comment}\n`, guests: readonly number[] = []) =>
    new PveWorld({
      version,
      pools: [{ pool: 'anna', comment, vms: [10001, 10002, 10003] }],
      guests: guests.map((vmid) => vm(vmid, 'pve1')),
    });

  test.each<{
    name: string;
    make?: () => PveWorld;
    faults?: RequestFault[];
    outcome: string;
    writes?: number;
  }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'absent', make: () => new PveWorld({ version }), outcome: 'already-done', writes: 0 },
    { name: 'lost before', faults: [lost(DELETE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(DELETE, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(DELETE)], outcome: 'done' },
  ])('$name', async ({ make = withPool, faults = [], outcome, writes = 1 }) => {
    const world = make().fault(...faults);
    expect((await apply(world, 'pool.delete', payload)).outcome).toBe(outcome);
    expect(world.pool('anna')).toBeUndefined();
    expect(world.writes).toHaveLength(writes);
  });

  test('removed between look and write', async () => {
    const world = withPool();
    world.before(DELETE, () => world.admin.deletePool('anna'));
    expect((await apply(world, 'pool.delete', payload)).outcome).toBe('already-done');
  });

  test.each(['hers', '', `${payload.comment}\nlab=new vmids=10007-10009`])(
    'a pool that says "%s" is left alone',
    async (comment) => {
      const world = withPool(comment);
      await expect(apply(world, 'pool.delete', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
      expect(unchanged(world)).toBe(true);
    },
  );

  test.each([
    { name: 'that has not joined', vms: reserved(sealOf(10001)), notes: SEALED, vmids: [] },
    { name: 'that somebody took out of it', vms: 'pc:10001', notes: '', vmids: [] },
    { name: 'that is a member', vms: 'pc:10001', notes: '', vmids: [10001] },
  ])('a pool that claims a VM $name stays', async ({ vms, notes, vmids }) => {
    const comment = claim(vms);
    const guests = [vm(10001, 'pve1', { description: notes })];
    const world = new PveWorld({ version, guests, pools: [{ pool: 'anna', comment, vms: vmids }] });
    await expect(apply(world, 'pool.delete', { pool: 'anna', comment })).rejects.toMatchObject({
      code: 'CLAIM_IN_USE',
      message: 'pool anna stays: it claims VMs that are there: 10001',
    });
    expect(unchanged(world)).toBe(true);
  });

  test('a pool at whose claimed id somebody has made a VM of his own goes', async () => {
    const guests = [vm(10001, 'pve1', { description: VM_MARK })];
    const world = new PveWorld({ version, guests, pools: [RESERVED] });
    const { comment } = RESERVED;
    expect((await apply(world, 'pool.delete', { pool: 'anna', comment })).outcome).toBe('done');
    expect(world.guest(10001)).toBeDefined();
  });

  test('a pool with members stays, and says which', async () => {
    const world = withPool(payload.comment, [10002]);
    await expect(apply(world, 'pool.delete', payload)).rejects.toMatchObject({
      code: 'POOL_NOT_EMPTY',
      message: 'pool anna stays: it contains VM 10002',
    });
    expect(world.pool('anna')?.vmids).toEqual([10001, 10002, 10003]);
  });
});

describe.each(VERSIONS)('user.delete on %s', (version) => {
  const payload = { userid: 'anna@pve', comment: 'deploy-stand since=2026-01-15T09:00:00Z' };
  const DELETE = ['DELETE', '/access/users/anna@pve'] as const;
  const withUsers = (comment = payload.comment) =>
    new PveWorld({ version, users: ['anna@pve', 'b@pve'].map((userid) => ({ userid, comment })) });
  const withB = () => new PveWorld({ version, users: [{ userid: 'b@pve' }] });

  test.each<{
    name: string;
    make?: () => PveWorld;
    faults?: RequestFault[];
    outcome: string;
    writes?: number;
  }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'absent', make: withB, outcome: 'already-done', writes: 0 },
    { name: 'lost before', faults: [lost(DELETE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(DELETE, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(DELETE)], outcome: 'done' },
  ])('$name', async ({ make = withUsers, faults = [], outcome, writes = 1 }) => {
    const world = make().fault(...faults);
    expect((await apply(world, 'user.delete', payload)).outcome).toBe(outcome);
    expect(world.users().map(({ userid }) => userid)).toEqual(['b@pve']);
    expect(world.writes).toHaveLength(writes);
  });

  test('removed between look and write', async () => {
    const world = withUsers();
    world.before(DELETE, () => world.admin.deleteUser('anna@pve'));
    expect((await apply(world, 'user.delete', payload)).outcome).toBe('already-done');
    expect(unchanged(world)).toBe(true);
  });

  test.each([
    { name: 'whose comment was changed', present: 'hers', planned: payload.comment },
    { name: 'that was planned without our mark', present: 'hers', planned: 'hers' },
    { name: 'that was planned without a comment', present: '', planned: '' },
  ])('a user $name stays', async ({ present, planned }) => {
    const world = withUsers(present);
    const applied = apply(world, 'user.delete', { ...payload, comment: planned });
    await expect(applied).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(unchanged(world)).toBe(true);
  });
});
