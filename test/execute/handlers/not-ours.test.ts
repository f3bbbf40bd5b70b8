/** Whose VM is it, right before a write: one table for all handlers that change a VM or a right on one. */
import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../../src/lib/plan/document/step.ts';
import type { ScenarioGuest } from '../../../src/lib/simulator/scenario-types.ts';
import { sealHash } from '../../../src/lib/marks/seal.ts';
import { apply, claim, FORMER_SEAL, OURS, reserved, RESERVED, SEALED, VM_MARK } from '../apply-step.ts';
import { PveWorld, sealOf, VERSIONS, vm } from '../world.ts';

const VM = { node: 'pve1', vmid: 10001, pool: 'anna' };
const RIGHT = { path: '/vms/10001', role: 'PVEVMUser', userid: 'anna@pve', pool: 'anna' };

const PAYLOADS = {
  'vm.configure': {
    ...VM,
    ...{ description: `${VM_MARK} spec=abc`, nics: [], options: { cores: '4' }, tags: [], remove: [] },
  },
  'vm.start': VM,
  'vm.stop': { ...VM, lockWaitSeconds: 0 },
  'vm.unprotect': { ...VM, lockWaitSeconds: 0 },
  'vm.snapshot': { ...VM, snapshot: 'start', description: '' },
  'vm.snapshot.delete': { ...VM, snapshot: 'start', lockWaitSeconds: 0 },
  'vm.seal': { ...VM, description: VM_MARK, lockWaitSeconds: 0 },
  'vm.rollback': { ...VM, snapshot: 'start', bridges: ['vmbr0'], power: 'keep', lockWaitSeconds: 0 },
  'vm.delete': { ...VM, lockWaitSeconds: 0 },
  'ha.remove': { vmid: 10001, pool: 'anna' },
  'acl.grant': { ...RIGHT, propagate: false },
  'acl.revoke': RIGHT,
  'pool.join': { pool: 'anna', lab: 'net', machines: [{ machine: 'pc', vmid: 10001 }] },
} satisfies Partial<StepPayloads>;

type Kind = keyof typeof PAYLOADS;
const KINDS = Object.keys(PAYLOADS) as Kind[];

/** As it must be for the handler to have something to do. */
const GUEST: Partial<Record<Kind, Partial<ScenarioGuest>>> = {
  'vm.stop': { running: true },
  'vm.unprotect': { config: { protection: '1' } },
  'ha.remove': { ha: true },
  'vm.snapshot.delete': {
    snapshots: [{ name: 'start', description: 'deploy-stand snapshot lab=net vmid=10001' }],
  },
  'vm.rollback': { snapshots: ['start'] },
};

interface Found {
  readonly pools: NonNullable<ConstructorParameters<typeof PveWorld>[0]>['pools'];
  readonly notes?: string;
  readonly guest?: Partial<ScenarioGuest>;
}

/** `nth`: of the cases; each kind of step, and each case, meets each version. */
function worldOf(kind: Kind, { pools = [], notes = VM_MARK, guest = {} }: Found, nth = 0): PveWorld {
  const { path, role, userid: user } = RIGHT;
  return new PveWorld({
    version: VERSIONS[(KINDS.indexOf(kind) + nth) % VERSIONS.length]!,
    pools,
    guests: [vm(10001, 'pve1', { description: notes, ...GUEST[kind], ...guest })],
    users: [{ userid: user }],
    acl: kind === 'acl.grant' ? [] : [{ path, role, user }],
  });
}

const applied = (kind: Kind, world: PveWorld) => apply(world, kind, PAYLOADS[kind] as never);

const BORIS = { pool: 'boris', comment: claim().replace('anna', 'boris') };
const other = `router:10002?${sealHash(sealOf(10002), 10002)}`;
const member = (vms: string) => ({ pool: 'anna', comment: claim(vms), vms: [10001] });

/** As a caller that makes VMs in pools only writes it. */
const joining = ({ comment, ...pool }: ReturnType<typeof member>) => ({
  ...pool,
  comment: comment.replace(' since=', ' clones=pool since='),
});

