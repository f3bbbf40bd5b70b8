import { describe, expect, test } from 'vitest';
import type { StandError } from '../../../src/lib/errors.ts';
import type { User } from '../../../src/lib/config/types.ts';
import type { AclEntry, Inventory, UserInfo } from '../../../src/lib/inventory/types.ts';
import { formatPoolComment } from '../../../src/lib/marks/pool.ts';
import { isDisabledByUs, markDisabled } from '../../../src/lib/marks/user.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import { planUsers } from '../../../src/lib/plan/users/users.ts';
import type { UsersWork } from '../../../src/lib/plan/users/context.ts';
import { userRows } from '../../../src/lib/plan/users/list.ts';
import { alias, bridge, claimOf, guest, have, ids, lab, machine, plan, user } from '../builders.ts';

const MARK = 'deploy-stand since=2026-11-01T00:00:00Z';
const GONE = 'deploy-stand since=2026-11-01T00:00:00Z disabled=2026-11-10T00:00:00Z';
const NOW = '2026-11-21T08:00:00Z';

function info(name: string, more: Partial<UserInfo> = {}): UserInfo {
  return {
    userid: `${name}@pve`,
    comment: MARK,
    enabled: true,
    expire: 0,
    email: '',
    firstName: '',
    lastName: '',
    groups: [],
    ...more,
  };
}

const poolOf = (name: string) => ({
  pool: name,
  comment: formatPoolComment({ user: `${name}@pve`, adopted: false, claims: [], others: [] }),
});
const access = (name: string, role = 'PVEVMAdmin'): AclEntry => ({
  path: `/pool/${name}`,
  role,
  subject: `${name}@pve`,
  type: 'user',
  propagate: true,
});

/** These users as `sync` leaves them. */
function synced(...names: readonly string[]): Partial<Inventory> {
  return {
    users: names.map((name) => info(name)),
    pools: names.map(poolOf),
    acls: names.map((name) => access(name)),
  };
}

function planned(work: UsersWork, cluster: Partial<Inventory> = {}, length = 12): Plan {
  return planUsers({ work, passwords: { length, alphabet: 'unambiguous' }, have: have(cluster) });
}

const create = (...users: readonly User[]): UsersWork => ({ by: 'create', users });
const sync = (users: readonly User[], more: { disable?: boolean; prune?: boolean } = {}): UsersWork => ({
  by: 'sync',
  users,
  role: 'PVEVMAdmin',
  disable: false,
  prune: false,
  ...more,
});
const remove = (users: readonly User[], named = false): UsersWork => ({ by: 'delete', users, named });
const passwd = (
  users: readonly User[],
  more: { named?: boolean; recreate?: boolean; forceForeign?: boolean } = {},
): UsersWork => ({ by: 'passwd', users, named: false, recreate: false, forceForeign: false, ...more });

function failure(run: () => unknown): StandError {
  try {
    run();
  } catch (error) {
    return error as StandError;
  }
  throw new Error('nothing was refused');
}

const notesOf = (result: Plan, userid: string) =>
  result.stands.find(({ user: one }) => one === userid)?.notes;

