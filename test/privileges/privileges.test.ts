import { describe, expect, test } from 'vitest';
import type { Inventory, Rights } from '../../src/lib/inventory/types.ts';
import { planCleanup } from '../../src/lib/plan/cleanup/cleanup.ts';
import { doctorReport } from '../../src/lib/privileges/report.ts';
import { grantsFor, tokenCommands } from '../../src/lib/privileges/grants.ts';
import { profileOf } from '../../src/lib/plan/cluster/profile.ts';
import { missing, requiredByPlan, requiredByScope } from '../../src/lib/privileges/required.ts';
import { cleanupScope, deployScope } from '../../src/lib/privileges/scopes.ts';
import type { Requirement } from '../../src/lib/privileges/types.ts';
import type { Plan } from '../../src/lib/plan/document/plan.ts';
import type { StepKind, StepOf } from '../../src/lib/plan/document/step.ts';
import {
  alias,
  applied,
  claimOf,
  guest,
  have,
  ids,
  lab,
  machine,
  plan,
  real,
  standOf,
  template,
  user,
} from '../plan/builders.ts';

const CONFINED: Rights = { '/pool': { 'VM.Allocate': true } };
const localStorage = {
  ...{ storage: 'zfs', type: 'zfspool', shared: false, active: true, content: ['images'] },
  ...{ total: 2 ** 40, used: 0 },
};
const FULL: Rights = { '/vms': { 'VM.Allocate': true } };

function stepOf<K extends StepKind>(result: Plan, kind: K): StepOf<K> {
  return result.steps.find((step) => step.kind === kind) as unknown as StepOf<K>;
}

const texts = (needs: readonly Requirement[]): string[] =>
  needs.map(({ path, anyOf, reaches }) => `${anyOf.join('|')} ${path}${reaches ? '/' : ''}`);

describe('the profile', () => {
  test.each([
    { rights: undefined, profile: 'full' },
    { rights: {}, profile: 'full' },
    { rights: { '/': { 'VM.Allocate': true } }, profile: 'full' },
    { rights: { '/vms': { 'VM.Allocate': false }, '/pool': { 'VM.Allocate': true } }, profile: 'confined' },
    { rights: { '/pool': { 'VM.Allocate': false } }, profile: 'full' },
    { rights: { ...FULL, ...CONFINED }, profile: 'full' },
  ] as const)('$rights: $profile', ({ rights, profile }) => {
    expect(profileOf(rights)).toBe(profile);
  });
});

