import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../../../src/lib/plan/document/step.ts';
import type { RequestFault } from '../../../../src/lib/simulator/faults.ts';
import { apply } from '../../apply-step.ts';
import { busy, lost, PveWorld, refused, VERSIONS } from '../../world.ts';

const COMMENT = 'deploy-stand since=2026-01-15T09:00:00Z';
const DISABLED = 'deploy-stand since=2026-01-15T09:00:00Z disabled=2026-02-15T09:00:00Z';
const ANNA = { userid: 'anna@pve', comment: COMMENT };
const USER = '/access/users/anna@pve';

/** Of somebody who gave her a right on it. */
const GIFT = { path: '/vms/10001', role: 'PVEVMUser', user: 'anna@pve', propagate: false };
const guests = [{ vmid: 10001, node: 'pve1', name: 'pc', running: false }];

const groups = ['old', 'new', 'class'].map((group) => ({ group }));

function withAnna(comment = COMMENT, version: (typeof VERSIONS)[number] = '8.4'): PveWorld {
  const anna = { userid: 'anna@pve', comment, groups: ['old'], password: 'former-secret' };
  // Only a ticket may change a password.
  const people = { groups, users: [anna], pools: [{ pool: 'anna' }] };
  return new PveWorld({ version, ...people, guests, acl: [GIFT] }, 'root');
}

const withNobody = () => new PveWorld({ groups, guests, pools: [{ pool: 'anna' }] }, 'root');

/** Which of the two passwords PVE takes. */
async function passwordsOf(world: PveWorld): Promise<string[]> {
  const valid: string[] = [];
  for (const password of ['former-secret', 'fresh-secret'])
    if (await world.canLogIn('anna@pve', password)) valid.push(password);
  return valid;
}

/** What the credentials file is told, in order. */
function recorder() {
  const heard: string[] = [];
  return {
    heard,
    secrets: {
      replacementFor: (userid: string) => {
        heard.push(`replacement ${userid}`);
        return Promise.resolve('fresh-secret');
      },
      settle: (userid: string, state: string) => {
        heard.push(`${state} ${userid}`);
        return Promise.resolve();
      },
    },
  };
}

describe.each(VERSIONS)('user.update on %s', (version) => {
  const payload = { ...ANNA, newComment: DISABLED, enable: false, groups: ['new'], expire: 0 };
  const UPDATE = ['PUT', USER] as const;

  test.each<{ name: string; faults?: RequestFault[]; writes: number }>([
    { name: 'happy path', writes: 1 },
    { name: 'a busy lock', faults: [busy(UPDATE)], writes: 1 },
    { name: 'lost before', faults: [lost(UPDATE, 'before')], writes: 1 },
    { name: 'lost after: written again', faults: [lost(UPDATE, 'after')], writes: 2 },
  ])('$name', async ({ faults = [], writes }) => {
    const world = withAnna(COMMENT, version).fault(...faults);
    const [before] = world.users();
    expect((await apply(world, 'user.update', payload)).outcome).toBe('done');
    expect(world.users()).toEqual([
      { ...before, comment: DISABLED, groups: ['new'], enable: false, expire: 0 },
    ]);
    expect(world.writes).toEqual(Array(writes).fill(`PUT ${USER}`));
    for (const { params } of world.sent)
      expect(Object.keys(params).sort()).toEqual(['comment', 'enable', 'expire', 'groups']);
    // Disabled, not with another password.
    expect(await passwordsOf(world)).toEqual([]);
    await apply(world, 'user.update', { ...ANNA, comment: DISABLED, newComment: COMMENT, enable: true });
    expect(await passwordsOf(world)).toEqual(['former-secret']);
  });

  test.each<{ name: string; make: () => PveWorld; payload: StepPayloads['user.update']; code: string }>([
    { name: 'a user that was changed meanwhile', make: () => withAnna('VIP'), payload, code: 'NOT_OURS' },
    {
      name: 'a user without our mark',
      make: () => withAnna('teacher'),
      payload: { ...payload, comment: 'teacher' },
      code: 'NOT_OURS',
    },
    { name: 'a user that is gone', make: withNobody, payload, code: 'USER_GONE' },
  ])('leaves $name alone', async ({ make, payload: given, code }) => {
    const world = make();
    await expect(apply(world, 'user.update', given)).rejects.toMatchObject({ code });
    expect(world.writes).toEqual([]);
  });
});

