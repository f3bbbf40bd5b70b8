import { describe, expect, test } from 'vitest';
import { createLimits, type Limits } from '../../src/lib/execute/limits.ts';
import { limitsOf } from '../../src/lib/plan/document/step-traits.ts';
import type { Step } from '../../src/lib/plan/document/step.ts';

const step = (payload: object) => payload as Step;

test.each([
  { of: { kind: 'user.create' }, keys: ['user.cfg'] },
  { of: { kind: 'pool.create' }, keys: ['user.cfg'] },
  { of: { kind: 'pool.update' }, keys: ['user.cfg'] },
  { of: { kind: 'acl.grant' }, keys: ['user.cfg'] },
  { of: { kind: 'acl.revoke' }, keys: ['user.cfg'] },
  { of: { kind: 'pool.release' }, keys: ['user.cfg'] },
  { of: { kind: 'pool.delete' }, keys: ['user.cfg'] },
  { of: { kind: 'user.delete' }, keys: ['user.cfg'] },
  { of: { kind: 'user.update' }, keys: ['user.cfg'] },
  { of: { kind: 'user.password' }, keys: ['user.cfg'] },
  { of: { kind: 'user.recreate' }, keys: ['user.cfg'] },
  { of: { kind: 'bridge.delete', node: 'pve1' }, keys: ['network:pve1'] },
  { of: { kind: 'vm.unprotect', node: 'pve1' }, keys: ['sync:pve1'] },
  { of: { kind: 'vm.stop', node: 'pve1' }, keys: ['task:pve1'] },
  { of: { kind: 'vm.delete', node: 'pve1' }, keys: ['task:pve1', 'destroy', 'destroy-on:shared:'] },
  { of: { kind: 'vm.delete', node: 'pve1', locks: ['pve1:zfs'] }, keys: ['task:pve1', 'destroy'] },
  {
    of: { kind: 'vm.delete', node: 'pve1', locks: ['pve1:zfs', 'shared:ceph'] },
    keys: ['task:pve1', 'destroy', 'destroy-on:shared:ceph'],
  },
  { of: { kind: 'ha.remove' }, keys: ['ha'] },
  { of: { kind: 'bridge.create', node: 'pve1' }, keys: ['network:pve1'] },
  { of: { kind: 'bridge.update', node: 'pve1' }, keys: ['network:pve1'] },
  { of: { kind: 'network.reload', node: 'pve1' }, keys: ['network:pve1'] },
  { of: { kind: 'vm.configure', node: 'pve1' }, keys: ['sync:pve1'] },
  { of: { kind: 'vm.snapshot', node: 'pve1' }, keys: ['snapshot:pve1'] },
  { of: { kind: 'vm.snapshot', node: 'pve1', withMemory: true }, keys: ['task:pve1', 'copy:pve1'] },
  { of: { kind: 'vm.rollback', node: 'pve1' }, keys: ['snapshot:pve1'] },
  { of: { kind: 'vm.start', node: 'pve1' }, keys: ['boot:pve1'] },
  { of: { kind: 'vm.resume', node: 'pve1', fromDisk: false }, keys: ['task:pve1'] },
  { of: { kind: 'vm.resume', node: 'pve1', fromDisk: true }, keys: ['boot:pve1', 'copy:pve1'] },
  { of: { kind: 'vm.shutdown', node: 'pve1' }, keys: ['shutdown:pve1'] },
  { of: { kind: 'vm.reboot', node: 'pve1' }, keys: ['shutdown:pve1', 'boot:pve1'] },
  { of: { kind: 'vm.suspend', node: 'pve1', storage: 'ceph' }, keys: ['task:pve1', 'copy:pve1'] },
  { of: { kind: 'vm.suspend', node: 'pve1' }, keys: ['task:pve1'] },
  { of: { kind: 'template.configure', node: 'pve1' }, keys: ['sync:pve1'] },
  {
    of: { kind: 'template.clone', node: 'pve1', home: 'pve2', locks: ['pve1:zfs'] },
    keys: ['task:pve1', 'copy:pve1', 'storage:pve1:zfs'],
  },
  {
    of: { kind: 'template.migrate', node: 'pve1', home: 'pve2', locks: ['pve2:zfs'] },
    keys: ['task:pve1', 'copy:pve1', 'copy:pve2', 'storage:pve2:zfs'],
  },
  {
    of: { kind: 'template.convert', node: 'pve2', home: 'pve2', locks: ['pve2:zfs'] },
    keys: ['task:pve2', 'storage:pve2:zfs'],
  },
  {
    of: { kind: 'vm.clone', node: 'pve1', target: 'pve2', locks: ['shared:nfs', 'pve1:local', 'shared:nfs'] },
    keys: ['task:pve1', 'storage:shared:nfs', 'storage:pve1:local'],
  },
])('$of.kind falls under $keys', ({ of, keys }) => {
  expect(limitsOf(step(of))).toEqual(keys);
});

