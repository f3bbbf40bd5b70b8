import { describe, expect, test } from 'vitest';
import { formatReplicaMark, formatReplicaPool, REPLICA_POOL } from '../../../../src/lib/marks/replica.ts';
import { sealHash } from '../../../../src/lib/marks/seal.ts';
import type { Scenario } from '../../../../src/lib/simulator/scenario.ts';
import type { ScenarioGuest } from '../../../../src/lib/simulator/scenario-types.ts';
import { apply, FORMER_SEAL } from '../../apply-step.ts';
import { busy, lost, PveWorld, sealOf, VERSIONS, vm } from '../../world.ts';

const description = formatReplicaMark({ source: 101, digest: 'abc', vmid: 99999 });
const seal = sealOf(99999);
/** As this run makes it. */
const SEALED = formatReplicaMark({ source: 101, digest: 'abc', vmid: 99999, seal });
const OLDER = formatReplicaMark({ source: 101, digest: 'older', vmid: 99999, seal });
const FORGED = formatReplicaMark({ source: 101, digest: 'abc', vmid: 99999, seal: 'ee'.repeat(16) });

const CLAIM = { source: 101, node: 'pve2', vmid: 99999, since: '2026-01-15T09:00:00Z' };
const commentOf = (state: 'reserved' | 'made', ...seals: readonly string[]) => {
  const hashes = seals.map((one) => sealHash(one, 99999));
  return formatReplicaPool({ claims: [{ ...CLAIM, state, seals: hashes }], others: ['hands off'] });
};
/** Before the copy is finished: a late one of a killed run may come, too. */
const RESERVED = { pool: REPLICA_POOL, comment: commentOf('reserved', seal, FORMER_SEAL) };
const MADE = { pool: REPLICA_POOL, comment: commentOf('made') };
const COPY = { node: 'pve1', home: 'pve2', vmid: 99999, description };
const CLONE = {
  ...COPY,
  target: 'pve1',
  templateVmid: 101,
  name: 'replica-101-pve2',
  full: true as const,
  locks: ['pve1:zfs'],
};
const CONFIGURE = { ...COPY, options: { onboot: '0', protection: '0', tags: 'deploy-stand' } };
const MIGRATE = { ...COPY, locks: [] };
const CONVERT = { ...COPY, node: 'pve2', locks: [] };
const JOIN = { ...COPY, node: 'pve2' };

const CONFIG = ['PUT', '/nodes/pve1/qemu/99999/config'] as const;
const MOVE = ['POST', '/nodes/pve1/qemu/99999/migrate'] as const;
const TEMPLATE = ['POST', '/nodes/pve2/qemu/99999/template'] as const;

const JOINING = (version: string) =>
  ['PUT', version === '7.4' ? `/pools/${REPLICA_POOL}` : '/pools'] as const;

const templates = [
  {
    vmid: 101,
    name: 'debian',
    node: 'pve1',
    storage: 'zfs',
    tags: 'golden',
    config: { onboot: '1', protection: '1' },
  },
];

function copied(
  node = 'pve1',
  more: Partial<ScenarioGuest> = {},
  scenario: Partial<Scenario> = {},
): PveWorld {
  const { config, ...rest } = more;
  const values = { protection: '1', ...config };
  return new PveWorld({
    templates,
    pools: [RESERVED],
    guests: [vm(99999, node, { storage: 'zfs', description: SEALED, config: values, ...rest })],
    ...scenario,
  });
}

test.each(VERSIONS)(
  '%s: copy, configure, move, convert, join; each of them once more does nothing',
  async (version) => {
    const world = new PveWorld({ version, templates, pools: [RESERVED] });
    for (const round of ['done', 'already-done']) {
      expect((await apply(world, 'template.clone', CLONE)).outcome).toBe(round);
      expect((await apply(world, 'template.configure', CONFIGURE)).outcome).toBe(round);
      expect((await apply(world, 'template.migrate', MIGRATE)).outcome).toBe(round);
      expect((await apply(world, 'template.convert', CONVERT)).outcome).toBe(round);
      expect((await apply(world, 'template.join', JOIN)).outcome).toBe(round);
    }
    expect(world.pool(REPLICA_POOL)).toEqual({ comment: MADE.comment, vmids: [99999] });
    expect(world.writes).toEqual([
      'POST /nodes/pve1/qemu/101/clone',
      CONFIG.join(' '),
      MOVE.join(' '),
      TEMPLATE.join(' '),
      JOINING(version).join(' '),
      // Before its task finds the number taken on the other node.
      'POST /nodes/pve1/qemu/101/clone',
    ]);
    expect(world.config('pve2', 99999)).toMatchObject({
      template: '1',
      tags: 'deploy-stand',
      onboot: '0',
      protection: '0',
      scsi0: expect.stringMatching(/^zfs:base-99999-disk-0/) as string,
    });
  },
);