describe('create', () => {
  test('makes user and pool of those who are missing, and gives no access', () => {
    const result = planned(create(user('b', { email: 'b@x', expire: 5, groups: ['g'] }), user('a')), {
      groups: ['g'],
    });
    expect(ids(result)).toEqual(['pool.create:a', 'pool.create:b', 'user.create:a@pve', 'user.create:b@pve']);
    expect(result.steps[3]).toMatchObject({
      comment: `deploy-stand since=${NOW}`,
      email: 'b@x',
      expire: 5,
      groups: ['g'],
      password: 'generate',
    });
    expect(result.command).toBe('users');
  });

  test.each<{ name: string; who: User; cluster: Partial<Inventory>; steps: string[]; notes: string[] }>([
    { name: 'ours and complete', who: user('a'), cluster: synced('a'), steps: [], notes: [] },
    {
      name: 'ours without a pool',
      who: user('a'),
      cluster: { users: [info('a')] },
      steps: ['pool.create:a'],
      notes: [],
    },
    {
      name: 'there before us',
      who: user('a', { email: 'new@x' }),
      cluster: { users: [info('a', { comment: 'staff' })] },
      steps: ['pool.create:a'],
      notes: ['the user existed before deploy-stand: used as it is'],
    },
    {
      name: 'of a directory',
      who: user('a', { userid: 'a@school', realm: 'school' }),
      cluster: { realms: { pve: 'pve', school: 'ldap' } },
      steps: ['pool.create:a', 'user.create:a@school'],
      notes: [],
    },
  ])('$name', ({ who, cluster, steps, notes }) => {
    const result = planned(create(who), cluster);
    expect(ids(result)).toEqual(steps);
    expect(notesOf(result, who.userid)).toEqual(notes);
  });

  test.each<{ code: string; who: User; cluster: Partial<Inventory> }>([
    { code: 'NO_REALM', who: user('a', { userid: 'a@x', realm: 'x' }), cluster: {} },
    { code: 'NO_GROUP', who: user('a', { groups: ['nope'] }), cluster: { groups: ['g'] } },
    {
      ...{ code: 'NO_GROUP', who: user('a', { groups: ['nope'] }) },
      cluster: { groups: [], hidden: { bridges: false, guests: false, groups: false } },
    },
    { code: 'POOL_FOREIGN', who: user('a'), cluster: { pools: [{ pool: 'a', comment: 'mine' }] } },
    { code: 'POOL_OTHER_USER', who: user('a', { pool: 'b' }), cluster: { pools: [poolOf('b')] } },
  ])('$code concerns one user; alone it refuses the plan', ({ code, who, cluster }) => {
    expect(failure(() => planned(create(who), cluster)).code).toBe(code);
    const both = planned(create(who, user('z')), cluster);
    expect(both.stands.map((stand) => stand.refused?.code)).toEqual([code, undefined]);
    expect(both.stands[0]?.refused?.message).not.toMatch(/^a@/); // whose it is, is said by whoever tells it
    expect(both.steps.every((step) => step.user === 'z@pve')).toBe(true);
  });

  test('what refuses a whole class is told once, with how many it is true of', () => {
    const names = Array.from({ length: 25 }, (_, at) => `s${at + 1}`);
    const pupils = names.map((name, at) => user(name, { groups: [at < 24 ? 'nope' : 'nor'] }));
    const { message } = failure(() => planned(create(...pupils), { groups: ['g'] }));
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/^s1@pve, s2@pve, .*, s10@pve and 14 more: the cluster has no group nope$/),
      's25@pve: the cluster has no group nor',
    ]);
    // What differs only in whose it is, is said of the first.
    const foreign = names.map((pool) => ({ pool, comment: 'mine' }));
    const each = failure(() => planned(create(...names.map((name) => user(name))), { pools: foreign }));
    expect(each.inFull?.split('\n').map((line) => /\bs\d+\b/.exec(line)?.[0])).toEqual(names);
    expect(each.message.split('\n')).toEqual([
      expect.stringContaining('s1'),
      expect.stringMatching(/^the same for 24 more: s2@pve, .*, s11@pve and 14 more$/),
    ]);
  });

  test('--adopt is an option of deploy, and named as such', () => {
    const foreign = planned(create(user('a'), user('z')), { pools: [{ pool: 'a', comment: 'mine' }] });
    expect(foreign.stands[0]?.refused?.hint).toBe(
      'set another `pool:` in the users file, or take it over with `deploy --adopt`',
    );
  });

  test('users of the realm pam are warned of', () => {
    const result = planned(create(user('a', { userid: 'a@pam', realm: 'pam' })));
    expect(result.warnings).toEqual([expect.stringMatching(/^a@pam: a user of the realm pam must exist/)]);
  });
});

