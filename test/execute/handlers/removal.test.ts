import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../../src/lib/plan/document/step.ts';
import type { RequestFault } from '../../../src/lib/simulator/faults.ts';
import type { Scenario } from '../../../src/lib/simulator/scenario.ts';
import type { ScenarioGuest } from '../../../src/lib/simulator/scenario-types.ts';
import { handlers } from '../../../src/lib/execute/handlers/index.ts';
import { apply, claim, count, OURS, RESERVED, SEALED, step, VM_MARK, without } from '../apply-step.ts';
import { busy, lost, type Login, onPve1, PveWorld, refused, taskEnds, VERSIONS, vm } from '../world.ts';

const VM = { node: 'pve1', vmid: 10001, pool: 'anna', lockWaitSeconds: 120 };
const PATH = '/nodes/pve1/qemu/10001';

type Config = Readonly<Record<string, string>>;
interface Extra {
  readonly guest?: Partial<ScenarioGuest>;
  readonly scenario?: Partial<Scenario>;
  readonly login?: Login;
}

/** A machine of ours: 10001, switched off. */
function withVm(config: Config = {}, { guest = {}, scenario = {}, login }: Extra = {}): PveWorld {
  const guests = [vm(10001, 'pve1', { description: `${VM_MARK} spec=abc\n`, config, ...guest })];
  return new PveWorld({ guests, pools: [OURS], ...scenario }, login);
}

/** Another operation holds it, and lets go after so many seconds. */
function lockedFor(lock: string, seconds: number, extra: Extra = {}): PveWorld {
  const world = withVm({ lock }, extra);
  return world.later(seconds, () => world.unlock('pve1', 10001));
}

const unchanged = (world: PveWorld) => world.writes.length === 0;

describe('a VM that its node does not know', () => {
  const payloads = {
    'vm.stop': VM,
    'vm.unprotect': VM,
    'vm.delete': { ...VM, lockWaitSeconds: 60 },
  } as const;

  test.each(['vm.stop', 'vm.unprotect', 'vm.delete'] as const)('%s: gone is done', async (kind) => {
    const world = new PveWorld({ pools: [OURS] });
    expect((await apply(world, kind, payloads[kind])).outcome).toBe('already-done');
    expect(unchanged(world)).toBe(true);
  });

  test.each([
    ['vm.stop', { running: true }, 'POST /nodes/pve2/qemu/10001/status/stop'],
    ['vm.unprotect', { config: { protection: '1' } }, 'PUT /nodes/pve2/qemu/10001/config'],
    ['vm.delete', {}, 'DELETE /nodes/pve2/qemu/10001'],
  ] as const)('%s: moved is not gone, it is done where it is', async (kind, how, write) => {
    const world = new PveWorld({
      guests: [vm(10001, 'pve2', { description: VM_MARK, ...how })],
      pools: [OURS],
    });
    expect((await apply(world, kind, payloads[kind])).outcome).toBe('done');
    expect(world.writes).toEqual([write]);
  });

  test.each(['vm.stop', 'vm.unprotect', 'vm.delete'] as const)(
    "%s: moved, and somebody else's: left alone",
    async (kind) => {
      const world = new PveWorld({
        guests: [vm(10001, 'pve2', { running: true, pool: 'staff', config: { protection: '1' } })],
        pools: [{ ...OURS, vms: [] }, { pool: 'staff' }],
      });
      await expect(apply(world, kind, payloads[kind])).rejects.toMatchObject({ code: 'NOT_OURS' });
      expect(unchanged(world)).toBe(true);
    },
  );
});