test.each([
  ['template.configure', CONFIG, CONFIGURE],
  ['template.migrate', MOVE, MIGRATE],
] as const)('%s: the lost answer is looked up', async (kind, place, payload) => {
  for (const when of ['before', 'after'] as const) {
    const world = copied().fault(lost(place, when));
    await apply(world, kind, payload);
    expect(world.writes).toHaveLength(1);
  }
});

test('template.convert: the lost answer is looked up', async () => {
  const world = copied('pve2').fault(lost(TEMPLATE, 'after'));
  expect((await apply(world, 'template.convert', CONVERT)).outcome).toBe('already-done');
  expect(world.writes).toEqual([TEMPLATE.join(' ')]);
});

test('template.convert: another run is quicker', async () => {
  const world = copied('pve2');
  world.before(TEMPLATE, async () => {
    await world.admin.convertToTemplate({ node: 'pve2', vmid: 99999 });
    await world.clock.sleep(5000);
  });
  expect((await apply(world, 'template.convert', CONVERT)).outcome).toBe('already-done');
  expect(world.config('pve2', 99999)?.['template']).toBe('1');
});

test('template.configure: another run changes the copy between look and write', async () => {
  const world = copied();
  world.before(CONFIG, () =>
    world.admin.updateVmConfig({ node: 'pve1', vmid: 99999 }, { set: { cores: '3' }, remove: [] }),
  );
  expect((await apply(world, 'template.configure', CONFIGURE)).outcome).toBe('done');
  expect(world.config('pve1', 99999)).toMatchObject({ cores: '3', protection: '0', tags: 'deploy-stand' });
});

test('a move says what the log says', async () => {
  const storages = ['zfs', 'ssd2'].map((id) => ({ id, type: 'zfspool' as const }));
  const local = { id: 'local', type: 'dir' as const, content: ['iso'] };
  const world = copied(
    'pve1',
    { config: { ide2: 'local:iso/debian.iso,media=cdrom' } },
    { storages: [...storages, local] },
  );
  await expect(apply(world, 'template.migrate', { ...MIGRATE, targetStorage: 'ssd2' })).rejects.toMatchObject(
    {
      code: 'MIGRATE_FAILED',
      message:
        "VM 99999 could not be moved to pve2: local:iso/debian.iso: content type 'iso' is not available on storage 'ssd2'",
    },
  );
  expect(world.sent).toMatchObject([{ path: MOVE[1], params: { target: 'pve2', targetstorage: 'ssd2' } }]);
  expect(world.config('pve1', 99999)).not.toHaveProperty('lock');
});

test('a lock that was busy during the move is no failure', async () => {
  const world = copied('pve1', {}, { latency: { storage_lock_s: 12 } });
  // A new disk is made under the VM's own lock file, longer than the move waits for it.
  world.before(MOVE, () => {
    world.begin(() => world.byHand.put('/nodes/pve1/qemu/99999/config', { scsi1: 'zfs:1' }));
    return world.clock.sleep(100);
  });
  expect(await apply(world, 'template.migrate', MIGRATE)).toEqual({ outcome: 'done', retries: 1 });
  expect(world.config('pve2', 99999)?.['description']).toBe(SEALED);
});