describe('sync', () => {
  test('newcomers get user, pool and access', () => {
    const result = planned(sync([user('a')]));
    expect(ids(result)).toEqual(['pool.create:a', 'user.create:a@pve', 'acl.grant:a']);
    expect(result.steps[2]).toMatchObject({
      role: 'PVEVMAdmin',
      path: '/pool/a',
      dependsOn: ['pool.create:a', 'user.create:a@pve'],
    });
  });

  test('a class that matches gives an empty plan', () => {
    const details = { email: 'a@x', firstName: 'A', lastName: 'B', groups: ['g', 'h'], expire: 9 };
    const cluster = {
      ...synced('a'),
      users: [info('a', { ...details, groups: ['h', 'g'] })],
      groups: ['g', 'h'],
    };
    const result = planned(sync([user('a', details)], { disable: true, prune: true }), cluster);
    expect([result.steps, notesOf(result, 'a@pve')]).toEqual([[], []]);
  });

  test.each<{ name: string; who: Partial<User>; present: Partial<UserInfo>; change: object | undefined }>([
    { name: 'a mail', who: { email: 'new@x' }, present: { email: 'old@x' }, change: { email: 'new@x' } },
    { name: 'a name', who: { lastName: 'N' }, present: { lastName: 'O' }, change: { lastName: 'N' } },
    { name: 'a later end', who: { expire: 9 }, present: { expire: 5 }, change: { expire: 9 } },
    { name: 'no end any more', who: { expire: 0 }, present: { expire: 5 }, change: { expire: 0 } },
    { name: 'groups', who: { groups: ['g'] }, present: { groups: ['g', 'h'] }, change: { groups: ['g'] } },
    {
      name: 'what the file leaves out',
      who: {},
      present: { email: 'old@x', firstName: 'O', groups: ['h'], expire: 5 },
      change: undefined,
    },
    {
      name: 'back in the file',
      who: {},
      present: { enabled: false, comment: GONE },
      change: { enable: true, newComment: MARK },
    },
    {
      name: 'enabled by hand: whoever disables the account next is somebody else',
      who: {},
      present: { enabled: true, comment: GONE },
      change: { newComment: MARK },
    },
  ])('$name', ({ who, present, change }) => {
    const cluster = { ...synced('a'), users: [info('a', present)], groups: ['g', 'h'] };
    const result = planned(sync([user('a', who)]), cluster);
    expect(ids(result)).toEqual(change ? ['user.update:a@pve'] : []);
    if (!change) return;
    const { id, kind, reason, dependsOn, after, user: whose, ...payload } = result.steps[0]!;
    expect([id, kind, dependsOn, after, whose, reason !== '']).toEqual([
      'user.update:a@pve',
      'user.update',
      [],
      [],
      'a@pve',
      true,
    ]);
    expect(payload).toEqual({ userid: 'a@pve', comment: present.comment ?? MARK, ...change });
  });

  test.each<{ name: string; cluster: Partial<Inventory>; notes: RegExp[] }>([
    {
      name: 'a user that was there before us',
      cluster: { ...synced('a'), users: [info('a', { comment: 'staff', email: 'old@x' })] },
      notes: [/existed before deploy-stand: email of the users file not carried over/],
    },
    {
      name: 'a user whom somebody else disabled',
      cluster: { ...synced('a'), users: [info('a', { enabled: false, email: 'new@x' })] },
      notes: [/disabled, but not by deploy-stand/],
    },
    {
      name: 'another role',
      cluster: { ...synced('a'), users: [info('a', { email: 'new@x' })], acls: [access('a', 'PVEVMUser')] },
      notes: [/role PVEVMUser on pool a instead of PVEVMAdmin: left so/],
    },
    {
      name: 'access to a stand that is being made or removed',
      cluster: {
        users: [info('a', { email: 'new@x' })],
        pools: [{ pool: 'a', comment: claimOf('a@pve', [10000]) }],
      },
      notes: [/no access to pool a: deploy grants it/],
    },
  ])('$name is reported and left', ({ cluster, notes }) => {
    const result = planned(sync([user('a', { email: 'new@x' })]), cluster);
    expect(result.steps).toEqual([]);
    const found = notesOf(result, 'a@pve') ?? [];
    expect(found).toHaveLength(notes.length);
    notes.forEach((note, i) => expect(found[i]).toMatch(note));
  });

  test('a group that is missing refuses the change of that user', () => {
    const work = sync([user('a', { groups: ['nope'] }), user('b')]);
    const result = planned(work, { ...synced('a', 'b'), groups: ['g'] });
    expect(result.stands.map((stand) => stand.refused?.code)).toEqual(['NO_GROUP', undefined]);
    expect(result.steps).toEqual([]);
  });

  test('a role that is missing refuses the plan', () => {
    const work = { ...sync([user('a')]), role: 'Nobody' } as UsersWork;
    expect(failure(() => planned(work)).code).toBe('NO_ROLE');
  });

  const withStand: Partial<Inventory> = {
    users: [info('a'), info('old')],
    pools: [poolOf('a'), { pool: 'old', comment: claimOf('old@pve', [10000], 'net') }],
    acls: [access('a'), access('old')],
  };
  const cases: readonly {
    name: string;
    options: { disable?: boolean; prune?: boolean };
    cluster: Partial<Inventory>;
    steps: readonly string[];
    note?: string;
  }[] = [
    { name: 'listed', options: {}, cluster: synced('a', 'old'), steps: [], note: 'not in the users file' },
    {
      name: 'disabled on demand',
      options: { disable: true },
      cluster: synced('a', 'old'),
      steps: ['user.update:old@pve'],
      note: 'not in the users file',
    },
    {
      name: 'disabled once',
      options: { disable: true },
      cluster: { ...synced('a', 'old'), users: [info('a'), info('old', { enabled: false, comment: GONE })] },
      steps: [],
      note: 'not in the users file, disabled',
    },
    {
      name: 'disabled again, whoever enabled them',
      options: { disable: true },
      cluster: { ...synced('a', 'old'), users: [info('a'), info('old', { comment: GONE })] },
      steps: ['user.update:old@pve'],
      note: 'not in the users file, enabled by somebody else',
    },
    {
      name: 'not written to unless somebody asks for it, whoever enabled them',
      options: {},
      cluster: { ...synced('a', 'old'), users: [info('a'), info('old', { comment: GONE })] },
      steps: [],
      note: 'not in the users file, enabled by somebody else',
    },
    {
      name: 'removed on demand',
      options: { prune: true },
      cluster: synced('a', 'old'),
      steps: ['acl.revoke:/pool/old old@pve', 'pool.delete:old', 'user.delete:old@pve'],
    },
    {
      name: 'kept while a stand is left',
      options: { prune: true },
      cluster: withStand,
      steps: [],
      note: 'not in the users file; has a stand of lab net, which cleanup removes first',
    },
    {
      name: 'disabled while a stand is left',
      options: { prune: true, disable: true },
      cluster: withStand,
      steps: ['user.update:old@pve'],
      note: 'not in the users file; has a stand of lab net, which cleanup removes first',
    },
    {
      name: 'kept while a bridge is left',
      options: { prune: true },
      cluster: {
        ...synced('a', 'old'),
        networks: [
          {
            node: 'pve1',
            readable: true,
            bridges: [
              bridge('vmbr1000', { comments: `deploy-stand lab=net user=old@pve net=x since=${NOW}` }),
            ],
            pending: [],
          },
        ],
      },
      steps: [],
      note: 'not in the users file; has a stand of lab net, which cleanup removes first',
    },
  ];
  test.each(cases)('leavers are $name', ({ options, cluster, steps, note }) => {
    const result = planned(sync([user('a')], options), cluster);
    expect(result.steps.map((step) => step.kind)).toEqual(steps.map((id) => id.split(':')[0]));
    expect(result.steps.every((step) => step.user === 'old@pve')).toBe(true);
    expect(notesOf(result, 'old@pve')).toEqual(note === undefined ? [] : [note]);
  });

  test.each([{}, { disable: true }])(
    'of a pool that somebody else may write a leaver stays, and is named: %j',
    (more) => {
      const says = 'boss@pve has PVEPoolAdmin on /pool/old';
      const pools = [
        poolOf('a'),
        { pool: 'old', comment: '', delegated: { path: '/pool/old', propagate: true, says } },
      ];
      const result = planned(sync([user('a')], { prune: true, ...more }), { ...synced('a', 'old'), pools });
      expect(result.steps.map(({ kind }) => kind)).toEqual('disable' in more ? ['user.update'] : []);
      const { refused } = result.stands.find((stand) => stand.user === 'old@pve') ?? {};
      expect(refused).toMatchObject({
        code: 'POOL_DELEGATED',
        message: expect.stringContaining(says) as string,
        hint: expect.stringContaining('comment of the pool') as string,
      });
    },
  );

  test('nobody but users of ours is a leaver', () => {
    const cluster = { ...synced('a'), users: [info('a'), info('teacher', { comment: 'staff' })] };
    const result = planned(sync([user('a')], { disable: true, prune: true }), cluster);
    expect([result.steps, result.stands.map((stand) => stand.user)]).toEqual([[], ['a@pve']]);
  });
});