describe('vm.stop', () => {
  const STOP = ['POST', `${PATH}/status/stop`] as const;
  const WRITE = STOP.join(' ');
  const running = { guest: { running: true } };
  const underHa = { guest: { running: true, ha: true } };

  test.each<{
    name: string;
    make?: () => PveWorld;
    faults?: RequestFault[];
    outcome: string;
    stops: number;
  }>([
    { name: 'happy path', outcome: 'done', stops: 1 },
    { name: 'already stopped', make: () => withVm(), outcome: 'already-done', stops: 0 },
    {
      name: 'under HA: the VM stops after the task has ended',
      make: () => withVm({}, underHa),
      outcome: 'done',
      stops: 1,
    },
    { name: 'lost before', faults: [lost(STOP, 'before')], outcome: 'done', stops: 1 },
    {
      name: 'lost after: the task is waited for',
      faults: [lost(STOP, 'after')],
      outcome: 'already-done',
      stops: 1,
    },
    {
      name: 'a backup holds it: waits, then stops',
      make: () => lockedFor('backup', 60, running),
      outcome: 'done',
      stops: 2,
    },
  ])('$name', async ({ make = () => withVm({}, running), faults = [], outcome, stops }) => {
    const world = make().fault(...faults);
    expect((await apply(world, 'vm.stop', VM)).outcome).toBe(outcome);
    expect(world.isRunning(10001)).toBe(false);
    expect(count(world, WRITE)).toBe(stops);
  });

  test('a wish that HA has lost is told again', async () => {
    const world = withVm({}, underHa);
    const forget = () => {
      world.forgetPlans();
    };
    world.before(STOP, () => world.later(1, forget));
    expect((await apply(world, 'vm.stop', VM)).outcome).toBe('done');
    expect(count(world, WRITE)).toBe(2);
    expect(world.isRunning(10001)).toBe(false);
  });

  test.each(VERSIONS)(
    'PVE %s: so is one that it was told in the middle of a migration that fails',
    async (version) => {
      // The target has no such bridge, so that it stays where it is.
      const guests = [vm(10001, 'pve1', { running: true, ha: true, bridge: 'vmbr7' })];
      const stuck = new PveWorld({
        ...onPve1({ bridges: ['vmbr0', 'vmbr7'] }),
        version,
        guests,
        pools: [OURS],
      });
      const move = { node: 'pve1', vmid: 10001, target: 'pve2', online: true };
      await stuck.drive(stuck.admin.migrateVm({ ...move, withLocalDisks: false, conntrack: false }));
      await stuck.pass(10);
      expect((await apply(stuck, 'vm.stop', VM)).outcome).toBe('done');
      expect(stuck.isRunning(10001)).toBe(false);
      expect(count(stuck, WRITE)).toBeGreaterThan(1);
    },
  );

  test.each(VERSIONS)('PVE %s: and one after which it runs on elsewhere: told there', async (version) => {
    const guests = [vm(10001, 'pve1', { running: true, ha: true })];
    // Longer than HA is waited for otherwise.
    const world = new PveWorld({ version, guests, pools: [OURS], latency: { migrate_s: 400 } });
    const move = { node: 'pve1', vmid: 10001, target: 'pve2', online: true };
    await world.drive(world.admin.migrateVm({ ...move, withLocalDisks: false, conntrack: false }));
    await world.pass(10);
    expect((await apply(world, 'vm.stop', VM)).outcome).toBe('done');
    expect(world.isRunning(10001)).toBe(false);
    expect(world.writes.at(-1)).toBe('POST /nodes/pve2/qemu/10001/status/stop');
    expect((await apply(world, 'ha.remove', VM)).outcome).toBe('done');
    expect((await apply(world, 'vm.delete', VM)).outcome).toBe('done');
    expect(world.writes.at(-1)).toBe('DELETE /nodes/pve2/qemu/10001');
  });

  test('a VM that runs on is told of', async () => {
    const world = withVm({}, underHa);
    // However often it is told, and whenever: HA loses it each time, before it acts.
    const forget = () => {
      world.forgetPlans();
    };
    for (let nth = 1; nth <= 100; nth += 1) world.before(STOP, () => world.later(1, forget), nth);
    await expect(apply(world, 'vm.stop', VM)).rejects.toMatchObject({ code: 'STILL_RUNNING' });
    expect(world.isRunning(10001)).toBe(true);
  });

  test('a lock that stays is named', async () => {
    const world = lockedFor('snapshot', 900, running);
    await expect(apply(world, 'vm.stop', VM)).rejects.toMatchObject({
      code: 'VM_LOCKED',
      message: 'VM 10001 on pve1 is locked (snapshot)',
    });
    expect(world.isRunning(10001)).toBe(true);
  });

  // HA says that it will, and its own task meets the lock.
  const WAYS = [
    ['vm.stop', VM, true],
    ['vm.shutdown', { ...VM, timeoutSeconds: 60, force: true }, true],
    ['vm.start', VM, false],
  ] as const;
  test.each(WAYS)('%s: nor does HA keep it to itself', async (kind, payload, isOn) => {
    const world = withVm({ lock: 'backup' }, { guest: { running: isOn, ha: true } });
    await expect(apply(world, kind, payload)).rejects.toMatchObject({
      code: 'VM_LOCKED',
      message: 'VM 10001 on pve1 is locked (backup)',
      hint: "no task of it is to be seen on pve1; unless somebody else's holds it, as root on pve1: `qm unlock 10001`; then run again",
    });
    expect(world.isRunning(10001)).toBe(isOn);
  });

  test.each(WAYS.slice(0, 2))('%s under HA: one that goes is waited for', async (kind, payload) => {
    const world = lockedFor('backup', 60, underHa);
    expect((await apply(world, kind, payload)).outcome).toMatch(/done/);
    expect(world.isRunning(10001)).toBe(false);
  });
});

