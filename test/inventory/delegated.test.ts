import { describe, expect, test } from 'vitest';
import {
  delegatedBy,
  delegatedGaps,
  findWriters,
  tellDelegated,
  type Trust,
} from '../../src/lib/inventory/delegated.ts';
import type { AclEntry, Rights } from '../../src/lib/inventory/types.ts';

const ROLES = {
  PVEPoolAdmin: ['Pool.Allocate', 'Pool.Audit'],
  PVEVMAdmin: ['VM.Audit', 'VM.Allocate'],
  Delegator: ['Permissions.Modify'],
};
const USERS = [
  { userid: 'teacher@pve', groups: ['staff'] },
  { userid: 'tutor@pve', groups: ['staff'] },
];
const MARK = 'deploy-stand user=anna@pve\nlab=net vmids=10000 since=2026-01-01T00:00:00Z';

const acl = (path: string, subject: string, more: Partial<AclEntry> = {}): AclEntry => ({
  path,
  subject,
  role: 'PVEPoolAdmin',
  type: 'user',
  propagate: true,
  ...more,
});

/** Shows all rights and all users. */
const ALL: Rights = { '/access': { 'Sys.Audit': true } };

function toldOf(acls: readonly AclEntry[], trust: Partial<Trust> = {}, pool = 'anna') {
  const { poolWriters: writers } = findWriters(
    { acls, roles: ROLES, users: USERS, pools: [{ pool }], rights: ALL },
    { caller: 'root@pam!ci', operators: [], ...trust },
  );
  const [told] = tellDelegated([{ pool, comment: MARK }], writers);
  // The same is said of the name while there is no such pool.
  expect(delegatedBy(writers)(pool)).toEqual(told?.delegated);
  return told;
}

