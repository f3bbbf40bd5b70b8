import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../src/lib/plan/document/step.ts';
import { apply, bridgeRow, count, MARK, stagedDiff, VM_MARK } from './apply-step.ts';
import { FakePve, type FaultSpec, lockTimeout, lost, refuse } from './fake-pve.ts';

const VM = { node: 'pve1', vmid: 10001, lockWaitSeconds: 120 };

function withVm(values: Record<string, string> = {}): FakePve {
  const pve = new FakePve();
  pve.vms.set('pve1/10001', { description: `${VM_MARK} spec=abc\n`, digest: 'd1', ...values });
  return pve;
}

/** Another operation holds the VM for so long. */
function lockFor(pve: FakePve, lock: string, seconds: number, type = 'vzdump'): FakePve {
  const values = pve.vms.get('pve1/10001')!;
  values['lock'] = lock;
  const release = () => {
    Reflect.deleteProperty(values, 'lock');
    return 'OK';
  };
  pve.startTask(type, '10001', release, seconds);
  return pve;
}

const unchanged = (pve: FakePve) => pve.writes.length === 0;

describe('a VM that its node does not know', () => {
  const payloads = {
    'vm.stop': VM,
    'vm.unprotect': VM,
    'vm.delete': { ...VM, pool: 'anna', description: VM_MARK, lockWaitSeconds: 60 },
  } as const;

  test.each(['vm.stop', 'vm.unprotect', 'vm.delete'] as const)('%s: gone is done', async (kind) => {
    const pve = new FakePve();
    expect((await apply(pve, kind, payloads[kind])).outcome).toBe('already-done');
    expect(unchanged(pve)).toBe(true);
  });

  test.each(['vm.stop', 'vm.unprotect', 'vm.delete'] as const)('%s: moved is not gone', async (kind) => {
    const pve = new FakePve();
    pve.vms.set('pve2/10001', { description: VM_MARK, protection: '1' });
    await expect(apply(pve, kind, payloads[kind])).rejects.toMatchObject({
      code: 'VM_MOVED',
      message: 'VM 10001 is on pve2 by now, not on pve1',
    });
    expect(unchanged(pve)).toBe(true);
  });
});

describe('vm.stop', () => {
  function running(): FakePve {
    const pve = withVm();
    pve.running.add(10001);
    return pve;
  }

  test.each<{ name: string; prepare: (pve: FakePve) => void; outcome: string; stops: number }>([
    { name: 'happy path', prepare: () => undefined, outcome: 'done', stops: 1 },
    {
      name: 'already stopped',
      prepare: (pve) => {
        pve.running.clear();
      },
      outcome: 'already-done',
      stops: 0,
    },
    {
      name: 'under HA: the VM stops after the task has ended',
      prepare: (pve) => void pve.ha.add(10001),
      outcome: 'done',
      stops: 1,
    },
    {
      name: 'lost before',
      prepare: (pve) => void pve.fault('stopVm', lost()),
      outcome: 'done',
      stops: 1,
    },
    {
      name: 'lost after: the task is waited for',
      prepare: (pve) => void pve.fault('stopVm', lost(), 'after'),
      outcome: 'already-done',
      stops: 1,
    },
    {
      name: 'a backup holds it: waits, then stops',
      prepare: (pve) => {
        lockFor(pve, 'backup', 60);
        pve.exits.push('VM is locked (backup)');
      },
      outcome: 'done',
      stops: 2,
    },
  ])('$name', async ({ prepare, outcome, stops }) => {
    const pve = running();
    prepare(pve);
    expect((await apply(pve, 'vm.stop', VM)).outcome).toBe(outcome);
    expect([...pve.running]).toEqual([]);
    expect(count(pve, 'stop 10001')).toBe(stops);
  });

  test('a VM that runs on is told of', async () => {
    const pve = running();
    pve.ha.add(10001);
    pve.running.delete = () => false;
    await expect(apply(pve, 'vm.stop', VM)).rejects.toMatchObject({ code: 'STILL_RUNNING' });
    expect(count(pve, 'stop 10001')).toBe(1);
  });

  test('a lock that stays is named', async () => {
    const pve = running();
    lockFor(pve, 'snapshot', 900);
    pve.exits.push('VM is locked (snapshot)');
    await expect(apply(pve, 'vm.stop', VM)).rejects.toMatchObject({
      code: 'VM_LOCKED',
      message: 'VM 10001 on pve1 is locked (snapshot)',
    });
    expect([...pve.running]).toEqual([10001]);
  });
});