describe('delete', () => {
  test('takes access, pool and user, in this order', () => {
    const result = planned(remove([user('a')]), synced('a', 'b'));
    expect(result.steps.map((step) => step.kind)).toEqual(['acl.revoke', 'pool.delete', 'user.delete']);
    expect(result.steps[2]?.dependsOn).toEqual(['pool.delete:a']);
  });

  test('finds the pool by its mark, and all of them', () => {
    const other = {
      pool: 'extra',
      comment: formatPoolComment({ user: 'a@pve', adopted: false, claims: [], others: [] }),
    };
    const result = planned(remove([user('a')]), { ...synced('a'), pools: [poolOf('a'), other] });
    const last = result.steps.at(-1);
    expect(result.steps.filter((step) => step.kind === 'user.delete')).toHaveLength(1);
    expect([last?.kind, last?.dependsOn]).toEqual(['user.delete', ['pool.delete:a', 'pool.delete:extra']]);
  });

  test.each<{ name: string; named: boolean; cluster: Partial<Inventory>; code: string }>([
    {
      name: 'a user with a stand',
      named: false,
      cluster: { ...synced('a'), pools: [{ pool: 'a', comment: claimOf('a@pve', [10000]) }] },
      code: 'STANDS_LEFT',
    },
    {
      name: 'a user who made a machine in the pool',
      named: false,
      cluster: { ...synced('a'), guests: [guest(500, { pool: 'a' })] },
      code: 'MEMBERS_LEFT',
    },
    {
      name: 'a named user who is not ours',
      named: true,
      cluster: { users: [info('a', { comment: 'staff' })] },
      code: 'NOT_OURS',
    },
  ])('$name is refused', ({ named, cluster, code }) => {
    expect(failure(() => planned(remove([user('a')], named), cluster)).code).toBe(code);
  });

  test('a user of the class who is not ours stays, the pool of ours goes', () => {
    const cluster = { ...synced('a'), users: [info('a', { comment: 'staff' })] };
    const result = planned(remove([user('a')]), cluster);
    expect(result.steps.map((step) => step.kind)).toEqual(['acl.revoke', 'pool.delete']);
    expect(notesOf(result, 'a@pve')).toEqual(['the user was not created by deploy-stand: it stays']);
  });

  test('nobody there is nothing to do', () => {
    expect(planned(remove([user('a')], true)).steps).toEqual([]);
  });
});