const FOREIGN: readonly ({ readonly name: string } & Found)[] = [
  { name: 'the claim does not name it', pools: [member('pc:10002')] },
  { name: 'the pool has no mark of ours', pools: [{ ...OURS, comment: 'by hand' }] },
  { name: 'its pool is gone', pools: [] },
  { name: "another pool claims it, and it is that one's", pools: [member('pc:10002'), BORIS] },
  {
    name: 'it is in another pool',
    pools: [
      { ...OURS, vms: [] },
      { ...BORIS, vms: [10001] },
    ],
  },
  { name: 'it left the pool', pools: [{ ...OURS, vms: [] }], notes: SEALED },
  { name: 'reserved, and its notes are forged', pools: [RESERVED] },
  { name: 'reserved, with a guessed seal', pools: [RESERVED], notes: `${VM_MARK} seal=${'a'.repeat(32)}` },
  {
    name: "reserved, with the claim's hash for a seal",
    pools: [RESERVED],
    notes: `${VM_MARK} seal=${sealHash(sealOf(10001), 10001)}`,
  },
  {
    name: "reserved, with another machine's seal",
    pools: [{ pool: 'anna', comment: claim(`${reserved(sealOf(10001))},${other}`) }],
    notes: `${VM_MARK} seal=${sealOf(10002)}`,
  },
  {
    name: 'reserved, with its seal, in another pool',
    pools: [RESERVED, { ...BORIS, vms: [10001] }],
    notes: SEALED,
  },
  { name: "reserved, and made by the pool's own user", pools: [member(reserved(sealOf(10001)))] },
  {
    name: "reserved, made by the pool's own user, who has read its seal",
    pools: [member(reserved(sealOf(10001)))],
    notes: SEALED,
  },
  { name: 'reserved without a hash', pools: [{ pool: 'anna', comment: claim('pc:10001?') }], notes: SEALED },
];

describe.each(KINDS)('%s', (kind) => {
  test.each(FOREIGN)('$name: nothing is written', async (found) => {
    const world = worldOf(kind, found, FOREIGN.indexOf(found));
    const before = world.state();
    await expect(applied(kind, world)).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: expect.stringMatching(
        /^(VM 10001 of pool anna .*; it is left alone|pool anna was changed meanwhile: .*)$/,
      ) as string,
    });
    expect(world.writes).toEqual([]);
    expect(world.guest(10001)).toEqual(before.guests.find(({ vmid }) => vmid === 10001));
  });

  test.each(['PVEPoolAdmin', 'Administrator'])(
    'somebody got %s on the pool since it was planned: nothing is written',
    async (role) => {
      const world = worldOf(
        kind,
        kind === 'pool.join' ? { pools: [RESERVED], notes: SEALED } : { pools: [OURS] },
      );
      const { userid } = RIGHT;
      await world.drive(world.admin.grant({ path: '/pool/anna', role, userid, propagate: true }));
      await expect(applied(kind, world)).rejects.toMatchObject({
        code: 'POOL_DELEGATED',
        message: expect.stringContaining(`${userid} has ${role} on /pool/anna`) as string,
      });
      expect(world.writes).toEqual([]);
    },
  );

  test('a container at the id: nothing is written', async () => {
    const world = worldOf(kind, { pools: [OURS], guest: { type: 'lxc' } });
    // Our VM is gone; a removal has nothing left to do.
    const isGone = kind === 'vm.stop' || kind === 'vm.unprotect' || kind === 'vm.delete';
    const said = await applied(kind, world).then(
      ({ outcome }) => outcome,
      (error: unknown) => (error as { code?: unknown }).code,
    );
    const isMissing = kind === 'vm.configure' || kind === 'vm.seal';
    expect(said).toBe(isGone ? 'already-done' : isMissing ? 'VM_MISSING' : 'NOT_OURS');
    expect(world.writes).toEqual([]);
  });

  test.each([
    { name: 'made, a member', pools: [OURS], notes: '' },
    {
      name: "made, a member, and the notes say another's",
      pools: [OURS],
      notes: VM_MARK.replaceAll('1', '2'),
    },
    { name: 'reserved, and its seal fits', pools: [RESERVED], notes: SEALED },
    {
      name: 'reserved, and it is the late clone of a killed run',
      pools: [RESERVED],
      notes: `${VM_MARK} seal=${FORMER_SEAL}`,
    },
    {
      name: 'reserved, its seal fits, and it joined with its clone',
      pools: [joining(member(reserved(sealOf(10001))))],
      notes: SEALED,
    },
    {
      name: 'claimed by 0.1.0, a member',
      pools: [{ ...OURS, comment: claim().replace('vms=pc:10001', 'vmids=10001-10003') }],
    },
  ])('$name: it is written to', async ({ name, ...found }) => {
    const world = worldOf(kind, found);
    const hasJoined = kind === 'pool.join' && !name.startsWith('reserved');
    const isDone = hasJoined || (kind === 'vm.seal' && found.notes === SEALED);
    expect((await applied(kind, world)).outcome).toBe(isDone ? 'already-done' : 'done');
    expect(world.writes).toHaveLength(isDone ? 0 : 1);
  });
});