describe('a confined plan', () => {
  const want = lab([machine('pc', [alias('hq')], { poolRole: 'PVEVMUser' })]);
  const confined = (more: Partial<Inventory> = {}) =>
    plan(want, [user('anna')], have({ rights: CONFINED, ...more }));

  test('claims by the comment, its clones join the pool, and are told to be made before access is given', () => {
    const result = confined();
    expect(result.profile).toBe('confined');
    expect(stepOf(result, 'pool.create').comment).toContain('lab=net vms=pc:10000? ');
    expect(stepOf(result, 'vm.clone')).toMatchObject({
      pool: 'anna',
      joinsAtOnce: true,
      dependsOn: ['pool.create:anna'],
    });
    expect(stepOf(result, 'pool.join')).toMatchObject({
      machines: [{ machine: 'pc', vmid: 10000, madeBy: 'vm.configure:anna/pc' }],
      after: ['vm.configure:anna/pc'],
    });
    expect(stepOf(result, 'acl.grant').dependsOn).toContain('pool.join:anna');
    const full = plan(want, [user('anna')]);
    expect(ids(result)).toEqual(ids(full));
    expect(stepOf(full, 'vm.clone')).not.toHaveProperty('joinsAtOnce');
  });

  test('goes on with the numbers of a run that was killed: a new seal, and the former for a clone that comes late', () => {
    const former = 'ab'.repeat(12);
    const pools = [{ pool: 'anna', comment: standOf('anna@pve', { pc: [10000, former] }) }];
    const result = confined({ pools });
    expect(stepOf(result, 'pool.update')).toMatchObject({
      comment: expect.stringContaining(`vms=pc:10000??${former} `) as string,
    });
    expect(stepOf(result, 'vm.clone')).toMatchObject({ vmid: 10000, dependsOn: ['pool.update:anna'] });
  });

  test('goes on with the numbers that 0.1.0 had claimed, by name from now on', () => {
    const result = confined({ pools: [{ pool: 'anna', comment: claimOf('anna@pve', [10000]) }] });
    expect(stepOf(result, 'pool.update').comment).toContain('vms=pc:10000? node=');
    expect(stepOf(result, 'vm.clone').vmid).toBe(10000);
  });

  test('takes another number where one was found taken, and gives that one up', () => {
    const pools = [{ pool: 'anna', comment: standOf('anna@pve', { pc: [10000, 'ab'.repeat(12)] }) }];
    const result = plan(want, [user('anna')], have({ rights: CONFINED, pools }), {
      taken: { vmids: [10000], bridges: [] },
    });
    expect(stepOf(result, 'vm.clone').vmid).toBe(10001);
    expect(stepOf(result, 'pool.update').comment).toContain('vms=pc:10001? node=');
  });

  test('does not make members of VMs that left the pool', () => {
    const made = applied(want, confined(), have({ rights: CONFINED }));
    const outside = made.guests.map(({ vmid, node, name = '', status }) =>
      guest(vmid, { node, name, status }),
    );
    const again = plan(want, [user('anna')], { ...made, guests: outside });
    expect(again.steps).toEqual([]);
  });

  test('releases only members: PVE lists the rights on them', () => {
    const pools = [{ pool: 'anna', comment: `${claimOf('anna@pve', [10000, 10001])}\nby hand` }];
    const released = (rights: Rights) =>
      stepOf(
        planCleanup({
          selection: { by: 'stands', lab: 'net' },
          have: have({ rights, pools }),
          options: {
            keepUsers: false,
            adopt: false,
            includeMembers: false,
            forceProtected: false,
            lockWaitSeconds: 0,
            minAgeSeconds: 0,
          },
        }),
        'pool.release',
      ).removeVmids;
    expect(released(FULL)).toEqual([10000, 10001]);
    expect(released({ ...CONFINED, '/vms/10001': { 'VM.Allocate': false } })).toEqual([10001]);
  });
});

