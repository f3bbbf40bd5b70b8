/** Machines that the lab no longer has: what is said of them, and what `--prune` plans. */
import { describe, expect, test } from 'vitest';
import type { GuestInfo, Inventory } from '../../../src/lib/inventory/types.ts';
import type { RemovalOptions } from '../../../src/lib/plan/stands/removal.ts';
import { alias, applied, have, ids, lab, machine, plan, real, router, template, user } from '../builders.ts';

const USERS = ['anna', 'boris', 'carla'].map((name) => user(name));
const old = machine('old', [alias('dmz')]);
const before = lab([router('eco', [real('vmbr0'), alias('dmz')]), old]);
const less = lab([before.machines[0]!]);
const renamed = lab([before.machines[0]!, machine('new', [alias('dmz')])]);

const prune: RemovalOptions = { forceProtected: false, lockWaitSeconds: 600 };
const command = 'deploy-stand deploy -c lab.yml -u users.yml --prune';

const there = applied(before, plan(before, USERS));
const OLD = there.vms.find(({ values }) => values['name'] === 'old')!.vmid;

function withOld(
  change: { guest?: Partial<GuestInfo>; values?: Readonly<Record<string, string>> },
  world: Inventory = there,
): Inventory {
  return {
    ...world,
    guests: world.guests.map((one) => (one.vmid === OLD ? { ...one, ...change.guest } : one)),
    vms: world.vms.map((one) =>
      one.vmid === OLD ? { ...one, values: { ...one.values, ...change.values } } : one,
    ),
  };
}

const saidOf = (warnings: readonly string[]) => warnings.filter((text) => text.includes('"old"'));

describe('told', () => {
  test('once for the class, with the whole command; nothing is planned', () => {
    const result = plan(less, USERS, there, { pruneCommand: command });
    expect(result.steps).toEqual([]);
    expect(saidOf(result.warnings)).toEqual([
      `the lab has no machine "old" any more, and there still is one in 3 stands (anna@pve, boris@pve, carla@pve); \`${command}\` removes old with all that is on it`,
    ]);
    expect(result.stands.flatMap(({ notes }) => notes)).toEqual([]);
  });

  test('networks that left with it stay, which is said once, with what removes them', () => {
    const mail = lab([before.machines[0]!, machine('old', [alias('dmz'), alias('mail')])]);
    const wired = applied(mail, plan(mail, USERS));
    const pruned = plan(less, USERS, wired, { prune });
    const says =
      'the lab has no network "mail" any more, and its bridge still is there in 3 stands (anna@pve, boris@pve, carla@pve); once no machine is on them, `deploy-stand bridges prune` removes such bridges';
    expect(pruned.warnings.filter((text) => text.includes('network "'))).toEqual([says]);
    expect(plan(less, USERS.slice(0, 1), wired).warnings.join()).toContain('in the stand (anna@pve)');
    expect(plan(mail, USERS, wired).warnings).toEqual([]);
  });

  test.each([
    { name: 'same template and cards', want: renamed, isTold: true },
    {
      name: 'another size is no other machine',
      want: lab([less.machines[0]!, machine('new', [alias('dmz')], { memory: 4096 })]),
      isTold: true,
    },
    { name: 'other cards', want: lab([less.machines[0]!, machine('new', [real('vmbr0')])]), isTold: false },
    {
      name: 'another template',
      want: lab([less.machines[0]!, machine('new', [alias('dmz')], { template: { by: 'vmid', vmid: 102 } })]),
      isTold: false,
    },
  ])('renamed? $name', ({ want, isTold }) => {
    const world = {
      ...there,
      guests: [...there.guests, { ...there.guests[0]!, vmid: 102, template: true }],
      templates: [...there.templates, template(102)],
    };
    const [said = ''] = saidOf(plan(want, USERS, world, { pruneCommand: command }).warnings);
    expect(said.includes('call it old again')).toBe(isTold);
    expect(said).toContain(command);
  });

  test('of a machine whose student has emptied the notes it cannot be told that it was renamed', () => {
    const told = (values: Readonly<Record<string, string>>) =>
      saidOf(plan(renamed, USERS.slice(0, 1), withOld({ values })).warnings).join('');
    expect([told({}), told({ description: '' })].map((said) => said.includes('call it old again'))).toEqual([
      true,
      false,
    ]);
  });

  test('nothing of a machine that the lab has', () => {
    expect(saidOf(plan(before, USERS, there, { prune }).warnings)).toEqual([]);
  });
});