describe.each(['vm.delete', 'vm.stop', 'vm.unprotect', 'ha.remove'] as const)('an orphan: %s', (kind) => {
  const orphan = (world: PveWorld) => apply(world, kind, { ...PAYLOADS[kind], halfMade: true } as never);

  test('that a run has finished since it was planned is none', async () => {
    const world = worldOf(kind, { pools: [OURS], notes: SEALED });
    await expect(orphan(world)).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: 'VM 10001 has joined pool anna meanwhile, so it is no orphan; it is left alone',
    });
    expect(world.writes).toEqual([]);
  });

  test('that nobody has finished is written to', async () => {
    const world = worldOf(kind, { pools: [RESERVED], notes: SEALED });
    expect((await orphan(world)).outcome).toBe('done');
  });
});

test('an orphan that joins within the seconds that a reading is believed is none', async () => {
  const world = worldOf('vm.delete', { pools: [RESERVED], notes: SEALED });
  const io = world.io();
  const of = { vmid: 10001, pool: 'anna', halfMade: true } as const;
  expect(await world.drive(io.ownership.verdict(of))).toBe('unjoined');
  await world.drive(world.admin.updatePool('anna', { comment: claim(), addVmids: [10001] }));
  await expect(world.drive(io.ownership.assertOursNow(of))).rejects.toMatchObject({ code: 'NOT_OURS' });
});

describe('what is left of a VM that is gone', () => {
  const gone = (kind: Kind) => {
    const { path, role, userid: user } = RIGHT;
    return new PveWorld({
      pools: [{ ...OURS, vms: [] }],
      users: [{ userid: user }],
      acl: kind === 'acl.grant' ? [] : [{ path, role, user }],
    });
  };

  test('its rights are taken away', async () => {
    const world = gone('acl.revoke');
    expect((await applied('acl.revoke', world)).outcome).toBe('done');
    expect(world.grants()).toEqual([]);
  });

  test('HA may forget it', async () => {
    expect((await applied('ha.remove', gone('ha.remove'))).outcome).toBe('already-done');
  });

  test.each(['acl.grant', 'vm.start', 'vm.snapshot', 'pool.join'] as const)(
    '%s: nothing is given to whatever is made there next',
    async (kind) => {
      const world = gone(kind);
      await expect(applied(kind, world)).rejects.toMatchObject({ code: 'NOT_OURS' });
      expect(world.writes).toEqual([]);
    },
  );
});

describe('a VM of the older tool, which claimed nothing', () => {
  const pools = [{ pool: 'anna', comment: 'by hand', vms: [10001] }];
  const KNOWN = ['vm.stop', 'vm.unprotect', 'vm.delete', 'ha.remove'] as const;

  test.each(KNOWN)('%s: a member is written to, where that was asked for', async (kind) => {
    const world = worldOf(kind, { pools, notes: '' });
    const payload = { ...PAYLOADS[kind], adopted: true } as never;
    expect((await apply(world, kind, payload)).outcome).toBe('done');
    expect(world.writes).toHaveLength(1);
  });

  test.each(KNOWN)('%s: one that left the pool is left alone', async (kind) => {
    const world = worldOf(kind, { pools: [{ ...pools[0]!, vms: [] }], notes: VM_MARK });
    const payload = { ...PAYLOADS[kind], adopted: true } as never;
    await expect(apply(world, kind, payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
  });
});