describe('vm.unprotect', () => {
  test.each<{ name: string; fault?: FaultSpec; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', fault: [lost(), 'before'], outcome: 'done' },
    { name: 'lost after', fault: [lost(), 'after'], outcome: 'already-done' },
    {
      name: 'locked for a moment',
      fault: [refuse('VM is locked (backup)'), 'before'],
      outcome: 'done',
    },
  ])('$name: one write, of nothing else', async ({ fault, outcome }) => {
    const pve = withVm({ protection: '1', cores: '2' });
    if (fault) pve.fault('updateVmConfig', ...fault);
    expect((await apply(pve, 'vm.unprotect', VM)).outcome).toBe(outcome);
    expect(pve.vm('pve1/10001')).toMatchObject({ protection: '0', cores: '2' });
    expect(pve.writes).toEqual(['configure 10001']);
  });

  test('not protected: nothing is written', async () => {
    const pve = withVm();
    expect((await apply(pve, 'vm.unprotect', VM)).outcome).toBe('already-done');
    expect(unchanged(pve)).toBe(true);
  });
});

describe('ha.remove', () => {
  test.each<{ name: string; prepare: (pve: FakePve) => void; outcome: string }>([
    { name: 'happy path', prepare: (pve) => void pve.ha.add(10001), outcome: 'done' },
    { name: 'not managed', prepare: () => undefined, outcome: 'already-done' },
    {
      name: 'lost after',
      prepare: (pve) => void pve.fault('removeHaResource', lost(), 'after').ha.add(10001),
      outcome: 'already-done',
    },
    {
      name: 'lock timeout',
      prepare: (pve) => void pve.fault('removeHaResource', lockTimeout('domain-ha')).ha.add(10001),
      outcome: 'done',
    },
  ])('$name', async ({ prepare, outcome }) => {
    const pve = new FakePve();
    pve.ha.add(10002);
    prepare(pve);
    expect((await apply(pve, 'ha.remove', { vmid: 10001 })).outcome).toBe(outcome);
    expect([...pve.ha]).toEqual([10002]);
  });

  test('any other refusal fails the step', async () => {
    const denied = refuse('Permission check failed (/, Sys.Console)', {}, 403);
    const pve = new FakePve().fault('removeHaResource', denied);
    await expect(apply(pve, 'ha.remove', { vmid: 10001 })).rejects.toBe(denied);
  });
});