const NFS = ['task:pve1', 'storage:shared:nfs'];
const STORAGE_TIMEOUT = { of: 'storage', storage: 'nfs' } as const;

/** How many may run at once under these keys now. */
function width(limits: Limits, keys: readonly string[]): number {
  const slots = [];
  while (limits.hasRoom(keys)) slots.push(limits.enter(keys));
  for (const slot of slots) slot.leave(false);
  return slots.length;
}

/** One round of successes at full width. */
function succeed(limits: Limits, rounds: number, keys = NFS.slice(1)): void {
  for (let round = 0; round < rounds; round += 1) {
    const slots = [];
    while (limits.hasRoom(keys)) slots.push(limits.enter(keys));
    for (const slot of slots) {
      slot.leave(true);
      if (limits.hasRoom(keys)) limits.enter(keys).leave(false);
    }
  }
}

describe('a storage', () => {
  test('gets wider by one after a full round of successes, up to its maximum', () => {
    const limits = createLimits();
    const key = ['storage:shared:nfs'];
    const widths = [];
    for (let lap = 0; lap < 100; lap += 1) {
      widths.push(width(limits, key));
      const wide = width(limits, key);
      const others = Array.from({ length: wide - 1 }, () => limits.enter(key));
      for (let done = 0; done < wide; done += 1) limits.enter(key).leave(true);
      for (const other of others) other.leave(false);
    }
    expect(widths.slice(0, 4)).toEqual([4, 5, 6, 7]);
    expect(Math.max(...widths)).toBe(16);
    expect(widths.at(-1)).toBe(16);
  });

  test('does not get wider while clones wait for it nearly as long as they may', () => {
    const limits = createLimits();
    const key = ['storage:shared:nfs'];
    for (let others = 3; others > 0; others -= 1) limits.enter(key);
    for (let done = 0; done < 20; done += 1) limits.enter(key).leave(true, 8000);
    expect(width(limits, key)).toBe(1);
    for (let done = 0; done < 4; done += 1) limits.enter(key).leave(true, 7999);
    expect(width(limits, key)).toBe(2);
  });

  test('does not get wider while it is not used to the full', () => {
    const limits = createLimits();
    for (let i = 0; i < 100; i += 1) limits.enter(NFS).leave(true);
    expect(width(limits, NFS)).toBe(4);
  });

  test('is halved by a timeout, once for a burst of them, and never below one', () => {
    const limits = createLimits();
    const slots = Array.from({ length: 4 }, () => limits.enter(NFS));
    for (const slot of slots) slot.timedOut(STORAGE_TIMEOUT);
    for (const slot of slots) slot.leave(false);
    expect(width(limits, NFS)).toBe(2);
    for (let i = 0; i < 5; i += 1) {
      const slot = limits.enter(NFS);
      slot.timedOut(STORAGE_TIMEOUT);
      slot.leave(false);
    }
    expect(width(limits, NFS)).toBe(1);
  });

  test('is halved again when the same step times out once more', () => {
    const limits = createLimits();
    const slots = Array.from({ length: 4 }, () => limits.enter(NFS));
    slots[0]!.timedOut(STORAGE_TIMEOUT);
    slots[0]!.timedOut(STORAGE_TIMEOUT);
    for (const slot of slots) slot.leave(false);
    expect(width(limits, NFS)).toBe(1);
  });

  test('comes back below the width that timed out, and tries that again only much later', () => {
    const limits = createLimits();
    const slots = Array.from({ length: 4 }, () => limits.enter(NFS));
    slots[0]!.timedOut(STORAGE_TIMEOUT);
    for (const slot of slots) slot.leave(false);
    succeed(limits, 10);
    expect(width(limits, NFS)).toBe(3);
    succeed(limits, 80);
    expect(width(limits, NFS)).toBeGreaterThan(3);
  });
});

test.each([
  { busy: STORAGE_TIMEOUT, storage: 2, node: 8 },
  { busy: { of: 'other' }, storage: 4, node: 4 },
  { busy: { of: 'storage', storage: 'nfs2' }, storage: 4, node: 4 },
] as const)('$busy narrows what it names', ({ busy, storage, node }) => {
  const limits = createLimits();
  const slot = limits.enter(NFS);
  slot.timedOut(busy);
  slot.leave(false);
  expect(width(limits, ['storage:shared:nfs'])).toBe(storage);
  expect(width(limits, ['task:pve1'])).toBe(node);
});