describe('whose marks count', () => {
  test.each<[string, AclEntry[], Partial<Trust>?, string?]>([
    ['nobody has a right on it', []],
    ['a role without Pool.Allocate', [acl('/pool/anna', 'anna@pve', { role: 'PVEVMAdmin' })]],
    ['another pool', [acl('/pool/boris', 'boss@pve')]],
    ['a pool with a longer name', [acl('/pool/anna2', 'boss@pve')]],
    ['administrators of all pools', [acl('/pool', 'boss@pve'), acl('/', 'boss@pve')]],
    ['the caller', [acl('/pool/anna', 'ci@pve')], { caller: 'ci@pve' }],
    ['the owner of the caller’s token', [acl('/pool/anna', 'ci@pve')], { caller: 'ci@pve!nightly' }],
    ['the caller’s own token', [acl('/pool/anna', 'ci@pve!x', { type: 'token' })], { caller: 'ci@pve' }],
    ['root', [acl('/pool/anna', 'root@pam')]],
    ['an operator', [acl('/pool/anna', 'boss@pve')], { operators: ['boss@pve'] }],
    [
      'an operator’s token',
      [acl('/pool/anna', 'boss@pve!t', { type: 'token' })],
      { operators: ['boss@pve'] },
    ],
    ['a group by name', [acl('/pool/anna', 'staff', { type: 'group' })], { operators: ['@staff'] }],
    [
      'a group of operators only',
      [acl('/pool/anna', 'staff', { type: 'group' })],
      { operators: ['teacher@pve', 'tutor@pve'] },
    ],
    ['a parent that passes nothing down', [acl('/pool/c', 'boss@pve', { propagate: false })], {}, 'c/anna'],
  ])('counts: %s', (_, acls, trust = {}, pool = 'anna') => {
    expect(toldOf(acls, trust, pool)).toEqual({ pool, comment: MARK });
  });

  test.each<[string, AclEntry[], string, Partial<Trust>?, string?]>([
    ['a pool admin', [acl('/pool/anna', 'boss@pve')], 'boss@pve has PVEPoolAdmin on /pool/anna'],
    [
      'one who may give himself that right',
      [acl('/pool/anna', 'boss@pve', { role: 'Delegator' })],
      'boss@pve has Delegator on /pool/anna',
    ],
    [
      'without propagation, on the pool itself',
      [acl('/pool/anna', 'boss@pve', { propagate: false })],
      'boss@pve has PVEPoolAdmin on /pool/anna',
    ],
    [
      'a token of somebody',
      [acl('/pool/anna', 'boss@pve!t', { type: 'token' })],
      'boss@pve!t has PVEPoolAdmin on /pool/anna',
    ],
    [
      'one operator’s token is not the other’s',
      [acl('/pool/anna', 'boss@pve', {})],
      'boss@pve has PVEPoolAdmin on /pool/anna',
      { operators: ['boss@pve!t'] },
    ],
    [
      'a group with one who is not trusted',
      [acl('/pool/anna', 'staff', { type: 'group' })],
      '@staff has PVEPoolAdmin on /pool/anna',
      { operators: ['teacher@pve'] },
    ],
    [
      'a group of which no member is known',
      [acl('/pool/anna', 'ghosts', { type: 'group' })],
      '@ghosts has PVEPoolAdmin on /pool/anna',
    ],
    [
      'a role that nothing is known of',
      [acl('/pool/anna', 'boss@pve', { role: 'Secret' })],
      'boss@pve has Secret on /pool/anna',
    ],
    [
      'a parent pool',
      [acl('/pool/class10', 'boss@pve')],
      'boss@pve has PVEPoolAdmin on /pool/class10',
      {},
      'class10/anna',
    ],
    [
      'several, with friends of the pool admin',
      [
        acl('/pool/anna', 'boss@pve'),
        acl('/pool/anna', 'staff', { type: 'group', role: 'Delegator' }),
        acl('/pool/anna', 'anna@pve', { role: 'PVEVMAdmin' }),
      ],
      'boss@pve has PVEPoolAdmin on /pool/anna, @staff has Delegator on /pool/anna',
    ],
    [
      'very many',
      Array.from({ length: 7 }, (_, i) => acl('/pool/anna', `boss${i}@pve`)),
      [0, 1, 2, 3, 4].map((i) => `boss${i}@pve has PVEPoolAdmin on /pool/anna`).join(', ') + ' and 2 more',
    ],
  ])('is noise: %s', (_, acls, delegated, trust = {}, pool = 'anna') => {
    expect(toldOf(acls, trust, pool)).toMatchObject({ pool, comment: '', delegated: { says: delegated } });
  });
});

test('many are told once, and only those that carry a mark', () => {
  const pools = Array.from({ length: 30 }, (_, i) => ({ pool: `s${i}`, comment: i < 7 ? MARK : 'physics' }));
  const acls = pools.map(({ pool }) => acl(`/pool/${pool}`, 'boss@pve'));
  const { poolWriters: writers } = findWriters(
    { acls, roles: ROLES, users: USERS, pools, rights: ALL },
    { caller: undefined, operators: [] },
  );
  const told = tellDelegated(pools, writers);
  expect(
    delegatedGaps(pools, told, ({ comment }) => comment.startsWith('deploy-stand'), 'stands-delegated').map(
      ({ text }) => text,
    ),
  ).toEqual([
    expect.stringMatching(
      /^pools s0, s1, s2, s3, s4 and 2 more can be written by somebody else, .*: boss@pve has PVEPoolAdmin on \/pool\/s0; /,
    ),
  ]);
  expect(delegatedGaps(pools, told, () => false, 'stands-delegated')).toEqual([]);
});

test.each([
  ['PVEPoolAdmin', true],
  ['PVEVMAdmin', true],
  ['Renamer', true],
  ['Delegator', true],
  ['Unknown', true],
  ['PVETemplateUser', false],
])('may %s name the members of a pool: %s', (role, may) => {
  const roles = { ...ROLES, Renamer: ['VM.Config.Options'], PVETemplateUser: ['VM.Audit', 'VM.Clone'] };
  const { memberWriters: writers } = findWriters(
    {
      acls: [acl('/pool/golden', 'boss@pve', { role }), acl('/pool/golden', 'root@pam')],
      roles,
      users: USERS,
      pools: [{ pool: 'golden' }],
      rights: ALL,
    },
    { caller: 'ci@pve', operators: [] },
  );
  expect(delegatedBy(writers)('golden')?.says).toBe(may ? `boss@pve has ${role} on /pool/golden` : undefined);
});