describe('passwd', () => {
  test('sets a password of each', () => {
    const result = planned(passwd([user('b'), user('a')]), synced('a', 'b'));
    expect(result.steps).toMatchObject([
      { kind: 'user.password', userid: 'a@pve', comment: MARK },
      { kind: 'user.password', userid: 'b@pve', comment: MARK },
    ]);
  });

  test('--recreate carries details and all rights over', () => {
    const right = { ...access('a', 'PVEVMUser'), path: '/vms/10001', propagate: false };
    const details = { email: 'a@x', firstName: 'A', lastName: '', groups: ['g'], expire: 9, enabled: false };
    const result = planned(passwd([user('a')], { recreate: true }), {
      ...synced('a', 'b'),
      users: [info('a', details)],
      acls: [right, access('a'), access('b'), { ...access('a'), type: 'token', subject: 'a@pve!t' }],
    });
    const [step] = result.steps;
    expect(result.steps).toHaveLength(1);
    expect(step).toMatchObject({
      kind: 'user.recreate',
      comment: MARK,
      email: 'a@x',
      firstName: 'A',
      groups: ['g'],
      expire: 9,
      enable: false,
      acls: [
        { path: '/pool/a', role: 'PVEVMAdmin', propagate: true },
        { path: '/vms/10001', role: 'PVEVMUser', propagate: false },
      ],
    });
    expect(step).not.toHaveProperty('lastName');
  });

  const staff = { users: [info('a', { comment: 'staff' })] };
  test.each<{ name: string; cluster: Partial<Inventory>; options: object; code: string }>([
    { name: 'nobody there', cluster: {}, options: {}, code: 'NO_USER' },
    { name: 'a named user who is not ours', cluster: staff, options: { named: true }, code: 'NOT_OURS' },
    {
      name: 'a foreign user to be made anew',
      cluster: staff,
      options: { named: true, recreate: true, forceForeign: true },
      code: 'NOT_OURS',
    },
    {
      name: 'a directory account',
      cluster: { ...synced('a'), realms: { pve: 'ldap' } },
      options: { named: true, forceForeign: true },
      code: 'DIRECTORY_ACCOUNT',
    },
  ])('$name is refused', ({ cluster, options, code }) => {
    expect(failure(() => planned(passwd([user('a')], options), cluster)).code).toBe(code);
  });

  test('--force-foreign reaches a user who is not ours', () => {
    const result = planned(passwd([user('a')], { named: true, forceForeign: true }), staff);
    expect(result.steps).toMatchObject([{ kind: 'user.password', comment: 'staff' }]);
  });

  test('of a whole class, those who cannot are told and passed over', () => {
    const result = planned(passwd([user('a'), user('b')]), {
      ...synced('b'),
      users: [...staff.users, info('b')],
    });
    expect(ids(result)).toEqual(['user.password:b@pve']);
    expect(notesOf(result, 'a@pve')).toEqual(['user a@pve was not created by deploy-stand']);
  });
});