describe('vm.delete', () => {
  const payload: StepPayloads['vm.delete'] = {
    ...VM,
    pool: 'anna',
    description: `${VM_MARK} spec=abc`,
    lockWaitSeconds: 300,
  };
  const inPool = (pve: FakePve, pool = 'anna') => {
    pve.pools.set(pool, { comment: '', vmids: new Set([10001]) });
    return pve;
  };
  const USER_CFG =
    "access permissions cleanup for VM 10001 failed: cfs-lock 'file-user_cfg' error: got lock request timeout";

  test.each<{ name: string; prepare: (pve: FakePve) => void; outcome: string; deletes?: number }>([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    { name: 'lost before', prepare: (pve) => void pve.fault('deleteVm', lost()), outcome: 'done' },
    {
      name: 'lost after: the task is waited for',
      prepare: (pve) => void pve.fault('deleteVm', lost(), 'after'),
      outcome: 'already-done',
    },
    {
      name: 'lost after, and the task fails',
      prepare: (pve) => {
        pve.fault('deleteVm', lost(), 'after');
        pve.exits.push('rbd error: it is busy');
      },
      outcome: 'done',
      deletes: 2,
    },
    {
      name: 'its flock is busy for a moment',
      prepare: (pve) =>
        void pve.exits.push("can't lock file '/var/lock/qemu-server/lock-10001.conf' - got timeout"),
      outcome: 'done',
      deletes: 2,
    },
    {
      name: 'a lock of somebody else is waited for',
      prepare: (pve) => void lockFor(pve, 'backup', 200),
      outcome: 'done',
    },
    {
      name: 'a lock that comes after the look is waited for, too',
      prepare: (pve) => void pve.exits.push('VM is locked (snapshot)'),
      outcome: 'done',
      deletes: 2,
    },
    {
      name: 'another removal is under way: waits for its end',
      prepare: (pve) => {
        pve.vms.set('pve1/10001', { lock: 'destroyed' });
        pve.startTask('qmdestroy', '10001', () => String(pve.vms.delete('pve1/10001')), 40);
      },
      outcome: 'already-done',
      deletes: 0,
    },
    {
      name: 'a removal that we cannot see is in its last phase',
      prepare: (pve) => {
        pve.vms.set('pve1/10001', { lock: 'destroyed' });
        pve.startTask('hidden', '', () => String(pve.vms.delete('pve1/10001')), 8);
      },
      outcome: 'already-done',
      deletes: 0,
    },
    {
      name: 'the student wrote into the notes',
      prepare: (pve) => void (pve.vms.get('pve1/10001')!['description'] = `my notes\n${VM_MARK}\n`),
      outcome: 'done',
    },
    {
      name: 'the mark is gone, but it is in the pool',
      prepare: (pve) => void (inPool(pve).vms.get('pve1/10001')!['description'] = ''),
      outcome: 'done',
    },
    {
      name: 'a warning that is not about disks',
      prepare: (pve) => {
        pve.exits.push('WARNINGS: 1');
        pve.log.push('WARN: something old', 'TASK WARNINGS: 1');
      },
      outcome: 'done',
    },
  ])('$name', async ({ prepare, outcome, deletes = 1 }) => {
    const pve = withVm();
    prepare(pve);
    expect((await apply(pve, 'vm.delete', payload)).outcome).toBe(outcome);
    expect(pve.vms.size).toBe(0);
    expect(count(pve, 'deleteVm 10001 purge')).toBe(deletes);
  });

  test('it lets others work while a lock is waited for, and only then', async () => {
    const free = withVm();
    await apply(free, 'vm.delete', payload);
    const locked = lockFor(withVm(), 'backup', 60);
    await apply(locked, 'vm.delete', payload);
    expect([free.asides, locked.asides]).toEqual([0, 1]);
  });

  test.each<{ name: string; values: Record<string, string>; pool?: string; description?: string }>([
    { name: 'another machine', values: { description: VM_MARK.replace('machine=pc', 'machine=router') } },
    { name: "somebody's clone of ours", values: { description: VM_MARK.replace('10001', '10002') } },
    { name: 'production', values: { description: 'production' }, pool: 'boris' },
    { name: 'one without notes where none were seen', values: { description: '' }, description: '' },
    {
      name: 'one with the planned notes, which prove nothing',
      values: { description: 'by hand' },
      description: 'by hand',
    },
  ])('$name is left alone', async ({ values, pool, description }) => {
    const pve = withVm(values);
    if (pool !== undefined) inPool(pve, pool);
    const planned = description === undefined ? payload : { ...payload, description };
    await expect(apply(pve, 'vm.delete', planned)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(unchanged(pve)).toBe(true);
  });

  test.each<{ name: string; prepare: (pve: FakePve) => void; code: string; says: string }>([
    {
      name: 'protected',
      prepare: (pve) => void (pve.vms.get('pve1/10001')!['protection'] = '1'),
      code: 'PROTECTED',
      says: 'VM 10001 on pve1 is protected',
    },
    {
      name: 'running',
      prepare: (pve) => void pve.running.add(10001),
      code: 'STILL_RUNNING',
      says: 'VM 10001 on pve1 was started meanwhile',
    },
    {
      name: 'the base of linked clones',
      prepare: (pve) =>
        void pve.exits.push("base volume 'nfs:base-10001-disk-0' is still in use by linked cloned"),
      code: 'BASE_IN_USE',
      says: "VM 10001 on pve1 has linked clones: base volume 'nfs:base-10001-disk-0' is still in use by linked cloned",
    },
    {
      name: 'locked for too long',
      prepare: (pve) => void lockFor(pve, 'migrate', 900),
      code: 'VM_LOCKED',
      says: 'VM 10001 on pve1 is locked (migrate)',
    },
    {
      name: 'being cloned for too long',
      prepare: (pve) => void lockFor(pve, 'clone', 900, 'qmclone'),
      code: 'VM_LOCKED',
      says: 'VM 10001 on pve1 is locked (clone)',
    },
  ])('$name: stays, and says why', async ({ prepare, code, says }) => {
    const pve = withVm();
    prepare(pve);
    await expect(apply(pve, 'vm.delete', payload)).rejects.toMatchObject({ code, message: says });
    expect(pve.vms.size).toBe(1);
  });

  test('a lock that turns into that of a failed removal is not waited for any longer', async () => {
    const pve = withVm({ lock: 'backup' });
    const end = () => {
      pve.vms.set('pve1/10001', { lock: 'destroyed' });
      return 'OK';
    };
    pve.startTask('vzdump', '10001', end, 10);
    const begun = pve.clock.now();
    await expect(apply(pve, 'vm.delete', payload)).rejects.toMatchObject({ code: 'ZOMBIE_VM' });
    expect(pve.clock.now() - begun).toBeLessThan(60_000);
  });

  test('without patience a lock is told of at once', async () => {
    const pve = lockFor(withVm(), 'backup', 5);
    const begun = pve.clock.now();
    const applied = apply(pve, 'vm.delete', { ...payload, lockWaitSeconds: 0 });
    await expect(applied).rejects.toMatchObject({ code: 'VM_LOCKED' });
    expect(pve.clock.now()).toBe(begun);
  });

  test('a VM that a migration takes away is not gone', async () => {
    const pve = withVm({ lock: 'migrate' });
    const move = () => {
      pve.vms.delete('pve1/10001');
      pve.vms.set('pve2/10001', { description: VM_MARK });
      return 'OK';
    };
    pve.startTask('qmigrate', '10001', move, 30);
    await expect(apply(pve, 'vm.delete', payload)).rejects.toMatchObject({ code: 'VM_MOVED' });
  });

  test('a disk that stays behind is named', async () => {
    const pve = withVm();
    pve.exits.push('WARNINGS: 1');
    pve.log.push("WARN: Could not remove disk 'nfs:vm-10001-disk-0', check manually: got timeout");
    await expect(apply(pve, 'vm.delete', payload)).rejects.toMatchObject({
      code: 'DISK_LEFT',
      message: 'VM 10001 is removed, but not its disk nfs:vm-10001-disk-0',
      hint: 'as root on pve1: `pvesm free nfs:vm-10001-disk-0`; then run cleanup again',
    });
  });

  describe.each([
    { name: 'user.cfg was busy', prepare: (pve: FakePve) => void pve.exits.push(USER_CFG), deletes: 1 },
    {
      name: 'the rest of a failed removal',
      prepare: (pve: FakePve) => void pve.vms.set('pve1/10001', { lock: 'destroyed' }),
      deletes: 0,
    },
    {
      name: 'the rest of a failed clone',
      prepare: (pve: FakePve) => void pve.vms.set('pve1/10001', { lock: 'clone' }),
      deletes: 0,
    },
  ])('$name', ({ prepare, deletes }) => {
    test('is reported with the command that helps', async () => {
      const pve = inPool(withVm());
      prepare(pve);
      await expect(apply(pve, 'vm.delete', payload)).rejects.toMatchObject({
        code: 'ZOMBIE_VM',
        message: expect.stringMatching(
          /^VM 10001 on pve1 is the rest of a failed .*; only root can remove it$/,
        ) as string,
        hint: 'as root on pve1: `qm unlock 10001 && qm destroy 10001 --purge`, then run cleanup again',
      });
      expect(pve.writes).toHaveLength(deletes);
    });

    test('is removed with the ticket of root@pam', async () => {
      const pve = inPool(withVm());
      pve.isRoot = true;
      prepare(pve);
      expect((await apply(pve, 'vm.delete', payload)).outcome).toBe('done');
      expect(pve.vms.size).toBe(0);
      expect(pve.writes.at(-1)).toBe('deleteVm 10001 purge skiplock');
    });

    test('is left alone outside of the pool', async () => {
      const pve = withVm();
      pve.isRoot = true;
      prepare(pve);
      await expect(apply(pve, 'vm.delete', payload)).rejects.toMatchObject({ code: 'ZOMBIE_VM' });
      expect(pve.writes).toHaveLength(deletes);
    });
  });

  test('a lock timeout is told to the scheduler', async () => {
    const pve = inPool(withVm());
    pve.exits.push(USER_CFG);
    pve.isRoot = true;
    expect((await apply(pve, 'vm.delete', payload)).retries).toBe(1);
  });
});

describe('bridge.delete', () => {
  const payload = { node: 'pve1', bridge: 'vmbr1000', comment: MARK };

  test.each<{ name: string; fault?: FaultSpec; outcome: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', fault: [lost(), 'before'], outcome: 'done' },
    { name: 'lost after', fault: [lost(), 'after'], outcome: 'already-done' },
    {
      name: 'the file is locked',
      fault: [refuse("can't lock file '/etc/network/.pve-interfaces.lock' - got timeout"), 'before'],
      outcome: 'done',
    },
  ])('$name', async ({ fault, outcome }) => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr0', '', true), bridgeRow('vmbr1000', `${MARK}\n`, true));
    if (fault) pve.fault('deleteBridge', ...fault);
    expect((await apply(pve, 'bridge.delete', payload)).outcome).toBe(outcome);
    expect(pve.rows.map(({ iface }) => iface)).toEqual(['vmbr0']);
    expect(pve.writes).toEqual(['deleteBridge vmbr1000']);
  });

  test('absent: nothing is written', async () => {
    const pve = new FakePve();
    expect((await apply(pve, 'bridge.delete', payload)).outcome).toBe('already-done');
    expect(unchanged(pve)).toBe(true);
  });

  test('removed between look and write', async () => {
    const gone = refuse('Parameter verification failed.', { iface: 'interface does not exist' }, 400);
    const pve = new FakePve().fault('deleteBridge', gone);
    pve.rows.push(bridgeRow('vmbr1000', MARK));
    expect((await apply(pve, 'bridge.delete', payload)).outcome).toBe('already-done');
  });

  test.each(['mine', '', MARK.replace('anna', 'boris')])(
    'a bridge that says "%s" is left alone',
    async (comment) => {
      const pve = new FakePve();
      pve.rows.push(bridgeRow('vmbr1000', comment, true));
      await expect(apply(pve, 'bridge.delete', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
      expect(unchanged(pve)).toBe(true);
    },
  );
});

describe('network.reload after removals', () => {
  const payload = { node: 'pve1', bridges: [], gone: ['vmbr1000'] };

  test.each([
    { name: 'marked', comment: MARK },
    { name: 'adopted, without a mark', comment: '' },
  ])('a staged removal ($name) is applied once', async ({ comment }) => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr0', '', true));
    pve.changes = stagedDiff('-', comment);
    expect((await apply(pve, 'network.reload', payload)).outcome).toBe('done');
    expect(pve.changes).toBe('');
    expect((await apply(pve, 'network.reload', payload)).outcome).toBe('already-done');
    expect(pve.writes).toEqual(['reload']);
  });

  test('a reload that fails twice is told of: the list shows no bridge that is only in the kernel', async () => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr0', '', true));
    pve.changes = stagedDiff('-', MARK);
    const failure = "command 'ifreload -a' failed: exit code 1";
    pve.exits.push(failure, failure);
    await expect(apply(pve, 'network.reload', payload)).rejects.toMatchObject({
      code: 'RELOAD_FAILED',
      message: expect.stringContaining('vmbr1000 may still be up') as string,
    });
    expect(count(pve, 'reload')).toBe(2);
  });

  test('a reload whose answer was lost is done again: whether it failed, the list does not show', async () => {
    const pve = new FakePve().fault('reloadNetwork', lost(), 'after');
    pve.rows.push(bridgeRow('vmbr0', '', true));
    pve.changes = stagedDiff('-', MARK);
    pve.exits.push('got signal 9');
    expect((await apply(pve, 'network.reload', payload)).outcome).toBe('done');
    expect(count(pve, 'reload')).toBe(2);
  });

  test('a foreign removal is never put into force', async () => {
    const pve = new FakePve();
    pve.changes = [stagedDiff('-', MARK), stagedDiff('-', '', 'vmbr7').split('\n').slice(2)]
      .flat()
      .join('\n');
    await expect(apply(pve, 'network.reload', payload)).rejects.toMatchObject({
      code: 'FOREIGN_PENDING_CHANGES',
      message: expect.stringMatching(/: vmbr7$/) as string,
    });
    expect(unchanged(pve)).toBe(true);
  });

  test.each([
    { name: 'nothing is staged', changes: '', reloads: 0 },
    { name: 'other removals are staged', changes: stagedDiff('-', MARK, 'vmbr1001'), reloads: 1 },
  ])('a bridge that is still there, where $name, is told of', async ({ changes, reloads }) => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr1000', MARK, true));
    pve.changes = changes;
    await expect(apply(pve, 'network.reload', payload)).rejects.toMatchObject({
      code: 'BRIDGES_LEFT',
      message: 'vmbr1000 on pve1 should be gone and is still there',
    });
    expect(count(pve, 'reload')).toBe(reloads);
  });

  test('a bridge whose removal failed in this run is not missed: its own step has said why', async () => {
    const pve = new FakePve();
    pve.rows.push(bridgeRow('vmbr1000', MARK, true));
    pve.undone.add('bridge.delete:pve1/vmbr1000');
    expect((await apply(pve, 'network.reload', payload)).outcome).toBe('already-done');
    pve.changes = stagedDiff('-', MARK, 'vmbr1001');
    const both = { ...payload, gone: ['vmbr1000', 'vmbr1001'] };
    expect((await apply(pve, 'network.reload', both)).outcome).toBe('done');
    expect(count(pve, 'reload')).toBe(1);
  });
});