describe('vm.unprotect', () => {
  const CONFIG = ['PUT', `${PATH}/config`] as const;

  test.each<{ name: string; make?: () => PveWorld; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(CONFIG, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(CONFIG, 'after')], outcome: 'already-done' },
    {
      name: 'locked for a moment',
      make: () => lockedFor('backup', 10, { guest: { config: { protection: '1', lock: 'backup' } } }),
      outcome: 'done',
    },
  ])('$name: one write, of nothing else', async ({ make, faults = [], outcome }) => {
    const world = (make ?? (() => withVm({ protection: '1' })))().fault(...faults);
    const before = without(world.config('pve1', 10001), 'lock');
    expect((await apply(world, 'vm.unprotect', VM)).outcome).toBe(outcome);
    expect(world.config('pve1', 10001)).toEqual({ ...before, protection: '0' });
    expect(world.sent).toMatchObject([{ path: CONFIG[1], params: { protection: '0' } }]);
  });

  test('not protected: nothing is written', async () => {
    const world = withVm();
    expect((await apply(world, 'vm.unprotect', VM)).outcome).toBe('already-done');
    expect(unchanged(world)).toBe(true);
  });
});

describe.each(VERSIONS)('ha.remove on %s', (version) => {
  const payload = { vmid: 10001, pool: 'anna' };
  const REMOVE = ['DELETE', '/cluster/ha/resources/vm:10001'] as const;
  const HA_10002 = vm(10002, 'pve1', { ha: true });
  const managed = (...vmids: readonly number[]) =>
    new PveWorld({
      version,
      guests: vmids.map((vmid) => vm(vmid, 'pve1', { ha: true })),
      pools: [OURS],
    });

  test.each<{ name: string; make?: () => PveWorld; faults?: RequestFault[]; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    {
      name: 'not managed',
      make: () => new PveWorld({ version, guests: [vm(10001, 'pve1'), HA_10002], pools: [OURS] }),
      outcome: 'already-done',
    },
    { name: 'gone', make: () => managed(10002), outcome: 'already-done' },
    { name: 'lost after', faults: [lost(REMOVE, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(REMOVE, 'domain-ha')], outcome: 'done' },
  ])('$name', async ({ make = () => managed(10001, 10002), faults = [], outcome }) => {
    const world = make().fault(...faults);
    expect((await apply(world, 'ha.remove', payload)).outcome).toBe(outcome);
    expect(world.haVmids()).toEqual([10002]);
  });

  test('any other refusal fails the step', async () => {
    const denied = 'Permission check failed (/, Sys.Console)';
    const world = managed(10001).fault(refused(REMOVE, denied, 403));
    await expect(apply(world, 'ha.remove', payload)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      text: denied,
    });
    expect(world.haVmids()).toEqual([10001]);
  });
});