describe('the shortest password of the server', () => {
  const all: readonly (readonly [string, UsersWork, Partial<Inventory>])[] = [
    ['create', create(user('a')), {}],
    ['sync', sync([user('a')]), {}],
    ['passwd', passwd([user('a')]), synced('a')],
    ['recreate', passwd([user('a')], { recreate: true }), synced('a')],
  ];
  test.each(all)('%s: 8 since 8.3, 5 before', (_, work, cluster) => {
    expect(failure(() => planned(work, { ...cluster, version: '8.3' }, 7))).toMatchObject({
      code: 'PASSWORD_TOO_SHORT',
      message: expect.stringContaining('PVE 8.3 refuses less than 8'),
    });
    expect(failure(() => planned(work, { ...cluster, version: '9.2' }, 7)).code).toBe('PASSWORD_TOO_SHORT');
    for (const [version, length] of [
      ['8.2', 7],
      ['7.4', 5],
      ['8.3', 8],
    ] as const)
      expect(planned(work, { ...cluster, version }, length).steps.length).toBeGreaterThan(0);
  });

  test('does not matter where no password is made', () => {
    expect(planned(sync([user('a')]), { ...synced('a'), version: '9.2' }, 5).steps).toEqual([]);
    const directory = { realms: { pve: 'ldap' }, version: '9.2' };
    expect(planned(create(user('a')), directory, 5).steps).toHaveLength(2);
  });

  test('refuses a deploy before anything is written, unless all users are there', () => {
    const want = lab([machine('pc', [alias('hq')])], { passwords: { length: 7, alphabet: 'digits' } });
    expect(failure(() => plan(want, [user('a')], have({ version: '8.4' }))).code).toBe('PASSWORD_TOO_SHORT');
    expect(plan(want, [user('a')], have({ version: '8.2' })).steps.length).toBeGreaterThan(0);
    expect(
      plan(want, [user('a')], have({ version: '8.4', users: [info('a')] })).steps.length,
    ).toBeGreaterThan(0);
  });
});