describe('acl.revoke', () => {
  const payload = { path: '/pool/anna', role: 'PVEVMAdmin', userid: 'anna@pve' };

  test.each<{ name: string; fault?: FaultSpec; outcome: string; left?: string[] }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', fault: [lost(), 'before'], outcome: 'done' },
    { name: 'lost after', fault: [lost(), 'after'], outcome: 'done' },
    { name: 'lock timeout', fault: [lockTimeout(), 'before'], outcome: 'done' },
  ])('$name', async ({ fault, outcome }) => {
    const pve = new FakePve();
    pve.grants.push('/pool/anna PVEVMAdmin anna@pve true', '/pool/anna PVEAuditor anna@pve true');
    if (fault) pve.fault('revoke', ...fault);
    expect((await apply(pve, 'acl.revoke', payload)).outcome).toBe(outcome);
    expect(pve.grants).toEqual(['/pool/anna PVEAuditor anna@pve true']);
  });

  test.each(["user 'anna@pve' does not exist", "role 'PVEVMAdmin' does not exist"])(
    '%s: done',
    async (text) => {
      const pve = new FakePve().fault('revoke', refuse(`ACL update failed: ${text}`));
      expect((await apply(pve, 'acl.revoke', payload)).outcome).toBe('already-done');
    },
  );
});

