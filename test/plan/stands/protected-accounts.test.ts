import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../../src/lib/inventory/types.ts';
import { formatPoolComment, makeClaim } from '../../../src/lib/marks/pool.ts';
import type { CleanupSelection } from '../../../src/lib/plan/cleanup/context.ts';
import { planCleanup } from '../../../src/lib/plan/cleanup/cleanup.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import { protectedBecause } from '../../../src/lib/plan/stands/protected-accounts.ts';
import { planUsers } from '../../../src/lib/plan/users/users.ts';
import type { UsersWork } from '../../../src/lib/plan/users/context.ts';
import { runs } from '../../runs.ts';
import { alias, have, lab, machine, plan, user } from '../builders.ts';

test.each<[userid: string, caller: string | undefined, isProtected: boolean]>([
  ['root@pam', undefined, true],
  ['root@pam', 'boss@pve', true],
  ['boss@pve', 'boss@pve', true],
  ['boss@pve', 'boss@pve!cli', true],
  ['Boss@school', 'boss@school', true],
  ['boss@pve', undefined, false],
  // A user's own name may hold a "!".
  ['b!oss@pve', 'b!oss@pve', true],
  ['b!oss@pve', 'b!oss@pve!cli', true],
  ['b@pve', 'b!oss@pve', false],
  ['boss@pam', 'boss@pve', false],
  ['boss2@pve', 'boss@pve', false],
  ['root@pve', 'boss@pve', false],
])('%s, run by %s: %s', (userid, caller, isProtected) => {
  expect(protectedBecause(userid, caller) !== undefined).toBe(isProtected);
});

const MARK = 'deploy-stand since=2026-01-01T00:00:00Z';
const LAB = lab([machine('pc', [alias('hq')])]);
const CALLERS = ['boss@pve', 'boss@pve!cli'] as const;

/** Everything of ours says that the account that runs this is a student, with an empty pool of its own. */
function taken(caller: string, more: Partial<Inventory> = {}): Inventory {
  const info = { enabled: true, expire: 1, email: '', firstName: '', lastName: '', groups: [] };
  return have({
    caller,
    users: ['boss@pve', 'anna@pve'].map((userid) => ({ userid, comment: MARK, ...info })),
    pools: ['boss', 'anna'].map((pool) => ({
      pool,
      comment: formatPoolComment({
        user: `${pool}@pve`,
        adopted: false,
        claims: [
          makeClaim({
            lab: 'net',
            machines: [],
            unnamed: [],
            since: '2026-01-01T00:00:00Z',
            expires: '2026-01-02',
          }),
        ],
        others: [],
      }),
    })),
    acls: ['boss', 'anna'].map((name) => ({
      path: `/pool/${name}`,
      role: 'PVEAdmin',
      subject: `${name}@pve`,
      type: 'user',
      propagate: true,
    })),
    ...more,
  });
}

/** Steps that would write to this account or to its rights. */
function against(made: Plan, userid = 'boss@pve'): string[] {
  return made.steps.flatMap((step) => ('userid' in step && step.userid === userid ? [step.id] : []));
}

const placed = (name: string, line: number) => user(name, { place: { file: 'users.yml', line } });
const CLASS = [placed('anna', 2), placed('boss', 3)];