describe('--prune', () => {
  const only = USERS.slice(0, 1);

  test('stops and removes it; the claim goes last', () => {
    const result = plan(less, only, withOld({ guest: { status: 'running' } }), { prune });
    expect(ids(result)).toEqual([`vm.stop:${OLD}`, `vm.delete:${OLD}`, 'pool.leave:anna']);
    expect(result.steps.at(-1)).toMatchObject({
      machines: [{ machine: 'old', vmid: OLD }],
      dependsOn: [`vm.delete:${OLD}`],
    });
    expect(result.stands[0]?.vms.at(-1)).toMatchObject({ vmid: OLD, name: 'old', state: 'going' });
  });

  test('is taken out of HA, unprotected where that was asked for, and loses the rights given on it', () => {
    const world = withOld({ guest: { ha: true }, values: { protection: '1' } });
    const acl = {
      path: `/vms/${OLD}`,
      role: 'PVEVMUser',
      subject: 'dora@pve',
      type: 'user',
      propagate: false,
    } as const;
    const result = plan(
      less,
      only,
      { ...world, acls: [...world.acls, acl] },
      { prune: { ...prune, forceProtected: true } },
    );
    expect(ids(result)).toEqual([
      `acl.revoke:/vms/${OLD} PVEVMUser dora@pve`,
      `ha.remove:${OLD}`,
      `vm.unprotect:${OLD}`,
      `vm.delete:${OLD}`,
      'pool.leave:anna',
    ]);
  });

  test('goes after what takes its place has been made', () => {
    const result = plan(renamed, only, there, { prune });
    expect(saidOf(result.warnings)).toEqual([
      'the lab has no machine "old" any more: --prune removes it from the stand (anna@pve); new, which the lab has instead, has the same template and network cards: it is made anew, and what students did on old is not taken over (to keep that, give it its old name)',
    ]);
    const removal = result.steps.find(({ kind }) => kind === 'vm.delete');
    expect(removal?.dependsOn).toEqual(['pool.join:anna', 'vm.configure:anna/new']);
    expect(result.warnings.join('\n')).toContain('new, which the lab has instead');
  });

  test.each([
    { name: 'protected', world: withOld({ values: { protection: '1' } }), code: 'PROTECTED' },
    { name: 'taken out of its pool', world: withOld({ guest: {}, values: {} }), code: 'LEFT_POOL' },
    {
      name: 'on a node that is offline',
      world: {
        ...withOld({ guest: { node: 'pve2' } }),
        nodes: there.nodes.map((node) => ({ ...node, online: node.name !== 'pve2' })),
      },
      code: 'VM_UNREADABLE',
    },
    {
      name: 'of a frozen stand',
      world: {
        ...there,
        pools: there.pools.map((pool) => ({
          ...pool,
          comment: pool.comment.replace(/ since=\S+/, '$& frozen=2026-11-20T08:00:00Z'),
        })),
      },
      code: 'FROZEN',
    },
  ])('$name: it stays, stays claimed, and is told', ({ world, code }) => {
    const seen =
      code === 'LEFT_POOL'
        ? {
            ...world,
            guests: world.guests.map(({ pool, ...one }) =>
              one.vmid === OLD || pool === undefined ? one : { ...one, pool },
            ),
          }
        : world;
    const result = plan(less, only, seen, { prune });
    expect(ids(result)).toEqual([]);
    expect(result.stands[0]).toMatchObject({ left: { code } });
    expect(result.stands[0]?.vms.at(-1)).toMatchObject({ vmid: OLD, state: 'staying' });
  });

  test('what is gone already leaves the claim; what is another’s guest was dropped from it', () => {
    const gone = {
      ...there,
      guests: there.guests.filter(({ vmid }) => vmid !== OLD),
      vms: there.vms.filter(({ vmid }) => vmid !== OLD),
    };
    expect(ids(plan(less, only, gone, { prune }))).toEqual(['pool.leave:anna']);
    expect(ids(plan(less, only, withOld({ guest: { pool: 'boris' } }), { prune }))).toEqual([
      'pool.update:anna',
    ]);
  });

  test('a rest of a failed removal is tried again, and keeps no stand from being made', () => {
    const dead = withOld({ guest: { lock: 'destroyed' }, values: { lock: 'destroyed' } });
    expect(ids(plan(less, only, dead, { prune }))).toEqual([`vm.delete:${OLD}`, 'pool.leave:anna']);
    expect(plan(less, only, dead).stands[0]?.refused).toBeUndefined();
  });

  test('a machine that a student made in the pool is none of the lab’s', () => {
    const mine = { ...there.guests.find(({ vmid }) => vmid === OLD)!, vmid: 500, name: 'old' };
    const result = plan(before, only, { ...there, guests: [...there.guests, mine] }, { prune });
    expect(ids(result)).toEqual([]);
  });
});

test('a cluster without any of it is left as it is', () => {
  expect(ids(plan(before, [], have(), { prune }))).toEqual([]);
});