describe('vm.delete', () => {
  const payload: StepPayloads['vm.delete'] = {
    ...VM,
    lockWaitSeconds: 300,
  };
  const DELETE = ['DELETE', PATH] as const;
  const WRITE = DELETE.join(' ');
  /** A write of user.cfg takes longer than a removal waits for its lock. */
  const SLOW_USER_CFG = { latency: { user_cfg_write_ms: 15_000 } };
  const notes = (description: string): Extra => ({ guest: { description } });

  test.each<{
    name: string;
    make?: () => PveWorld;
    prepare?: (world: PveWorld) => unknown;
    outcome: string;
    deletes?: number;
  }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', prepare: (world) => world.fault(lost(DELETE, 'before')), outcome: 'done' },
    {
      name: 'lost after: the task is waited for',
      prepare: (world) => world.fault(lost(DELETE, 'after')),
      outcome: 'already-done',
    },
    {
      name: 'lost after, and the task fails',
      prepare: (world) => world.fault(lost(DELETE, 'after'), taskEnds(DELETE, 'rbd error: it is busy')),
      outcome: 'done',
      deletes: 2,
    },
    {
      name: 'its flock is busy for a moment',
      make: () => withVm({}, { scenario: { latency: { storage_lock_s: 12 } } }),
      // A new disk is made under the VM's own lock file, longer than the removal waits for it.
      prepare: (world) =>
        world.before(DELETE, () => {
          world.begin(() => world.byHand.put(`${PATH}/config`, { scsi1: 'nfs:1' }));
          return world.clock.sleep(100);
        }),
      outcome: 'done',
      deletes: 2,
    },
    { name: 'a lock of somebody else is waited for', make: () => lockedFor('backup', 200), outcome: 'done' },
    {
      name: 'a lock that comes after the look is waited for, too',
      prepare: (world) =>
        world.before(DELETE, async () => {
          await world.byHand.put(`${PATH}/config`, { lock: 'backup' });
          world.later(5, () => world.unlock('pve1', 10001));
        }),
      outcome: 'done',
      deletes: 2,
    },
    {
      name: 'another removal is under way: waits for its end',
      make: () => withVm({}, { scenario: { latency: { user_cfg_write_ms: 40_000 } } }),
      prepare: async (world) => {
        await world.drive(world.admin.deleteVm({ node: 'pve1', vmid: 10001 }, { purge: true }));
        await world.pass(5);
      },
      outcome: 'already-done',
      deletes: 0,
    },
    {
      name: 'a removal that we cannot see is in its last phase',
      make: () => {
        const login = { user: 'op@pve', password: 'op-secret' };
        const scenario: Partial<Scenario> = {
          latency: { user_cfg_write_ms: 8_000 },
          users: [{ userid: login.user, password: login.password }],
          acl: [
            { path: '/vms', role: 'PVEVMAdmin', user: login.user },
            { path: '/pool', role: 'PVEPoolAdmin', user: login.user },
          ],
        };
        return withVm({}, { scenario, login });
      },
      prepare: async (world) => {
        await world.drive(world.admin.deleteVm({ node: 'pve1', vmid: 10001 }, { purge: true }));
        await world.pass(3);
        expect(await world.drive(world.pve.tasks('pve1', { source: 'active' }))).toEqual([]);
      },
      outcome: 'already-done',
      deletes: 0,
    },
    {
      name: 'the student wrote into the notes',
      make: () => withVm({}, notes(`my notes\n${VM_MARK}\n`)),
      outcome: 'done',
    },
    { name: 'the mark is gone', make: () => withVm({}, notes('')), outcome: 'done' },
    {
      name: 'the notes name another machine',
      make: () => withVm({}, notes(VM_MARK.replace('machine=pc', 'machine=router'))),
      outcome: 'done',
    },
    {
      name: 'never finished: its seal fits',
      make: () => withVm({}, { ...notes(SEALED), scenario: { pools: [RESERVED] } }),
      outcome: 'done',
    },
    {
      name: 'a warning that is not about disks',
      prepare: (world) => world.fault(taskEnds(DELETE, 'WARNINGS: 1')),
      outcome: 'done',
    },
  ])('$name', async ({ make = withVm, prepare, outcome, deletes = 1 }) => {
    const world = make();
    await prepare?.(world);
    expect((await apply(world, 'vm.delete', payload)).outcome).toBe(outcome);
    expect(world.guest(10001)).toBeUndefined();
    expect(world.state().volumes).toEqual([]);
    expect(count(world, WRITE)).toBe(deletes);
    for (const { params } of world.sent) expect(params).toEqual({ purge: '1' });
  });

  test.each<{ name: string; make: () => PveWorld; act: (world: PveWorld) => unknown }>([
    {
      name: 'left its pool',
      make: withVm,
      act: ({ admin }) => admin.updatePool('anna', { removeVmids: [10001] }),
    },
    {
      name: 'lost its seal',
      make: () => withVm({}, { guest: { description: SEALED }, scenario: { pools: [RESERVED] } }),
      act: ({ admin }) => admin.updateVmConfig(VM, { set: { description: 'of somebody else' }, remove: [] }),
    },
  ])('one that $name while it waited for its turn is left alone', async ({ make, act }) => {
    const world = make();
    const io = world.io();
    const heldUp = io.removals.remove(() => world.clock.sleep(9000));
    await world.pass(6);
    world.later(1, () => act(world));
    const removed = handlers['vm.delete'](step('vm.delete', payload), io);
    await expect(world.drive(removed)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.guest(10001)).toBeDefined();
    await heldUp;
  });

  test('it lets others work while a lock is waited for, and only then', async () => {
    const free = withVm();
    await apply(free, 'vm.delete', payload);
    const locked = lockedFor('backup', 60);
    await apply(locked, 'vm.delete', payload);
    expect([free.asides, locked.asides]).toEqual([0, 1]);
  });

  test.each<{ name: string; make: () => PveWorld | Promise<PveWorld>; code: string; says: string }>([
    {
      name: 'protected',
      make: () => withVm({ protection: '1' }),
      code: 'PROTECTED',
      says: 'VM 10001 on pve1 is protected',
    },
    {
      name: 'running',
      make: () => withVm({}, { guest: { running: true } }),
      code: 'STILL_RUNNING',
      says: 'VM 10001 on pve1 was started meanwhile',
    },
    {
      name: 'the base of linked clones',
      make: async () => {
        const template = { vmid: 10001, name: 'pc', node: 'pve1', storage: 'nfs', description: VM_MARK };
        const world = new PveWorld({ templates: [template], pools: [OURS] });
        const copy = { node: 'pve1', target: 'pve1', vmid: 500, name: 'copy', description: '', full: false };
        await world.drive(world.admin.cloneVm({ ...copy, templateVmid: 10001 }));
        await world.pass(10);
        return world;
      },
      code: 'BASE_IN_USE',
      says: "VM 10001 on pve1 has linked clones: base volume 'nfs:10001/base-10001-disk-0.qcow2' is still in use by linked cloned",
    },
    {
      name: 'locked for too long',
      make: () => lockedFor('migrate', 900),
      code: 'VM_LOCKED',
      says: 'VM 10001 on pve1 is locked (migrate)',
    },
    {
      name: 'being cloned for too long',
      make: async () => {
        const template = { vmid: 100, name: 'debian', node: 'pve1', storage: 'nfs', disks_gib: [300] };
        const world = new PveWorld({ templates: [template], pools: [OURS] });
        const copy = { vmid: 10001, name: 'pc', description: VM_MARK, full: true };
        await world.drive(world.admin.cloneVm({ ...copy, node: 'pve1', target: 'pve1', templateVmid: 100 }));
        await world.pass(10);
        return world;
      },
      code: 'VM_LOCKED',
      says: 'VM 10001 on pve1 is locked (clone)',
    },
  ])('$name: stays, and says why', async ({ make, code, says }) => {
    const world = await make();
    await expect(apply(world, 'vm.delete', payload)).rejects.toMatchObject({ code, message: says });
    expect(world.guest(10001)).toBeDefined();
  });

  test('a lock that turns into that of a failed removal is not waited for any longer', async () => {
    const world = withVm({ lock: 'backup' }, { scenario: SLOW_USER_CFG });
    world.later(10, async () => {
      world.begin(() => world.admin.createPool('other', ''));
      await world.admin.deleteVm({ node: 'pve1', vmid: 10001 }, { purge: true, skipLock: true });
    });
    const begun = world.clock.now();
    await expect(apply(world, 'vm.delete', payload)).rejects.toMatchObject({ code: 'ZOMBIE_VM' });
    expect(world.since(begun)).toBeLessThan(60);
    expect(world.config('pve1', 10001)).toEqual({ lock: 'destroyed' });
  });

  test('without patience a lock is told of at once', async () => {
    const world = lockedFor('backup', 5);
    const begun = world.clock.now();
    const applied = apply(world, 'vm.delete', { ...payload, lockWaitSeconds: 0 });
    await expect(applied).rejects.toMatchObject({ code: 'VM_LOCKED' });
    // Three requests, no wait.
    expect(world.since(begun)).toBeLessThan(0.1);
  });

  test('its pool is asked when its turn has come, however long that was waited for', async () => {
    const world = withVm();
    const io = world.io();
    const slow = io.removals.remove(() => world.clock.sleep(9000));
    await world.pass(6);
    world.later(1, () => world.admin.updatePool('anna', { removeVmids: [10001] }));
    const removal = handlers['vm.delete'](step('vm.delete', payload), io);
    await expect(world.drive(removal)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.guest(10001)).toBeDefined();
    await slow;
  });

  test('a VM that a migration takes away is removed where it went', async () => {
    const world = withVm({}, { scenario: { latency: { migrate_s: 30 } } });
    const move = { node: 'pve1', vmid: 10001, target: 'pve2' };
    await world.drive(world.admin.migrateVm(move));
    await world.pass(1);
    expect((await apply(world, 'vm.delete', payload)).outcome).toBe('done');
    expect(world.config('pve2', 10001)).toBeUndefined();
  });

  test('a disk that stays behind is named', async () => {
    // Somebody else's clone holds the storage's lock.
    const templates = [{ vmid: 100, name: 'debian', node: 'pve1', storage: 'nfs' }];
    const world = withVm({}, { scenario: { templates, latency: { storage_lock_s: 30 } } });
    const copy = { vmid: 500, name: 'copy', description: '', full: false };
    await world.drive(world.admin.cloneVm({ ...copy, node: 'pve1', target: 'pve1', templateVmid: 100 }));
    await expect(apply(world, 'vm.delete', payload)).rejects.toMatchObject({
      code: 'DISK_LEFT',
      message: 'VM 10001 is removed, but not its disk nfs:10001/vm-10001-disk-0.qcow2',
      hint: 'as root on pve1: `pvesm free nfs:10001/vm-10001-disk-0.qcow2`; then run again',
    });
    expect(world.guest(10001)).toBeUndefined();
  });

  interface Rest {
    readonly name: string;
    readonly make: (extra: Extra) => PveWorld;
    readonly deletes: number;
    /** Of one that is not ours. */
    readonly code: string;
  }
  const hogged = (extra: Extra): PveWorld => {
    const world = withVm({}, { ...extra, scenario: { ...extra.scenario, ...SLOW_USER_CFG } });
    return world.before(DELETE, () => world.begin(() => world.admin.createPool('other', '')));
  };
  const bare = (lock: string) => (extra: Extra) => withVm({ lock }, { ...extra, ...notes('') });

  describe.each<Rest>([
    { name: 'user.cfg was busy', make: hogged, deletes: 1, code: 'NOT_OURS' },
    { name: 'the rest of a failed removal', make: bare('destroyed'), deletes: 0, code: 'ZOMBIE_VM' },
    { name: 'the rest of a failed clone', make: bare('clone'), deletes: 0, code: 'ZOMBIE_VM' },
  ])('$name', ({ make, deletes, code }) => {
    test('is reported with the command that helps', async () => {
      const world = make({});
      await expect(apply(world, 'vm.delete', payload)).rejects.toMatchObject({
        code: 'ZOMBIE_VM',
        message: expect.stringMatching(
          /^VM 10001 on pve1 is the rest of a failed .*; only root can remove it$/,
        ) as string,
        hint: 'as root on pve1: `qm unlock 10001 && qm destroy 10001 --purge`, then run again',
      });
      expect(world.writes).toHaveLength(deletes);
    });

    test('is removed with the ticket of root@pam', async () => {
      const world = make({ login: 'root' });
      expect((await apply(world, 'vm.delete', payload)).outcome).toBe('done');
      expect(world.guest(10001)).toBeUndefined();
      expect(world.sent.at(-1)).toMatchObject({ method: 'DELETE', params: { purge: '1', skiplock: '1' } });
    });

    test.each([
      { name: 'outside of the pool', pool: { ...OURS, vms: [] } },
      { name: 'where the pool does not claim it', pool: { ...OURS, comment: claim('pc:10002') } },
    ])('is left alone $name', async ({ pool }) => {
      const world = make({ login: 'root', scenario: { pools: [pool] } });
      await expect(apply(world, 'vm.delete', payload)).rejects.toMatchObject({ code });
      expect(unchanged(world)).toBe(true);
      expect(world.guest(10001)).toBeDefined();
    });
  });

  test('a lock timeout is told to the scheduler', async () => {
    const world = hogged({ login: 'root' });
    expect((await apply(world, 'vm.delete', payload)).retries).toBe(1);
  });
});