describe('user.password', () => {
  const PASSWORD = ['PUT', '/access/password'] as const;

  test.each<{ name: string; faults?: RequestFault[]; writes: number; version?: (typeof VERSIONS)[number] }>([
    ...VERSIONS.map((version) => ({ name: `happy path on ${version}`, version, writes: 1 })),
    { name: 'a busy lock', faults: [busy(PASSWORD)], writes: 1 },
    { name: 'lost before', faults: [lost(PASSWORD, 'before')], writes: 1 },
    { name: 'lost after: set again', faults: [lost(PASSWORD, 'after')], writes: 2 },
  ])('$name: in the file before, set after', async ({ faults = [], writes, version }) => {
    const world = withAnna(COMMENT, version).fault(...faults);
    const { heard, secrets } = recorder();
    expect((await apply(world, 'user.password', ANNA, secrets)).outcome).toBe('done');
    expect(await passwordsOf(world)).toEqual(['fresh-secret']);
    expect(world.writes).toHaveLength(writes);
    expect(heard).toEqual(['replacement anna@pve', 'set anna@pve']);
  });

  test.each<{ name: string; make: () => PveWorld; heard: readonly string[]; valid: readonly string[] }>([
    { name: 'gone: the former is kept', make: withNobody, heard: ['unchanged anna@pve'], valid: [] },
    {
      name: 'changed meanwhile: the former is kept',
      make: () => withAnna('VIP'),
      heard: ['unchanged anna@pve'],
      valid: ['former-secret'],
    },
    {
      name: 'refused: the former is kept',
      make: () => withAnna().fault(refused(PASSWORD, 'Permission check failed', 403)),
      heard: ['unchanged anna@pve'],
      valid: ['former-secret'],
    },
    {
      name: 'refused after a lost answer: either may be valid, so both stay',
      make: () => withAnna().fault(lost(PASSWORD, 'after'), refused(PASSWORD, 'no', 500, 2)),
      heard: [],
      valid: ['fresh-secret'],
    },
  ])('$name', async ({ make, heard, valid }) => {
    const world = make();
    const recorded = recorder();
    await expect(apply(world, 'user.password', ANNA, recorded.secrets)).rejects.toThrow();
    expect(recorded.heard).toEqual(['replacement anna@pve', ...heard]);
    expect(await passwordsOf(world)).toEqual(valid);
  });
});

