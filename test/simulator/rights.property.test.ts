/** What PVE's list of the caller's rights says about any path, against the simulator's own check of that path. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { privilegesOn } from '../../src/lib/inventory/rights.ts';
import { accessRightsHandlers } from '../../src/lib/simulator/api/access-rights.ts';
import { buildState } from '../../src/lib/simulator/build/build-state.ts';
import { Params } from '../../src/lib/simulator/contract/params.ts';
import { Rights } from '../../src/lib/simulator/access/permissions.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { Call } from '../../src/lib/simulator/sim.ts';
import { versionFacts } from '../../src/lib/simulator/version.ts';
import { World } from '../../src/lib/simulator/world.ts';
import { runs } from '../runs.ts';

const PATHS = [
  '/',
  '/vms',
  '/vms/100',
  '/vms/300',
  '/vms/10000',
  '/pool',
  '/pool/infra',
  '/pool/student1',
  '/storage',
  '/storage/ceph',
  '/nodes',
  '/nodes/pve1',
  '/sdn/zones',
  '/sdn/zones/localnetwork',
  '/sdn/zones/localnetwork/vmbr0',
  '/sdn/zones/localnetwork/vmbr0/100',
  '/access',
  '/access/groups',
  '/access/groups/teachers',
  '/access/realm/pve',
];
const ROLES = ['PVEAuditor', 'PVEVMAdmin', 'PVEPoolAdmin', 'PVEUserAdmin', 'Administrator'];

/** A path on which owner and token have nothing in common is not listed, and looks as if it inherited. */
const OVERLAPPING = ['PVEAuditor', 'PVEVMAdmin', 'Administrator'];

const acl = (propagate: fc.Arbitrary<boolean>, subjects: readonly string[], roles = ROLES) =>
  fc.record({
    path: fc.constantFrom(...PATHS),
    role: fc.constantFrom(...roles),
    propagate,
    to: fc.constantFrom(...subjects),
  });

function worldOf(version: '7.4' | '8.4' | '9.2', entries: readonly Record<string, unknown>[]) {
  const scenario: Scenario = {
    nodes: [{ name: 'pve1' }],
    storages: [{ id: 'ceph', type: 'rbd' }],
    version,
    groups: [{ group: 'teachers' }],
    users: [
      {
        userid: 'anna@pve',
        groups: ['teachers'],
        tokens: [{ id: 't', secret: '11111111-1111-4111-a111-111111111111', privsep: true }],
      },
    ],
    pools: [{ pool: 'infra', storages: ['ceph'] }],
    acl: entries.map(({ to, ...entry }) => ({
      ...(entry as { path: string; role: string; propagate: boolean }),
      ...(to === 'user'
        ? { user: 'anna@pve' }
        : to === 'group'
          ? { group: 'teachers' }
          : { token: 'anna@pve!t' }),
    })),
  };
  const world = new World(buildState(scenario));
  const facts = versionFacts(version);
  return { world, facts, rights: new Rights(world, facts) };
}

function listed(sim: ReturnType<typeof worldOf>, user: string): Record<string, Record<string, boolean>> {
  const call = { sim, user, params: new Params(new Map()) } as unknown as Call;
  const answer = accessRightsHandlers['GET /access/permissions']!(call) as Record<
    string,
    Record<string, number>
  >;
  return Object.fromEntries(
    Object.entries(answer).map(([path, held]) => [
      path,
      Object.fromEntries(Object.entries(held).map(([name, value]) => [name, value === 1])),
    ]),
  );
}

function compare(sim: ReturnType<typeof worldOf>, user: string): void {
  const rights = listed(sim, user);
  const texts = (held: Iterable<readonly [string, boolean]>): string => JSON.stringify([...held].sort());
  const wrong = PATHS.filter(
    (path) => texts(Object.entries(privilegesOn(rights, path))) !== texts(sim.rights.privileges(user, path)),
  );
  expect(wrong).toEqual([]);
}

const version = fc.constantFrom('7.4' as const, '8.4' as const, '9.2' as const);

// On one path, a group's ACL that propagates under a user's own that does not cannot be told from the list.
test.each([
  { name: 'own ACLs, with and without propagation', propagate: fc.boolean(), subjects: ['user', 'token'] },
  { name: 'own and group ACLs', propagate: fc.constant(true), subjects: ['user', 'group'] },
])('for a user with $name', ({ propagate, subjects }) => {
  fc.assert(
    fc.property(version, fc.array(acl(propagate, subjects), { maxLength: 6 }), (of, entries) => {
      compare(worldOf(of, entries), 'anna@pve');
    }),
    runs(60, 5000),
  );
});

test('for a token with rights of its own, where ACLs propagate', () => {
  fc.assert(
    fc.property(
      version,
      fc.array(acl(fc.constant(true), ['user', 'token'], OVERLAPPING), { maxLength: 6 }),
      (of, entries) => {
        compare(worldOf(of, entries), 'anna@pve!t');
      },
    ),
    runs(60, 5000),
  );
});

test('a token lists its own rights, not its owner’s; without separation, its owner’s', () => {
  const entries = [
    { path: '/vms', role: 'PVEVMAdmin', propagate: true, to: 'user' },
    { path: '/pool', role: 'PVEPoolAdmin', propagate: true, to: 'token' },
    { path: '/vms', role: 'PVEAuditor', propagate: true, to: 'token' },
  ];
  const sim = worldOf('8.4', entries);
  expect(listed(sim, 'anna@pve!t')['/vms']).toEqual({ 'VM.Audit': true });
  expect(listed(sim, 'anna@pve!t')['/pool']).toBeUndefined();
});
