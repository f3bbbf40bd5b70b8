import { describe, expect, test } from 'vitest';
import { StandError } from '../../src/lib/errors.ts';
import {
  AnswerLostError,
  AuthError,
  PveError,
  TaskError,
  UnreachableError,
} from '../../src/lib/proxmox/errors.ts';
import {
  isAlreadyExists,
  isAlreadyRunning,
  isBaseInUse,
  isDigestMismatch,
  isLockTimeout,
  isNoQuorum,
  isNoSuchVm,
  isNotFound,
  isNotHaManaged,
  isNotImplemented,
  poolContents,
  isProtected,
  isReloadBusy,
  isRootOnly,
  isStillRunning,
  isVmLocked,
  busyLock,
  diskNotRemoved,
  isSnapshotNameUsed,
  refusedTag,
  noSystemUser,
  notPoolMember,
  pooledAlready,
} from '../../src/lib/proxmox/words.ts';
import { UPID } from './support.ts';

const predicates = {
  isAlreadyExists,
  isAlreadyRunning,
  isBaseInUse,
  isDigestMismatch,
  isLockTimeout,
  isNoQuorum,
  isNoSuchVm,
  isNotFound,
  isNotHaManaged,
  isNotImplemented,
  poolContents,
  isProtected,
  isReloadBusy,
  isRootOnly,
  isStillRunning,
  isVmLocked,
  noSystemUser,
  refusedTag,
  isSnapshotNameUsed,
  notPoolMember,
  pooledAlready,
};

const pveError = (text: string, fields: Record<string, string> = {}): PveError =>
  new PveError({ method: 'POST', path: '/x', status: 500, text, fields });
const taskError = (exitstatus: string): TaskError =>
  new TaskError({ upid: UPID, title: 'qmclone 100 on pve1', exitstatus, log: [] });
const holding = (error: unknown): string[] =>
  Object.entries(predicates).flatMap(([name, holds]) => (holds(error) ? [name] : []));

describe('what PVE’s texts mean, from a request and from a task', () => {
  test.each<[string, string[]]>([
    ["cfs-lock 'storage-nfs' error: got lock request timeout", ['isLockTimeout']],
    ["update ACL failed: cfs-lock 'file-user_cfg' error: got lock request timeout", ['isLockTimeout']],
    ["'storage-local'-locked command timed out - aborting", ['isLockTimeout']],
    ["can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", ['isLockTimeout']],
    [
      "clone failed: can't lock file '/var/lock/pve-manager/pve-storage-lvm' - got timeout",
      ['isLockTimeout'],
    ],
    ["can't lock file '/etc/network/.pve-interfaces.lock' - got timeout", ['isLockTimeout']],
    ["can't lock file '/var/log/pve/tasks/.active.lock' - got timeout", []],
    ['VM quit/powerdown failed - got timeout', []],
    ["cfs-lock 'file-user_cfg' error: no quorum!", ['isNoQuorum']],
    ['cluster not ready - no quorum?', ['isNoQuorum']],
    ["Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", ['isNoSuchVm', 'isNotFound']],
    ["Configuration file 'nodes/pve1/lxc/100.conf' does not exist", ['isNoSuchVm', 'isNotFound']],
    ["delete user failed: no such user ('a@pve')", ['isNotFound']],
    ["Permission check failed (pool 'anna' does not exist)", ['isNotFound']],
    ["cannot delete service 'vm:100', not HA managed!", ['isNotHaManaged']],
    ["delete resource failed: 'vm:100' not configured!", ['isNotHaManaged']],
    ["no such resource 'vm:100'", ['isNotFound', 'isNotHaManaged']],
    ["delete pool failed: pool 'anna' is not empty (contains VM 100)", ['poolContents']],
    ["can't remove VM 100 - protection mode enabled", ['isProtected']],
    ['VM 100 is running - destroy failed', ['isStillRunning']],
    ["base volume 'nfs:base-100-disk-0' is still in use by linked cloned", ['isBaseInUse']],
    ['Only root may use this option.', ['isRootOnly']],
    ["ACL update failed: role 'x' does not exist", ['isNotFound']],
    ["create pool failed: pool 'anna' already exists", ['isAlreadyExists']],
    ['unable to create VM 101: config file already exists', ['isAlreadyExists']],
    [
      "clone failed: close (rename) atomic file '/etc/pve/nodes/a/qemu-server/101.conf' failed: File exists",
      ['isAlreadyExists'],
    ],
    ["sdn vnet object ID 'x' already defined", ['isAlreadyExists']],
    ["update pools failed: VM 101 belongs already to pool 'bob'", ['pooledAlready']],
    ['update pools failed: VM 101 is already a pool member', ['pooledAlready']],
    ["Permission check failed (/, Sys.Modify for modifying tag 'exam')", ['refusedTag']],
    ["create user failed: change password failed: user 'x2' does not exist", ['isNotFound', 'noSystemUser']],
    ['VM is locked (clone)', ['isVmLocked']],
    ['checksum mismatch (file change by other user?)', ['isDigestMismatch']],
    ['VM 100 already running', ['isAlreadyRunning']],
    ["command 'ifreload -a' failed: exit code 89", ['isReloadBusy']],
    ['Another instance of this program is already running.', ['isReloadBusy']],
    ["command 'ifreload -a' failed: exit code 1", []],
  ])('%s', (text, holds) => {
    expect(holding(pveError(text))).toEqual(holds);
    expect(holding(taskError(text))).toEqual(holds);
  });

  test('details of a 400 count, too', () => {
    expect(
      holding(pveError('Parameter verification failed.', { iface: 'interface already exists' })),
    ).toEqual(['isAlreadyExists']);
  });

  test('a 401 speaks of the caller, not of the object', () => {
    const refused = { method: 'GET', path: '/x', status: 401, text: "no such user ('lab@pve')" } as const;
    expect(holding(new AuthError(refused))).toEqual([]);
  });

  test('other errors mean nothing', () => {
    expect(holding(new Error("cfs-lock 'x' error: got lock request timeout"))).toEqual([]);
    expect(holding(undefined)).toEqual([]);
  });
});