test.each([
  ['template.configure', CONFIGURE],
  ['template.migrate', MIGRATE],
  ['template.convert', { ...CONVERT, node: 'pve1' }],
  ['template.join', { ...JOIN, node: 'pve1' }],
] as const)('%s leaves alone what is not the planned copy', async (kind, payload) => {
  for (const other of ['', OLDER, FORGED, description]) {
    const world = copied('pve1', { description: other });
    await expect(apply(world, kind, payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
  }
  await expect(apply(new PveWorld({ pools: [RESERVED] }), kind, payload)).rejects.toMatchObject({
    code: 'VM_MISSING',
  });
});

test('a copy that another run has moved on is waited for, not made twice', async () => {
  const world = copied('pve2', { config: { lock: 'migrate' } });
  expect((await apply(world, 'template.clone', CLONE)).outcome).toBe('already-done');
  expect((await apply(world, 'template.configure', CONFIGURE)).outcome).toBe('already-done');
});

test('a copy that another run is still making is waited for, and others work meanwhile', async () => {
  const world = new PveWorld({ templates, pools: [RESERVED] });
  const former = formatReplicaMark({ source: 101, digest: 'abc', vmid: 99999, seal: FORMER_SEAL });
  await world.drive(world.admin.cloneVm({ ...CLONE, description: former }));
  await world.pass(1);
  expect(world.config('pve1', 99999)?.['lock']).toBe('clone');
  expect((await apply(world, 'template.clone', CLONE)).outcome).toBe('already-done');
  const locked = copied('pve1', { config: { lock: 'clone' } });
  locked.later(3, () => locked.unlock('pve1', 99999));
  expect((await apply(locked, 'template.migrate', MIGRATE)).outcome).toBe('done');
  expect(locked.asides).toBe(1);
});

test.each([
  ['an older copy', OLDER],
  ['a VM whose maker forged all but the seal', FORGED],
  ['a VM that carries the planned notes', description],
])('%s under the number is not taken for this one', async (_, notes) => {
  const world = copied('pve1', { description: notes });
  await expect(apply(world, 'template.clone', CLONE)).rejects.toMatchObject({ code: 'VMID_TAKEN' });
});

describe.each(VERSIONS)('template.join on %s', (version) => {
  const JOINS = JOINING(version);
  const finished = (pool: object = RESERVED) =>
    copied('pve2', { config: { template: '1' } }, { version, pools: [pool as typeof RESERVED] });

  test.each([
    { name: 'happy path', faults: [], outcome: 'done' },
    { name: 'lost before', faults: [lost(JOINS, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(JOINS, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(JOINS)], outcome: 'done' },
  ])('$name', async ({ faults, outcome }) => {
    const world = finished().fault(...faults);
    expect((await apply(world, 'template.join', JOIN)).outcome).toBe(outcome);
    expect(world.pool(REPLICA_POOL)).toEqual({ comment: MADE.comment, vmids: [99999] });
    expect(world.writes).toHaveLength(1);
  });

  test('nothing joins whose claim went, nor where the pool is not ours any more', async () => {
    for (const comment of [formatReplicaPool({ claims: [], others: [] }), 'backups']) {
      const world = finished({ pool: REPLICA_POOL, comment });
      await expect(apply(world, 'template.join', JOIN)).rejects.toMatchObject({ code: 'NOT_OURS' });
      expect(world.writes).toEqual([]);
    }
  });

  test('nothing is taken out of a pool that somebody put it into', async () => {
    const world = finished();
    world.before(JOINS, () =>
      world.admin.createPool('hers', '').then(() => world.admin.updatePool('hers', { addVmids: [99999] })),
    );
    await expect(apply(world, 'template.join', JOIN)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.pool('hers')?.vmids).toEqual([99999]);
  });
});

describe('claims of copies', () => {
  const REPLICAS = { pool: REPLICA_POOL, comment: commentOf('reserved') };

  test('are written with the hash of the seal that the clone then carries', async () => {
    const world = new PveWorld({
      templates,
      pools: [{ pool: REPLICA_POOL, comment: 'deploy-stand replicas' }],
    });
    expect(REPLICAS.comment).toContain('vmid=99999? ');
    await apply(world, 'pool.update', REPLICAS);
    expect(world.pool(REPLICA_POOL)?.comment).toBe(commentOf('reserved', seal));
    await apply(world, 'template.clone', CLONE);
    expect(world.config('pve1', 99999)?.['description']).toBe(SEALED);
  });

  const RELEASE = { pool: REPLICA_POOL, comment: 'hands off\ndeploy-stand replicas', removeVmids: [] };

  test.each([
    { name: 'a copy that never joined', comment: RESERVED.comment, notes: SEALED, isKept: true },
    { name: 'a VM of somebody else', comment: RESERVED.comment, notes: FORGED, isKept: false },
  ])('are given up while $name stands there: not of ours', async ({ comment, notes, isKept }) => {
    const world = copied('pve2', { description: notes }, { pools: [{ pool: REPLICA_POOL, comment }] });
    const released = apply(world, 'pool.release', RELEASE);
    if (isKept) await expect(released).rejects.toMatchObject({ code: 'CLAIM_IN_USE' });
    else expect((await released).outcome).toBe('done');
    expect(world.pool(REPLICA_POOL)?.comment === comment).toBe(isKept);
  });

  test.each([
    { name: 'one that never joined', pool: RESERVED, notes: SEALED, goes: true },
    { name: 'a member, whatever its notes say', pool: { ...MADE, vms: [99999] }, notes: '', goes: true },
    { name: 'not one that was taken out of the pool', pool: MADE, notes: SEALED, goes: false },
    { name: "not somebody else's", pool: RESERVED, notes: FORGED, goes: false },
  ])('vm.delete removes $name', async ({ pool, notes, goes }) => {
    const config = { protection: '0', template: '1' };
    const world = copied('pve2', { description: notes, config }, { pools: [pool] });
    const payload = { node: 'pve2', vmid: 99999, pool: REPLICA_POOL, lockWaitSeconds: 60 };
    const deleted = apply(world, 'vm.delete', payload);
    if (goes) expect((await deleted).outcome).toBe('done');
    else await expect(deleted).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.config('pve2', 99999) === undefined).toBe(goes);
  });
});