describe('removals', () => {
  const keysOn = (node: string) => [`task:${node}`, 'destroy'];
  const USER_CFG = { of: 'user.cfg' } as const;

  test('three at once on a shared storage, six in the whole cluster, never more', () => {
    const limits = createLimits();
    const onCeph = [...keysOn('pve1'), 'destroy-on:shared:ceph'];
    limits.enter(onCeph);
    expect(width(limits, onCeph)).toBe(2);
    expect(width(limits, keysOn('pve2'))).toBe(5);
    succeed(limits, 1000, ['destroy']);
    succeed(limits, 1000, ['destroy-on:shared:ceph']);
    expect(width(limits, onCeph)).toBe(2);
    expect(width(limits, keysOn('pve3'))).toBe(5);
  });

  test('fewer after user.cfg was busy; the node goes on as it was', () => {
    const limits = createLimits();
    const slot = limits.enter(keysOn('pve1'));
    slot.timedOut(USER_CFG);
    slot.leave(false);
    expect(width(limits, ['destroy'])).toBe(3);
    expect(width(limits, ['task:pve1'])).toBe(8);
  });

  test('a busy config on the node is no reason for fewer in the cluster', () => {
    const limits = createLimits();
    const slot = limits.enter(keysOn('pve1'));
    slot.timedOut({ of: 'other' });
    slot.leave(false);
    expect(width(limits, ['destroy'])).toBe(6);
    expect(width(limits, ['task:pve1'])).toBe(4);
  });
});

test.each(['user.cfg', 'ha'])('lane %s of one never moves', (lane) => {
  const limits = createLimits();
  const keys = [lane];
  for (let i = 0; i < 100; i += 1) limits.enter(keys).leave(true);
  expect(width(limits, keys)).toBe(1);
});

test('the overall cap counts every step', () => {
  const limits = createLimits({ concurrency: 2 });
  const keys = limits.keysOf(step({ kind: 'vm.snapshot', node: 'pve1' }));
  expect(keys).toEqual(['overall', 'snapshot:pve1']);
  expect(width(limits, keys)).toBe(2);
});

describe('starts on a node', () => {
  const keys = ['boot:pve1'];
  const nodes = [{ name: 'pve1', cpus: 64 }];
  const see = (limits: Limits, cpu: number) => limits.observe({ node: 'pve1', cpu, cpus: 64 });

  test('begin with an eighth of its threads, two where nobody sees them', () => {
    expect(width(createLimits({ nodes }), keys)).toBe(8);
    expect(width(createLimits({ nodes: [{ name: 'pve1', cpus: 128 }] }), keys)).toBe(16);
    expect(width(createLimits({ nodes: [{ name: 'pve1', cpus: 4 }] }), keys)).toBe(2);
    expect(width(createLimits(), keys)).toBe(2);
  });

  test('get no wider by success, only while the node is not busy, and narrower once it is; never none', () => {
    const limits = createLimits({ nodes });
    succeed(limits, 10, keys);
    expect(width(limits, keys)).toBe(8);
    expect([see(limits, 0.3), width(limits, keys)]).toEqual([keys, 16]);
    expect([see(limits, 0.3), width(limits, keys)]).toEqual([[], 16]);
    const widths = [0.9, 0.9, 0.9, 0.9, 0.9, 0.5].map((cpu) => {
      see(limits, cpu);
      return width(limits, keys);
    });
    expect(widths).toEqual([8, 4, 2, 1, 1, 2]);
  });

  test('are crowded when as many start as may', () => {
    const limits = createLimits();
    const slot = limits.enter(keys);
    expect(limits.crowded()).toEqual([]);
    limits.enter(keys);
    expect(limits.crowded()).toEqual(['pve1']);
    slot.leave(true);
    expect(limits.crowded()).toEqual([]);
  });

  test('--stagger: one after the other on each node, by the clock', () => {
    let now = 1000;
    const limits = createLimits({ nodes, stagger: { ms: 5000, now: () => now } });
    expect(limits.nextOpening()).toBeUndefined();
    limits.enter(keys);
    expect([limits.hasRoom(keys), limits.hasRoom(['boot:pve2'])]).toEqual([false, true]);
    expect([limits.nextOpening(), limits.opened()]).toEqual([6000, []]);
    now = 1000.2;
    limits.enter(['boot:pve2']);
    now = 6000;
    expect([limits.hasRoom(keys), limits.opened(), limits.nextOpening()]).toEqual([true, keys, 6000.2]);
    // Nobody asked while it opened.
    now = 6001;
    expect([limits.nextOpening(), limits.opened(), limits.opened()]).toEqual([6000.2, ['boot:pve2'], []]);
    expect(limits.nextOpening()).toBeUndefined();
  });
});