test('errors end with exit code 4 and tell method, path and words', () => {
  const long = pveError(`first line\n  second line ${'x'.repeat(900)}`);
  expect(long.message.startsWith('POST /x: first line second line xxx')).toBe(true);
  expect(long.message.length).toBeLessThan(620);
  expect(pveError('').message).toBe('POST /x: status 500');
  const unreachable = new UnreachableError({
    ...{ method: 'PUT', path: '/x', isSent: false },
    troubles: [{ kind: 'said', words: 'no route' }],
  });
  const lost = new AnswerLostError('PUT /x', 'reset');
  const task = new TaskError({
    upid: UPID,
    title: 'qmclone 100 on pve1',
    exitstatus: 'disk full',
    log: ['a', 'b'],
  });
  for (const error of [long, unreachable, lost, task]) {
    expect(error).toBeInstanceOf(StandError);
    expect(error.exitCode).toBe(4);
  }
  expect(task).toMatchObject({
    code: 'TASK_FAILED',
    message: 'task qmclone 100 on pve1 failed: disk full',
    hint: 'end of the task log:\na\nb',
    log: ['a', 'b'],
  });
});

describe('what they name', () => {
  test.each([
    ["cfs-lock 'file-user_cfg' error: got lock request timeout", { of: 'user.cfg' }],
    [
      "clone failed: cfs-lock 'storage-nfs' error: got lock request timeout",
      { of: 'storage', storage: 'nfs' },
    ],
    [
      "can't lock file '/var/lock/pve-manager/pve-storage-nfs' - got timeout",
      { of: 'storage', storage: 'nfs' },
    ],
    ["can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", { of: 'other' }],
    ["can't lock file '/var/log/pve/tasks/.active.lock' - got timeout", undefined],
  ])('the lock: %s', (text, lock) => {
    expect([busyLock(pveError(text)), busyLock(taskError(text))]).toEqual([lock, lock]);
  });

  test('guests and pools', () => {
    expect(poolContents(pveError("delete pool failed: pool 'anna' is not empty (contains VM 100)"))).toBe(
      'VM 100',
    );
    expect(notPoolMember(pveError('update pools failed: VM 101 is not a pool member'))).toBe(101);
    expect(pooledAlready(pveError("update pools failed: VM 101 belongs already to pool 'bob'"))).toEqual({
      vmid: 101,
      pool: 'bob',
    });
    expect(pooledAlready(pveError('update pools failed: VM 101 is already a pool member'))).toEqual({
      vmid: 101,
      pool: undefined,
    });
    expect(diskNotRemoved("Could not remove disk 'nfs:100/vm-100-disk-0.raw', check manually: busy")).toBe(
      'nfs:100/vm-100-disk-0.raw',
    );
    expect(diskNotRemoved('TASK OK')).toBeUndefined();
  });
});