describe.each(CALLERS)('run by %s', (caller) => {
  const passwords = { length: 12, alphabet: 'unambiguous' } as const;
  const users = (work: UsersWork, cluster = taken(caller)) => planUsers({ work, passwords, have: cluster });
  const refusing: [string, () => Plan][] = [
    ['deploy', () => plan(LAB, CLASS, taken(caller))],
    ['create', () => users({ by: 'create', users: CLASS })],
    ['sync', () => users({ by: 'sync', users: CLASS, role: 'PVEVMAdmin', disable: false, prune: false })],
    ...[true, false].map((recreate): [string, () => Plan] => [
      `passwd, recreate ${recreate}`,
      () => users({ by: 'passwd', users: CLASS, named: true, recreate, forceForeign: true }),
    ]),
  ];

  test.each(refusing)('%s refuses the class, with the line', (_, make) => {
    expect(make).toThrow(
      expect.objectContaining({
        code: 'PROTECTED_ACCOUNT',
        message: expect.stringMatching(/^users\.yml:3: boss@pve /) as string,
        hint: expect.stringContaining('remove it from the list') as string,
      }),
    );
  });

  const options = {
    keepUsers: false,
    adopt: false,
    includeMembers: false,
    forceProtected: true,
    lockWaitSeconds: 0,
    minAgeSeconds: 0,
  };
  const cleanup = (selection: CleanupSelection, cluster = taken(caller)) =>
    planCleanup({ selection, have: cluster, options });
  const removing: [string, () => Plan, who: string[]][] = [
    [
      'cleanup of the class',
      () => cleanup({ by: 'stands', lab: 'net', labMachines: [machine('pc', [])], users: CLASS }),
      ['anna'],
    ],
    ['cleanup --lab', () => cleanup({ by: 'stands', lab: 'net' }), ['anna']],
    ['cleanup --user', () => cleanup({ by: 'stands', users: [{ userid: 'boss@pve' }] }), []],
    ['cleanup --expired', () => cleanup({ by: 'expired' }), ['anna']],
    ['cleanup --orphans', () => cleanup({ by: 'orphans' }), ['anna']],
    [
      'cleanup --orphans without pools',
      () => cleanup({ by: 'orphans' }, taken(caller, { pools: [] })),
      ['anna'],
    ],
    [
      'users delete',
      () => users({ by: 'delete', users: CLASS, named: false }, taken(caller, { pools: [] })),
      ['anna'],
    ],
    ...[
      { disable: false, prune: true },
      { disable: true, prune: false },
    ].map((how): [string, () => Plan, string[]] => [
      `users sync ${JSON.stringify(how)}`,
      () => users({ by: 'sync', users: [], role: 'PVEVMAdmin', ...how }, taken(caller, { pools: [] })),
      ['anna'],
    ]),
  ];

  test.each(removing)('%s leaves it with its rights, and says so', (_, make, others) => {
    const made = make();
    expect(against(made)).toEqual([]);
    const notes = made.stands.find((stand) => stand.user === 'boss@pve')?.notes.join(' ');
    expect(notes).toMatch(/boss@pve .*stays?.*deploy-stand uses here/);
    for (const other of others) expect(against(made, `${other}@pve`)).not.toEqual([]);
  });

  test('what an option names has no line', () => {
    const named = [user('boss', { place: { file: '--user', line: 1 } })];
    expect(() => users({ by: 'create', users: named })).toThrow(/^--user: boss@pve /);
  });

  test('users delete --user says that it cannot', () => {
    const work = { by: 'delete', users: [user('boss'), user('anna')], named: true } as const;
    const made = users(work, taken(caller, { pools: [] }));
    expect(made.stands.find((stand) => stand.user === 'boss@pve')?.refused?.code).toBe('PROTECTED_ACCOUNT');
    expect([against(made), against(made, 'anna@pve')]).toEqual([[], ['user.delete:anna@pve']]);
  });
});

test('no plan that removes reaches root@pam, the caller or the owner of its token', () => {
  const userid = fc.constantFrom('root@pam', 'boss@pve', 'anna@pve', 'eva@pve');
  const info = {
    comment: MARK,
    enabled: true,
    expire: 1,
    email: '',
    firstName: '',
    lastName: '',
    groups: [],
  };
  const selection = fc.oneof(
    fc.constant<CleanupSelection>({ by: 'expired' }),
    fc.constant<CleanupSelection>({ by: 'orphans' }),
    fc.constant<CleanupSelection>({ by: 'stands', lab: 'net' }),
    userid.map((one): CleanupSelection => ({ by: 'stands', users: [{ userid: one }] })),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(userid),
      fc.constantFrom(undefined, 'boss@pve', 'boss@pve!x', 'root@pam!t'),
      selection,
      (present, caller, by) => {
        const { acls, pools } = taken('boss@pve');
        const cluster = have({
          ...(caller === undefined ? {} : { caller }),
          users: present.map((one) => ({ userid: one, ...info })),
          acls,
          pools,
        });
        const made = planCleanup({
          selection: by,
          have: cluster,
          options: {
            keepUsers: false,
            adopt: false,
            includeMembers: false,
            forceProtected: true,
            lockWaitSeconds: 0,
            minAgeSeconds: 0,
          },
        });
        const safe = ['root@pam', ...(caller === undefined ? [] : [caller.replace(/!.*/, '')])];
        for (const one of safe) expect(against(made, one)).toEqual([]);
      },
    ),
    runs(200, 5000),
  );
});
