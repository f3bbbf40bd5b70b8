import { describe, expect, test } from 'vitest';
import type { Lab } from '../../../src/lib/config/types.ts';
import type { Inventory } from '../../../src/lib/inventory/types.ts';
import { STUDENT_PRIVILEGES, STUDENT_ROLE } from '../../../src/lib/marks/role.ts';
import { ownWayBack } from '../../../src/lib/plan/stands/roles.ts';
import { planAgain } from '../../../src/lib/plan/saved/plan-again.ts';
import { planUsers } from '../../../src/lib/plan/users/users.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import type { StepOf } from '../../../src/lib/plan/document/step.ts';
import { alias, have, lab, machine, plan, real, user } from '../builders.ts';

const LAB = lab([machine('pc', [real('vmbr0')])], { access: { role: STUDENT_ROLE } });
const CLASS = [user('anna'), user('boris')];

/** A cluster on which our role holds this; without: there is none. */
function cluster(held?: readonly string[], more: Partial<Inventory> = {}): Inventory {
  const rolePrivileges = {
    Administrator: [...STUDENT_PRIVILEGES, 'VM.Config.Network', 'Pool.Allocate'],
    PVEVMAdmin: [...STUDENT_PRIVILEGES, 'VM.Config.Network'],
    ...(held ? { [STUDENT_ROLE]: held } : {}),
  };
  return have({ roles: Object.keys(rolePrivileges), rolePrivileges, ...more });
}

const sync = (snapshot: Inventory): Plan =>
  planUsers({
    work: { by: 'sync', users: CLASS, role: STUDENT_ROLE, disable: false, prune: false },
    passwords: { length: 12, alphabet: 'unambiguous' },
    have: snapshot,
  });

const plans: [string, (snapshot: Inventory) => Plan][] = [
  ['deploy', (snapshot) => plan(LAB, CLASS, snapshot)],
  ['users sync', sync],
];

const making = ({ steps }: Plan) =>
  steps.filter((step): step is StepOf<'role.create'> => step.kind === 'role.create');
const granting = ({ steps }: Plan) =>
  steps.filter((step): step is StepOf<'acl.grant'> => step.kind === 'acl.grant');

describe.each(plans)('%s', (_, make) => {
  test('makes the role once when it is missing, and gives it after that', () => {
    const made = make(cluster());
    expect(making(made)).toMatchObject([
      { id: `role.create:${STUDENT_ROLE}`, role: STUDENT_ROLE, privileges: STUDENT_PRIVILEGES },
    ]);
    expect(making(made)[0]?.user).toBeUndefined();
    expect(granting(made)).toHaveLength(2);
    for (const grant of granting(made)) expect(grant.dependsOn).toContain(`role.create:${STUDENT_ROLE}`);
  });

  test('makes it of what the server knows', () => {
    const known = STUDENT_PRIVILEGES.filter((name) => name !== 'VM.Config.Cloudinit');
    const made = make(cluster(undefined, { rolePrivileges: { Administrator: known } }));
    expect(making(made).map(({ privileges }) => privileges)).toEqual([known]);
  });

  test('uses the one that is there, and never changes it', () => {
    const made = make(cluster(STUDENT_PRIVILEGES));
    expect([making(made), made.warnings]).toEqual([[], []]);
    expect(granting(made)).toHaveLength(2);
  });

  test('says of a narrower one what it lacks, with the command', () => {
    const held = STUDENT_PRIVILEGES.filter((name) => !name.startsWith('VM.Snapshot'));
    const made = make(cluster(held));
    expect(making(made)).toEqual([]);
    expect(made.warnings).toEqual([
      `role ${STUDENT_ROLE} of the cluster lacks VM.Snapshot, VM.Snapshot.Rollback: it is given as it is; an administrator completes it with: pveum role modify ${STUDENT_ROLE} --privs VM.Snapshot,VM.Snapshot.Rollback --append 1`,
    ]);
  });

  test.each([['VM.Config.Network'], ['Pool.Allocate'], ['Sys.Modify']])(
    'refuses one that holds %s, too',
    (more) => {
      expect(() => make(cluster([...STUDENT_PRIVILEGES, more]))).toThrow(
        expect.objectContaining({
          code: 'ROLE_TOO_WIDE',
          message: expect.stringContaining(more) as string,
          hint: expect.stringContaining(
            `pveum role modify ${STUDENT_ROLE} --privs ${STUDENT_PRIVILEGES.join(',')}`,
          ) as string,
        }),
      );
    },
  );

  test('without a list of roles nothing is known to be missing', () => {
    expect(making(make(have({ roles: [] })))).toEqual([]);
  });
});

test('a lab with another role makes none', () => {
  const made = plan({ ...LAB, access: { role: 'PVEVMAdmin' } }, CLASS, cluster());
  expect(making(made)).toEqual([]);
});