describe('user.recreate', () => {
  const payload: StepPayloads['user.recreate'] = {
    ...ANNA,
    groups: ['class'],
    email: 'a@example.edu',
    firstName: 'Anna',
    expire: 1790000000,
    enable: true,
    acls: [
      { path: '/pool/anna', role: 'PVEVMAdmin', propagate: true },
      { path: '/vms/10001', role: 'PVEVMUser', propagate: false, pool: null },
    ],
  };
  const made = {
    userid: 'anna@pve',
    comment: COMMENT,
    groups: ['class'],
    email: 'a@example.edu',
    firstname: 'Anna',
    expire: 1790000000,
    enable: true,
  };
  const DELETE = ['DELETE', USER] as const;
  const CREATE = ['POST', '/access/users'] as const;
  const GRANT = ['PUT', '/access/acl'] as const;

  test.each<{
    name: string;
    make?: () => PveWorld;
    faults?: RequestFault[];
  }>([
    ...VERSIONS.map((version) => ({
      name: `happy path on ${version}`,
      make: () => withAnna(COMMENT, version),
    })),
    { name: 'busy locks', faults: [busy(DELETE), busy(CREATE)] },
    { name: 'delete lost before', faults: [lost(DELETE, 'before')] },
    { name: 'delete lost after', faults: [lost(DELETE, 'after')] },
    { name: 'create lost before', faults: [lost(CREATE, 'before')] },
    { name: 'create lost after', faults: [lost(CREATE, 'after')] },
    { name: 'grant lost', faults: [lost(GRANT, 'before')] },
    { name: 'the user is gone already', make: withNobody },
  ])('$name: same mark, details and rights', async ({ make = withAnna, faults = [] }) => {
    const world = make().fault(...faults);
    const { heard, secrets } = recorder();
    expect((await apply(world, 'user.recreate', payload, secrets)).outcome).toBe('done');
    expect(world.users()).toMatchObject([made]);
    expect(await passwordsOf(world)).toEqual(['fresh-secret']);
    expect(world.grants().sort()).toEqual([
      '/pool/anna PVEVMAdmin anna@pve true',
      '/vms/10001 PVEVMUser anna@pve false',
    ]);
    expect(heard).toEqual(['replacement anna@pve', 'restored anna@pve']);
  });

  const remove = async (world: PveWorld): Promise<void> => {
    await world.admin.deleteVm({ node: 'pve1', vmid: 10001 }, { purge: true });
    await world.clock.sleep(30_000);
  };
  const others = ['/pool/anna PVEVMAdmin anna@pve true'];

  test.each([
    { name: 'between plan and removal', make: withAnna },
    { name: 'before what waited is given back', make: withNobody },
  ])('a right on a machine that went $name waits for no other machine of its number', async ({ make }) => {
    const world = make();
    await world.drive(remove(world));
    expect((await apply(world, 'user.recreate', payload, recorder().secrets)).outcome).toBe('done');
    expect(world.grants()).toEqual(others);
  });

  test('nor is one given on a machine that stands in another pool by now', async () => {
    const elsewhere = { ...payload, acls: payload.acls.map((acl) => ({ ...acl, pool: 'anna' })) };
    const world = withAnna();
    expect((await apply(world, 'user.recreate', elsewhere, recorder().secrets)).outcome).toBe('done');
    expect(world.grants()).toEqual(others);
  });

  test('nor does one whose machine goes while its user is away', async () => {
    const world = withAnna();
    world.before(CREATE, () => remove(world));
    expect((await apply(world, 'user.recreate', payload, recorder().secrets)).outcome).toBe('done');
    expect(world.grants()).toEqual(others);
  });

  test.each(
    VERSIONS.flatMap((version) => [
      { version, taken: ' taken=PVEVMAdmin', error: undefined },
      // It was gone with the account when the freeze looked: no thaw gives it back, and the same command does.
      { version, taken: '', error: { code: 'FROZEN' } },
    ]),
  )('of a pool that is frozen meanwhile nothing is given back on $version:$taken', async (one) => {
    const { version, taken, error } = one;
    const claim = 'lab=net vms=pc:10002 since=2026-01-01T00:00:00Z';
    const comment = (frozen: string) => `deploy-stand user=anna@pve${frozen && taken}\n${claim}${frozen}`;
    const people = { groups, users: [{ ...ANNA, groups: ['old'] }], guests, acl: [GIFT] };
    const world = new PveWorld(
      { version, ...people, pools: [{ pool: 'anna', comment: comment('') }] },
      'root',
    );
    world.before(CREATE, () =>
      world.admin.updatePool('anna', { comment: comment(' frozen=2026-02-01T00:00:00Z') }),
    );
    const { heard, secrets } = recorder();
    const applied = apply(world, 'user.recreate', payload, secrets);
    if (error) await expect(applied).rejects.toMatchObject(error);
    else expect((await applied).outcome).toBe('done');
    expect(world.grants()).toEqual(['/vms/10001 PVEVMUser anna@pve false']);
    expect(heard).toEqual(['replacement anna@pve', ...(error ? [] : ['restored anna@pve'])]);
  });

  test('who was disabled meanwhile is not brought back', async () => {
    const world = withAnna();
    await world.drive(world.admin.updateUser('anna@pve', { enable: false }));
    const writes = world.writes.length;
    await expect(apply(world, 'user.recreate', payload, recorder().secrets)).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: 'user anna@pve was changed meanwhile: it is disabled',
    });
    expect(world.writes.slice(writes)).toEqual([]);
  });

  test('a disabled user stays disabled', async () => {
    const world = withAnna();
    await apply(world, 'user.recreate', { ...payload, enable: false }, recorder().secrets);
    expect(world.users()).toMatchObject([{ ...made, enable: false }]);
    expect(await passwordsOf(world)).toEqual([]);
  });

  test.each<{ name: string; comment: string; payload?: StepPayloads['user.recreate'] }>([
    { name: 'changed meanwhile', comment: 'VIP' },
    { name: 'not ours', comment: 'teacher', payload: { ...payload, comment: 'teacher' } },
  ])(
    'a user that is $name is not removed, and keeps the former password',
    async ({ comment, payload: given }) => {
      const world = withAnna(comment);
      const { heard, secrets } = recorder();
      await expect(apply(world, 'user.recreate', given ?? payload, secrets)).rejects.toMatchObject({
        code: 'NOT_OURS',
      });
      expect(world.writes).toEqual([]);
      expect(heard).toEqual(['replacement anna@pve', 'unchanged anna@pve']);
      expect(await passwordsOf(world)).toEqual(['former-secret']);
    },
  );

  test('one who makes a pool not count by now is removed neither here nor for good', async () => {
    const world = withAnna();
    await world.drive(
      world.admin.grant({ userid: 'anna@pve', path: '/pool/zoo', role: 'PVEPoolAdmin', propagate: true }),
    );
    const writes = world.writes.length;
    for (const kind of ['user.recreate', 'user.delete'] as const) {
      const given = kind === 'user.recreate' ? payload : ANNA;
      const applied = apply(world, kind, given as never, recorder().secrets);
      await expect(applied).rejects.toMatchObject({
        code: 'USER_WRITES_POOL',
        hint: expect.stringContaining('`pveum acl delete /pool/zoo --roles PVEPoolAdmin --users anna@pve`'),
      });
    }
    expect(world.writes.slice(writes)).toEqual([]);
  });

  test('where the removal may have been carried out, both passwords stay', async () => {
    const world = withAnna().fault(lost(DELETE, 'before'), refused(DELETE, 'delete user failed: no', 500, 2));
    const { heard, secrets } = recorder();
    await expect(apply(world, 'user.recreate', payload, secrets)).rejects.toThrow('delete user failed: no');
    expect(heard).toEqual(['replacement anna@pve']);
    expect(await passwordsOf(world)).toEqual(['former-secret']);
  });

  test('once removed, the new password waits in the file', async () => {
    const world = withAnna().fault(refused(CREATE, 'create user failed: disk full'));
    const { heard, secrets } = recorder();
    await expect(apply(world, 'user.recreate', payload, secrets)).rejects.toThrow('disk full');
    expect(world.users()).toEqual([]);
    expect(heard).toEqual(['replacement anna@pve']);
  });

  test('somebody else creates the user in between: it is left as it is', async () => {
    const world = withAnna();
    world.before(CREATE, () =>
      world.admin.createUser({ userid: 'anna@pve', comment: 'by hand', groups: [] }),
    );
    const { heard, secrets } = recorder();
    await expect(apply(world, 'user.recreate', payload, secrets)).rejects.toMatchObject({
      code: 'USER_TAKEN',
    });
    expect(world.users()).toMatchObject([{ comment: 'by hand' }]);
    expect(heard).toEqual(['replacement anna@pve']);
  });
});