describe('pool.release', () => {
  const header = 'deploy-stand user=anna@pve';
  const payload = {
    pool: 'anna',
    comment: `${header}\nlab=other vmids=20-21 since=2026-01-15T09:00:00Z`,
    removeVmids: [1, 2, 3],
  };
  const before = `${payload.comment}\nlab=net vmids=1-3 since=2026-01-15T09:00:00Z`;

  function withPool(comment = before, vmids = [1, 2, 3, 20, 21]): FakePve {
    const pve = new FakePve();
    pve.pools.set('anna', { comment, vmids: new Set(vmids) });
    pve.vms.set('pve1/20', {});
    return pve;
  }

  test.each<{ name: string; pve: FakePve; outcome: string; writes: string[] }>([
    { name: 'happy path', pve: withPool(), outcome: 'done', writes: ['updatePool anna -1,2,3'] },
    {
      name: 'some went with their VMs',
      pve: withPool(before, [2, 20, 21]),
      outcome: 'done',
      writes: ['updatePool anna -2'],
    },
    {
      name: 'all went with their VMs: the comment is left to write',
      pve: withPool(before, [20, 21]),
      outcome: 'done',
      writes: ['updatePool anna +'],
    },
    {
      name: 'done by a run that was killed',
      pve: withPool(payload.comment, [20, 21]),
      outcome: 'already-done',
      writes: [],
    },
    {
      name: 'lost before',
      pve: withPool().fault('updatePool', lost()),
      outcome: 'done',
      writes: ['updatePool anna -1,2,3'],
    },
    {
      name: 'lost after',
      pve: withPool().fault('updatePool', lost(), 'after'),
      outcome: 'already-done',
      writes: ['updatePool anna -1,2,3'],
    },
    {
      name: 'lock timeout',
      pve: withPool().fault('updatePool', lockTimeout()),
      outcome: 'done',
      writes: ['updatePool anna -1,2,3'],
    },
  ])('$name', async ({ pve, outcome, writes }) => {
    expect((await apply(pve, 'pool.release', payload)).outcome).toBe(outcome);
    expect(pve.pools.get('anna')).toEqual({ comment: payload.comment, vmids: new Set([20, 21]) });
    expect(pve.writes).toEqual(writes);
  });

  test('no pool: nothing to release', async () => {
    expect((await apply(new FakePve(), 'pool.release', payload)).outcome).toBe('already-done');
  });

  test('the mark goes, the pool stays', async () => {
    const pve = withPool(before, [1]);
    await apply(pve, 'pool.release', { pool: 'anna', comment: '', removeVmids: [1] });
    expect(pve.pools.get('anna')).toEqual({ comment: '', vmids: new Set() });
  });

  test('the claim of a VM that exists is never dropped', async () => {
    const pve = withPool();
    pve.vms.set('pve1/2', {});
    await expect(apply(pve, 'pool.release', payload)).rejects.toMatchObject({
      code: 'CLAIM_IN_USE',
      message: 'pool anna still has VMs of the lab: 2',
    });
    expect(unchanged(pve)).toBe(true);
  });

  test('any other refusal fails the step', async () => {
    const denied = refuse('update pools failed: 403 Permission check failed (/vms/1, Permissions.Modify)');
    await expect(apply(withPool().fault('updatePool', denied), 'pool.release', payload)).rejects.toBe(denied);
  });
});