test('of a machine alone it is made, too', () => {
  const machines = [machine('pc', [real('vmbr0')], { poolRole: STUDENT_ROLE })];
  const made = plan(lab(machines), CLASS, cluster());
  const ofVm = granting(made).filter(({ path }) => path.startsWith('/vms/'));
  expect(making(made)).toHaveLength(1);
  expect(ofVm.map(({ dependsOn }) => dependsOn.includes(`role.create:${STUDENT_ROLE}`))).toEqual([
    true,
    true,
  ]);
});

test('privileges on the system are warned of when users are synced, too', () => {
  const made = planUsers({
    work: { by: 'sync', users: CLASS, role: 'tutor', disable: false, prune: false },
    passwords: { length: 12, alphabet: 'unambiguous' },
    have: have({ roles: ['tutor'], rolePrivileges: { tutor: ['VM.Audit', 'Sys.Audit'] } }),
  });
  expect(made.warnings).toEqual(['role tutor holds Sys.Audit: is it meant for students?']);
});

describe('a saved plan', () => {
  const saved = (change: Partial<StepOf<'role.create'>>, of = LAB): Plan => {
    const made = plan(LAB, CLASS, cluster());
    const steps = made.steps.map((step) => (step.kind === 'role.create' ? { ...step, ...change } : step));
    const options = { adopt: false, updateRunning: false };
    return planAgain({ ...made, steps }, { lab: of, users: CLASS, have: cluster(), options });
  };

  test('makes the role of the lab', () => expect(making(saved({}))).toHaveLength(1));

  test.each<[string, Partial<StepOf<'role.create'>>]>([
    ['with more in it', { privileges: [...STUDENT_PRIVILEGES, 'VM.Allocate'] }],
    ['under another name', { role: 'mine' }],
  ])('makes none %s', (_, change) => {
    expect(() => saved(change)).toThrow(/role\.create:/);
  });

  test('makes none that the lab does not give', () => {
    expect(() => saved({}, { ...LAB, access: { role: 'PVEVMAdmin' } })).toThrow(/acl\.grant:.*role is/);
  });
});

describe('on 7.4, where no right keeps a student out of a bridge', () => {
  const OWN = lab([machine('pc', [alias('hq'), real('vmbr0')]), machine('web', [alias('hq')])]);
  const about = (made: Plan) => made.warnings.filter((text) => text.includes('any bridge of the node'));
  const old = cluster(undefined, { version: '7.4' });

  test('a role that edits network cards is warned of once, with the way out', () => {
    const [warning, ...more] = about(plan(OWN, CLASS, old));
    expect(warning).toMatch(/^on PVE 7\.4, role PVEVMAdmin .*"role: student" does not/);
    expect(more).toEqual([]);
  });

  test('of a machine alone, too', () => {
    const machines = [machine('pc', [alias('hq')], { poolRole: 'PVEVMAdmin' })];
    expect(about(plan(lab(machines, { access: { role: STUDENT_ROLE } }), CLASS, old))).toHaveLength(1);
  });

  test.each<[string, Lab, Inventory]>([
    ['our own role', { ...OWN, access: { role: STUDENT_ROLE } }, old],
    ['no network of the own', lab([machine('pc', [real('vmbr0')])]), old],
    ['8.4', OWN, cluster(undefined, { version: '8.4' })],
    ['9.2', OWN, cluster(undefined, { version: '9.2' })],
  ])('nothing is said of %s', (_, want, snapshot) => expect(about(plan(want, CLASS, snapshot))).toEqual([]));

  test('where the privileges cannot be read, PVE’s own roles are known', () => {
    expect(about(plan(OWN, CLASS, have({ version: '7.4' })))).toHaveLength(1);
    expect(about(plan({ ...OWN, access: { role: 'PVEVMUser' } }, CLASS, have({ version: '7.4' })))).toEqual(
      [],
    );
  });
});

describe('back to the baseline alone', () => {
  const withBaseline = (role: string): Lab => {
    const machines = [machine('pc', []), machine('srv', [], { baselineSnapshot: 'start' })];
    return lab(machines, { access: { role } });
  };
  test.each([
    ['our own role', STUDENT_ROLE, {}, 'start'],
    ['the default role', 'PVEVMAdmin', {}, 'start'],
    ['a role of theirs that may', 'Own', { rolePrivileges: { Own: ['VM.Snapshot.Rollback'] } }, 'start'],
    ['one that may not', 'Own', { rolePrivileges: { Own: ['VM.Console'] } }, undefined],
    ['one of which nothing is known', 'Own', {}, undefined],
  ] as const)('%s', (_, role, roles, expected) => {
    expect(ownWayBack(withBaseline(role), roles)).toBe(expected);
  });
  test('a lab without one', () => {
    expect(ownWayBack(lab([machine('pc', [])]), {})).toBeUndefined();
  });
});