describe('list', () => {
  const cluster = have({
    users: [
      info('a', { expire: 9 }),
      info('b', { enabled: false }),
      info('staff', { comment: 'staff' }),
      info('owner', { comment: 'staff' }),
    ],
    pools: [
      { pool: 'a', comment: claimOf('a@pve', [10000, 10001, 10002]) },
      poolOf('owner'),
      { pool: 'foreign', comment: 'x' },
    ],
    guests: [
      guest(10000, { pool: 'a' }),
      guest(10001, { pool: 'a', status: 'stopped' }),
      guest(10002, { pool: 'foreign' }),
    ],
  });

  test('all of ours, with stands, machines and what is known of passwords', () => {
    const rows = userRows(cluster, undefined, (userid) => userid === 'a@pve');
    expect(rows).toEqual([
      {
        userid: 'a@pve',
        realm: 'pve',
        exists: true,
        ours: true,
        enabled: true,
        expire: 9,
        frozen: null,
        pool: 'a',
        stands: ['net'],
        vms: { total: 2, running: 1 },
        password: 'known',
      },
      expect.objectContaining({
        userid: 'b@pve',
        enabled: false,
        stands: [],
        expire: null,
        password: 'unknown',
      }),
      expect.objectContaining({ userid: 'owner@pve', ours: false, pool: 'owner' }),
    ]);
  });

  test('those of a file, also when they are missing', () => {
    const rows = userRows(cluster, [user('zed', { pool: 'z' }), user('staff')], () => false);
    expect(rows).toMatchObject([
      { userid: 'staff@pve', exists: true, ours: false },
      { userid: 'zed@pve', exists: false, ours: false, enabled: false, pool: 'z', expire: null },
    ]);
  });

  test('a container at a claimed number is no machine, nor is a VM that its user made at one', () => {
    const pools = [
      { pool: 'a', comment: claimOf('a@pve', [10000, 10001]) },
      { pool: 'b', comment: `deploy-stand user=b@pve\nlab=net vms=pc:10002?${'0'.repeat(24)} since=${NOW}` },
    ];
    const guests = [
      guest(10000, { pool: 'a' }),
      guest(10001, { pool: 'a', type: 'lxc' }),
      guest(10002, { pool: 'b' }),
    ];
    const rows = userRows({ ...cluster, pools, guests }, [user('a'), user('b')], () => false);
    expect(rows.map(({ vms }) => vms.total)).toEqual([1, 0]);
  });

  test('a directory keeps its passwords', () => {
    const rows = userRows({ ...cluster, realms: { pve: 'ad' } }, [user('a')], () => false);
    expect(rows[0]?.password).toBe('directory');
  });
});

describe('the mark of a user we disabled', () => {
  test('is told from all others, and taken away again', () => {
    expect(markDisabled(MARK, '2026-11-10T00:00:00Z')).toBe(GONE);
    expect(markDisabled(`${MARK} of class 10a`, '2026-11-10T00:00:00Z')).toBe(`${GONE} of class 10a`);
    expect(markDisabled(GONE)).toBe(MARK);
    expect([GONE, MARK, 'staff disabled=x', ''].map(isDisabledByUs)).toEqual([true, false, false, false]);
  });
});

test('of rights that waited in the credentials file, those on machines that are others’ by now are not given', () => {
  const right = (path: string) => ({ path, role: 'PVEVMUser', propagate: true });
  const kept = new Map([
    [
      'anna@pve',
      {
        ...{ comment: MARK, groups: [], enable: true },
        acls: [
          ...['/vms/10000', '/vms/10001', '/vms/10002', '/pool/anna'].map(right),
          // Known again by their pools, and not.
          { ...right('/vms/10003'), pool: 'boris' },
          { ...right('/vms/10004'), pool: null },
          { ...right('/vms/10005'), pool: null },
          { ...right('/vms/10006'), pool: 'anna' },
        ],
      },
    ],
  ]);
  const work: UsersWork = {
    ...{ by: 'passwd', users: [user('anna')], named: false, recreate: true, forceForeign: false },
    kept,
  };
  const result = planned(work, {
    pools: ['anna', 'boris'].map(poolOf),
    guests: [
      guest(10000, { pool: 'anna' }),
      ...[10001, 10003, 10005].map((vmid) => guest(vmid, { pool: 'boris' })),
      guest(10004),
    ],
  });
  expect(result.steps).toMatchObject([
    {
      kind: 'user.recreate',
      // With the pool of the moment: the step looks once more whether they are still there.
      acls: [
        { ...right('/vms/10000'), pool: 'anna' },
        right('/pool/anna'),
        { ...right('/vms/10003'), pool: 'boris' },
        { ...right('/vms/10004'), pool: null },
      ],
    },
  ]);
});