describe('pool.delete', () => {
  const payload = { pool: 'anna', comment: 'deploy-stand user=anna@pve\nlab=net vmids=1-3' };
  const withPool = (comment = `${payload.comment}\n`): FakePve => {
    const pve = new FakePve();
    pve.pools.set('anna', { comment, vmids: new Set([1, 2, 3]) });
    return pve;
  };

  test.each<{ name: string; prepare: (pve: FakePve) => void; outcome: string; writes?: number }>([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    {
      name: 'absent',
      prepare: (pve) => {
        pve.pools.clear();
      },
      outcome: 'already-done',
      writes: 0,
    },
    { name: 'lost before', prepare: (pve) => void pve.fault('deletePool', lost()), outcome: 'done' },
    {
      name: 'lost after',
      prepare: (pve) => void pve.fault('deletePool', lost(), 'after'),
      outcome: 'already-done',
    },
    { name: 'lock timeout', prepare: (pve) => void pve.fault('deletePool', lockTimeout()), outcome: 'done' },
  ])('$name', async ({ prepare, outcome, writes = 1 }) => {
    const pve = withPool();
    prepare(pve);
    expect((await apply(pve, 'pool.delete', payload)).outcome).toBe(outcome);
    expect(pve.pools.size).toBe(0);
    expect(pve.writes).toHaveLength(writes);
  });

  test('removed between look and write', async () => {
    const pve = withPool().fault('deletePool', refuse("delete pool failed: pool 'anna' does not exist"));
    expect((await apply(pve, 'pool.delete', payload)).outcome).toBe('already-done');
  });

  test.each(['hers', '', `${payload.comment}\nlab=new vmids=7-9`])(
    'a pool that says "%s" is left alone',
    async (comment) => {
      const pve = withPool(comment);
      await expect(apply(pve, 'pool.delete', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
      expect(unchanged(pve)).toBe(true);
    },
  );

  test('a pool with members stays, and says which', async () => {
    const full = refuse("delete pool failed: pool 'anna' is not empty (contains VM 7)");
    await expect(apply(withPool().fault('deletePool', full), 'pool.delete', payload)).rejects.toMatchObject({
      code: 'POOL_NOT_EMPTY',
      message: 'pool anna stays: it contains VM 7',
    });
  });
});

describe('user.delete', () => {
  const payload = { userid: 'anna@pve', comment: 'deploy-stand since=2026-01-15T09:00:00Z' };
  const withUser = (comment = payload.comment): FakePve => {
    const pve = new FakePve();
    pve.users.push({ userid: 'anna@pve', comment, groups: [] }, { userid: 'b@pve', comment, groups: [] });
    return pve;
  };

  test.each<{ name: string; prepare: (pve: FakePve) => void; outcome: string; writes?: number }>([
    { name: 'happy path', prepare: () => undefined, outcome: 'done' },
    { name: 'absent', prepare: (pve) => void pve.users.shift(), outcome: 'already-done', writes: 0 },
    { name: 'lost before', prepare: (pve) => void pve.fault('deleteUser', lost()), outcome: 'done' },
    {
      name: 'lost after',
      prepare: (pve) => void pve.fault('deleteUser', lost(), 'after'),
      outcome: 'already-done',
    },
    { name: 'lock timeout', prepare: (pve) => void pve.fault('deleteUser', lockTimeout()), outcome: 'done' },
  ])('$name', async ({ prepare, outcome, writes = 1 }) => {
    const pve = withUser();
    prepare(pve);
    expect((await apply(pve, 'user.delete', payload)).outcome).toBe(outcome);
    expect(pve.users.map(({ userid }) => userid)).toEqual(['b@pve']);
    expect(pve.writes).toHaveLength(writes);
  });

  test('removed between look and write', async () => {
    const pve = withUser().fault('deleteUser', refuse("delete user failed: no such user ('anna@pve')"));
    expect((await apply(pve, 'user.delete', payload)).outcome).toBe('already-done');
  });

  test.each([
    { name: 'whose comment was changed', present: 'hers', planned: payload.comment },
    { name: 'that was planned without our mark', present: 'hers', planned: 'hers' },
    { name: 'that was planned without a comment', present: '', planned: '' },
  ])('a user $name stays', async ({ present, planned }) => {
    const pve = withUser(present);
    const applied = apply(pve, 'user.delete', { ...payload, comment: planned });
    await expect(applied).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(unchanged(pve)).toBe(true);
  });
});