describe('what a plan needs', () => {
  const want = lab([machine('pc', [alias('hq')])]);
  const needs = (more: Partial<Inventory> = {}) => {
    const before = have({
      rolePrivileges: { PVEVMAdmin: ['VM.Console', 'VM.Backup'] },
      rights: FULL,
      ...more,
    });
    return texts(requiredByPlan(plan(want, [user('anna')], before), before));
  };

  test('names the very paths', () => {
    const templates = [template(101, 'ceph', { net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0' })];
    expect(needs({ templates })).toEqual([
      'Pool.Allocate /pool/anna',
      'Pool.Audit /pool/anna',
      'Sys.Modify /nodes/pve1',
      'SDN.Use|SDN.Audit /sdn/zones/localnetwork/vmbr1000',
      'Realm.AllocateUser /access/realm/pve',
      'User.Modify /access/groups',
      'VM.Clone /vms/101',
      'Datastore.AllocateSpace /storage/ceph',
      'SDN.Use /sdn/zones/localnetwork/vmbr0',
      'VM.Allocate /vms/10000',
      'VM.Audit /vms/10000',
      'VM.Config.Options /vms/10000',
      'VM.Config.Network /vms/10000',
      'SDN.Use /sdn/zones/localnetwork/vmbr1000',
      // To make it a member.
      'VM.Allocate|Permissions.Modify /vms/10000',
      'Pool.Allocate|Permissions.Modify /pool/anna',
      'VM.Console|Permissions.Modify /pool/anna/',
      'VM.Backup|Permissions.Modify /pool/anna/',
    ]);
  });

  test('7.4 neither guards bridges nor compares roles', () => {
    const asked = needs({ version: '7.4' }).join('\n');
    expect(asked).not.toMatch(/SDN|VM\.Console/);
    expect(needs({ version: '9.2' })).toEqual(needs());
  });

  test.each([
    ['8.4', []],
    ['9.1', []],
    ['9.2', ['Mapping.Use /mapping/cpu/lab']],
  ])('%s: a CPU model of the datacenter is guarded where it is handed on', (version, path) => {
    const templates = [template(101, 'ceph', { cpu: 'cputype=custom-lab,flags=+aes' })];
    expect(needs({ templates, version }).filter((one) => one.includes('/mapping'))).toEqual(path);
  });

  test('the storage that a template names for its memory is guarded where it is handed on', () => {
    const templates = [template(101, 'ceph', { vmstatestorage: 'states' })];
    expect(needs({ templates })).toContain('Datastore.AllocateSpace /storage/states');
  });

  test('a VLAN tag is guarded on its own path, a vnet elsewhere', () => {
    const tagged = machine('pc', [real('vmbr0', { tag: 7 }), real('vnet1')]);
    const before = have({ vnets: ['vnet1'], rights: FULL });
    const asked = texts(requiredByPlan(plan(lab([tagged]), [user('anna')], before), before));
    expect(asked).toContain('SDN.Use /sdn/zones/localnetwork/vmbr0/7');
    expect(asked.join()).not.toContain('vnet1');
  });

  test('rights on the groups of a user do instead of rights on all', () => {
    const grouped = { ...user('anna'), groups: ['a', 'b'] };
    const before = have({ groups: ['a', 'b'], rights: FULL });
    const asked = [
      ...requiredByScope(deployScope(want, [grouped], before, false), before),
      ...requiredByPlan(plan(want, [grouped], before), before),
    ].filter(({ path }) => path === '/access/groups');
    expect(asked).toHaveLength(2);
    const on = (...groups: string[]): Rights =>
      Object.fromEntries(groups.map((group) => [`/access/groups/${group}`, { 'User.Modify': false }]));
    expect(missing(asked, on('a', 'b'))).toEqual([]);
    expect(missing(asked, on('a'))).toHaveLength(2);
  });

  test('rights on a pool count for its members, not before they join, nor for what has to reach below', () => {
    const rights = { '/pool': { 'VM.Allocate': true, 'VM.Audit': true, 'VM.Config.Options': false } };
    const lacking = (profile: Rights) => {
      const before = have({ rights: profile });
      const required = requiredByPlan(plan(want, [user('anna')], before), before);
      return texts(missing(required, rights)).filter((text) => text.includes('/vms/10000'));
    };
    // Until it joins, at its very end, the VM is in no pool.
    expect(lacking(FULL)).toEqual([
      'VM.Allocate /vms/10000',
      'VM.Audit /vms/10000',
      'VM.Config.Options /vms/10000',
      'VM.Config.Network /vms/10000',
      'VM.Allocate|Permissions.Modify /vms/10000',
    ]);
    // A clone that joins at once; VM.Config.Options does not propagate to /pool/anna.
    expect(lacking(CONFINED)).toEqual(['VM.Config.Options /vms/10000', 'VM.Config.Network /vms/10000']);
  });

  test('a cleanup has to see every VM that is claimed', () => {
    const pools = [{ pool: 'anna', comment: claimOf('anna@pve', [10000]) }];
    const scope = cleanupScope({ by: 'stands', lab: 'net' }, have({ pools }), {
      keepUsers: true,
      locks: false,
    });
    expect(texts(requiredByScope(scope, have({ pools })))).toEqual([
      'Pool.Audit /pool/',
      'VM.Audit /vms/10000',
      'SDN.Use|SDN.Audit /sdn/zones/localnetwork/',
      'Sys.Audit /nodes/',
    ]);
    const other = cleanupScope({ by: 'stands', users: [{ userid: 'boris@pve' }] }, have({ pools }), {
      keepUsers: true,
      locks: false,
    });
    expect([...other.vmids]).toEqual([]);
  });
});

describe('the least grants', () => {
  const need = (grantOn: string, anyOf: readonly string[], more: Partial<Requirement> = {}): Requirement => ({
    ...{ path: grantOn, grantOn, anyOf, reaches: false, advice: false, reason: '', steps: [] },
    ...more,
  });

  test('one role per kind of path, alternatives by what is there, advice left out', () => {
    const grants = grantsFor([
      need('/storage/a', ['Datastore.AllocateSpace']),
      need('/storage/b', ['Datastore.AllocateSpace']),
      need('/storage/c', ['Datastore.Audit', 'Datastore.AllocateSpace']),
      need('/storage/a', ['Datastore.Audit', 'Datastore.AllocateSpace']),
      need('/', ['Sys.Audit'], { advice: true }),
    ]);
    expect(grants.map(({ path, role, privileges }) => [path, role, privileges.join()])).toEqual([
      ['/storage/a', 'deploy-stand-storage', 'Datastore.AllocateSpace'],
      ['/storage/b', 'deploy-stand-storage', 'Datastore.AllocateSpace'],
      ['/storage/c', 'deploy-stand-storage-2', 'Datastore.Audit'],
    ]);
  });

  test('an ACL below another repeats what has to reach it', () => {
    const grants = grantsFor([need('/vms', ['VM.Audit'], { reaches: true }), need('/vms/100', ['VM.Clone'])]);
    expect(grants.map(({ privileges }) => privileges.join())).toEqual(['VM.Audit', 'VM.Audit,VM.Clone']);
  });

  test('what a plan needs on copies that it makes is granted on all machines: their numbers are another run’s tomorrow', () => {
    const storages = ['pve1', 'pve2'].map((node) => ({ ...localStorage, node }));
    const before = have({ rights: FULL, templates: [template(101, 'zfs')], storages });
    const result = plan(lab([machine('pc', [])]), [user('anna'), user('boris')], before);
    const copy = stepOf(result, 'template.clone').vmid;
    const needs = requiredByPlan(result, before);
    expect(texts(needs)).toContain(`VM.Clone /vms/${copy}`);
    const granted = grantsFor(needs);
    expect(granted.map(({ path }) => path)).not.toContain(`/vms/${copy}`);
    const rights = Object.fromEntries(
      granted.map(({ path, privileges }) => [path, Object.fromEntries(privileges.map((one) => [one, true]))]),
    );
    expect(
      texts(
        missing(
          needs.filter(({ anyOf }) => anyOf[0]?.startsWith('VM.')),
          rights,
        ),
      ),
    ).toEqual([]);
  });

  test('on everything nothing propagates', () => {
    expect(grantsFor([need('/', ['Sys.Console'])])[0]).toMatchObject({ propagate: false });
  });
});

test('a token needs what its owner needs; one of root, to which nothing is refused, its own ACLs only', () => {
  const grants = [{ path: '/', role: 'r', privileges: ['Sys.Audit'], propagate: false }];
  expect(tokenCommands(grants, 'lab@pve!cli')).toEqual({
    owner: ['pveum acl modify / --users lab@pve --roles r --propagate 0'],
    token: ["pveum acl modify / --tokens 'lab@pve!cli' --roles r --propagate 0"],
  });
  expect(tokenCommands(grants, 'root@pam!cli').owner).toEqual([]);
});

test('doctor says each reason once: what is needed anyway not again for a circumstance', () => {
  for (const command of ['deploy', 'cleanup', 'reset', 'users'] as const)
    for (const profile of ['full', 'confined'] as const) {
      const { rows } = doctorReport({ command, profile, have: have({ version: '9.2.3' }) }, 'lab@pve!cli');
      expect(rows.length).toBeGreaterThan(3);
      for (const { reason } of rows) {
        const said = reason.split('; ').map((text) => text.replace(/ \(when [^()]*\)$/, ''));
        expect(said).toEqual([...new Set(said)]);
      }
    }
});

test('doctor: commands that neither make nor remove machines find them in their pools, whose rights reach them', () => {
  const lacking = (command: 'snapshot' | 'access') => {
    const rights = {
      '/pool': { 'Pool.Audit': true, 'Pool.Allocate': true, 'VM.Audit': true, 'VM.Snapshot': true },
    };
    const { rows } = doctorReport(
      { command, profile: 'full', have: have({ version: '7.4', rights }) },
      'lab@pve!cli',
    );
    return rows.flatMap(({ state, advice, privileges }) =>
      state === 'missing' && !advice ? privileges : [],
    );
  };
  expect(lacking('snapshot')).toEqual([]);
  // What remains is of `--stop`, `--suspend`, and of machines with roles of their own.
  expect(lacking('access').filter((privilege) => ['VM.Audit', 'VM.Snapshot'].includes(privilege))).toEqual(
    [],
  );
});