describe('what the caller does not see counts as somebody’s', () => {
  const listed = ['class10', 'class10/anna', 'staff'].map((pool) => ({ pool, comment: MARK }));
  const see = { 'Pool.Audit': true };
  test.each<[string, Rights, string[]]>([
    ['Sys.Audit on /access shows all', { '/pool': see, '/access': { 'Sys.Audit': false } }, []],
    [
      'Sys.Audit on / alone shows none',
      { '/': { 'Sys.Audit': false } },
      ['class10', 'class10/anna', 'staff'],
    ],
    [
      'Sys.Audit on the pools shows none',
      { '/pool': { 'Sys.Audit': true } },
      ['class10', 'class10/anna', 'staff'],
    ],
    ['Pool.Allocate on all pools', { '/pool': { 'Pool.Allocate': true } }, []],
    [
      'Permissions.Modify on one',
      { '/pool/staff': { 'Permissions.Modify': true } },
      ['class10', 'class10/anna'],
    ],
    [
      'Pool.Allocate on a pool, but not on the one above it',
      { '/pool/class10/anna': { 'Pool.Allocate': true }, '/pool/staff': { 'Pool.Allocate': true } },
      ['class10', 'class10/anna'],
    ],
    [
      'a right on one pool that replaces what comes from above',
      { '/pool': { 'Pool.Allocate': true }, '/pool/staff': see },
      ['staff'],
    ],
  ])('%s', (_, rights, unseen) => {
    const lists = { acls: [], roles: ROLES, users: USERS, pools: listed, rights };
    const told = tellDelegated(listed, findWriters(lists, { caller: 'ci@pve', operators: [] }).poolWriters);
    expect(told.filter(({ delegated }) => delegated?.unseen).map(({ pool }) => pool)).toEqual(unseen);
    expect(told.filter(({ comment }) => comment === '').map(({ pool }) => pool)).toEqual(unseen);
  });

  test('a pool above that is hidden from it keeps the one below from counting', () => {
    const pools = [{ pool: 'class10/anna', comment: MARK }];
    const rights = { '/pool': { 'Pool.Allocate': true } };
    const { poolWriters: writers } = findWriters(
      { acls: [], roles: ROLES, users: USERS, pools, rights },
      { caller: 'ci@pve', operators: [] },
    );
    expect(writers.map(({ path }) => path)).toEqual(['/pool/class10']);
    const told = tellDelegated(pools, writers);
    const [gap] = delegatedGaps(pools, told, () => true, 'stands-delegated');
    expect(gap?.text).toMatch(
      /^pool class10\/anna may be writable for somebody else, .* give the caller Sys.Audit on \/access/,
    );
  });

  test.each<[string, Rights, boolean]>([
    ['all users', { '/access/groups': { 'Sys.Audit': true } }, true],
    ['the users of this group', { '/access/groups/staff': { 'User.Modify': false } }, true],
    ['the users of another group', { '/access/groups/students': { 'User.Modify': true } }, false],
  ])('a group of operators is trusted by a caller that sees %s: %s', (_, more, trusted) => {
    const rights = { '/pool': { 'Pool.Allocate': true }, ...more };
    const acls = [acl('/pool/anna', 'staff', { type: 'group' })];
    const pools = [{ pool: 'anna' }];
    const operators = USERS.map(({ userid }) => userid);
    const { poolWriters: writers } = findWriters(
      { acls, roles: ROLES, users: USERS, pools, rights },
      { caller: 'ci@pve', operators },
    );
    expect(writers.length === 0).toBe(trusted);
  });
});
