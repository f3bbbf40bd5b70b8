import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../src/lib/inventory/types.ts';
import type { CleanupOptions, CleanupSelection } from '../../src/lib/plan/cleanup-context.ts';
import { planCleanup } from '../../src/lib/plan/cleanup.ts';
import type { Plan } from '../../src/lib/plan/document/plan.ts';
import type { Step } from '../../src/lib/plan/document/step.ts';
import { appliedCleanup } from './cleanup-applied.ts';
import { optionSets, selections, shuffled, worlds, type World } from './cleanup-world.ts';

const RUNS = { numRuns: 3000 };
const cases = fc.tuple(worlds, selections, optionSets);

interface Case {
  readonly world: World;
  readonly selection: CleanupSelection;
  readonly options: CleanupOptions;
}

function planOf(have: Inventory, selection: CleanupSelection, options: CleanupOptions): Plan {
  return planCleanup({ have, selection, options });
}

/** May this cleanup count unmarked stands of the older Python tool as ours? */
function mayAdopt(selection: CleanupSelection, { adopt }: CleanupOptions): boolean {
  return adopt && selection.by === 'class' && selection.machines.includes('pc');
}

function poolOfPath(path: string): string | undefined {
  return /^\/pool\/(.+)$/.exec(path)?.[1];
}

/** The foreign object that a step names, in words; undefined: there is none. */
function trespass(
  step: Step,
  world: World,
  selection: CleanupSelection,
  options: CleanupOptions,
): string | undefined {
  const isOursVm = (vmid: number): boolean => {
    const whose = world.guests.get(vmid);
    return whose === 'ours' || (whose === 'adoptable' && mayAdopt(selection, options));
  };
  switch (step.kind) {
    case 'vm.stop':
    case 'vm.unprotect':
    case 'vm.delete':
    case 'ha.remove':
      return isOursVm(step.vmid) ? undefined : `guest ${step.vmid}`;
    case 'acl.revoke': {
      const pool = poolOfPath(step.path);
      const isOurs =
        pool === undefined
          ? isOursVm(Number(step.path.split('/')[2]))
          : world.markedPools.get(pool) === step.userid;
      return isOurs ? undefined : `${step.path} ${step.userid}`;
    }
    case 'bridge.delete': {
      if (world.ownBridges.has(`${step.node}/${step.bridge}`)) return undefined;
      const info = world.have.networks
        .find(({ node }) => node === step.node)
        ?.bridges.find(({ iface }) => iface === step.bridge);
      const isAdopted = mayAdopt(selection, options) && info?.comments === '' && info.ports === '';
      return isAdopted ? undefined : `${step.node}/${step.bridge}`;
    }
    case 'network.reload':
      return world.have.networks.find(({ node }) => node === step.node)?.pending.find((row) => !row.ours)
        ?.iface;
    case 'pool.release':
      return world.markedPools.has(step.pool) ? undefined : step.pool;
    case 'pool.delete':
      return world.ownPools.has(step.pool) ? undefined : step.pool;
    case 'user.delete':
      return world.ownUsers.has(step.userid) ? undefined : step.userid;
    default:
      return step.id;
  }
}

/** Guests that are still there after the plan and may use the bridge. */
function remainingUsers(step: { node: string; bridge: string }, have: Inventory, plan: Plan): number[] {
  const going = new Set(plan.steps.flatMap((one) => (one.kind === 'vm.delete' ? [one.vmid] : [])));
  return have.bridgeUse
    .filter(
      ({ node, bridges }) => node === step.node && (bridges.includes(step.bridge) || bridges.includes('*')),
    )
    .map(({ vmid }) => vmid)
    .filter((vmid) => !going.has(vmid));
}

/** Is this stand among those that the selection names? Expired ones and orphans are not told by name. */
function isSelected(lab: string, user: string, selection: CleanupSelection): boolean {
  if (selection.by === 'lab') return selection.lab === lab;
  if (selection.by === 'user') return selection.users.includes(user);
  return (
    selection.by === 'class' && selection.lab === lab && selection.users.some(({ userid }) => userid === user)
  );
}

/** Claims, bridges and users of what was selected; what was refused by name may stay. */
function leftovers(after: Inventory, plan: Plan, { world, selection, options }: Case): string[] {
  const refused = new Set(plan.stands.filter((stand) => stand.refused).map((stand) => stand.user));
  const claims = after.pools.flatMap(({ pool, comment }) => {
    const user = /^deploy-stand user=(\S+)/m.exec(comment)?.[1] ?? '';
    // A class knows a user's pool by its name in the users file.
    if (selection.by === 'class' && !selection.users.some((one) => one.pool === pool)) return [];
    return [...comment.matchAll(/^lab=(\S+) /gm)].map(([, lab]) => ({ pool, user, lab: lab! }));
  });
  const bridges = after.networks.flatMap(({ node, bridges: list }) =>
    list
      .filter(({ iface }) => world.ownBridges.has(`${node}/${iface}`))
      .filter(({ iface }) => remainingUsers({ node, bridge: iface }, after, plan).length === 0)
      .flatMap(({ iface, comments }) => {
        const [, lab, user] = / lab=(\S+) user=(\S+) /.exec(comments)!;
        return [{ pool: `bridge ${node}/${iface}`, lab: lab!, user: user! }];
      }),
  );
  const users = after.users.filter(
    ({ userid }) =>
      selection.by === 'user' &&
      selection.users.includes(userid) &&
      !options.keepUsers &&
      !refused.has(userid) &&
      world.ownUsers.has(userid),
  );
  return [
    ...[...claims, ...bridges]
      .filter(({ lab, user }) => isSelected(lab, user, selection) && !refused.has(user))
      .map(({ pool, lab }) => `${pool} of lab ${lab}`),
    ...users.map(({ userid }) => `user ${userid}`),
  ];
}

describe('whatever the cluster and whatever is selected', { timeout: 60_000 }, () => {
  test('no step names a foreign object', () => {
    fc.assert(
      fc.property(cases, ([world, selection, options]) => {
        const { steps } = planOf(world.have, selection, options);
        expect(steps.flatMap((step) => trespass(step, world, selection, options) ?? [])).toEqual([]);
      }),
      RUNS,
    );
  });

  test('a bridge goes only when no guest that stays names it, and after those that named it', () => {
    fc.assert(
      fc.property(cases, ([world, selection, options]) => {
        const plan = planOf(world.have, selection, options);
        for (const step of plan.steps) {
          if (step.kind !== 'bridge.delete') continue;
          expect(world.have.bridgeUseNodes).toContain(step.node);
          expect(remainingUsers(step, world.have, plan)).toEqual([]);
          const named = world.have.bridgeUse.filter(
            ({ node, bridges }) => node === step.node && bridges.includes(step.bridge),
          );
          expect(step.dependsOn).toEqual(
            expect.arrayContaining(named.map(({ vmid }) => `vm.delete:${vmid}`)),
          );
        }
      }),
      RUNS,
    );
  });

  test('nothing selected is left afterwards, and planning again gives an empty plan', () => {
    fc.assert(
      fc.property(cases, ([world, selection, options]) => {
        const plan = planOf(world.have, selection, options);
        const after = appliedCleanup(world.have, plan.steps);
        expect(leftovers(after, plan, { world, selection, options })).toEqual([]);
        expect(planOf(after, selection, options).steps).toEqual([]);
      }),
      RUNS,
    );
  });

  test('a claim is given back only when its VMs are gone, and a user goes after the pool', () => {
    fc.assert(
      fc.property(cases, ([world, selection, options]) => {
        const { steps } = planOf(world.have, selection, options);
        const after = appliedCleanup(world.have, steps);
        const claimed = new Set(
          after.pools.flatMap(({ comment }) =>
            [...comment.matchAll(/vmids=([\d,-]+)/g)].flatMap(([, list]) =>
              list!.split(',').flatMap((part) => {
                const [first, last = first] = part.split('-').map(Number);
                return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
              }),
            ),
          ),
        );
        const lost = after.guests
          .filter(({ vmid }) => world.guests.get(vmid) === 'ours' && !claimed.has(vmid))
          .map(({ vmid }) => vmid);
        expect(lost).toEqual([]);
        const seen = steps.map((step) => step.id);
        for (const step of steps) {
          for (const id of [...step.dependsOn, ...step.after]) {
            expect(seen.indexOf(id)).toBeLessThan(seen.indexOf(step.id));
          }
        }
      }),
      RUNS,
    );
  });

  test('the order of what was read does not matter', () => {
    fc.assert(
      fc.property(cases, ([world, selection, options]) => {
        expect(planOf(shuffled(world.have), selection, options)).toEqual(
          planOf(world.have, selection, options),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('a protected VM stays unless --force-protected says otherwise', () => {
    fc.assert(
      fc.property(cases, ([world, selection, options]) => {
        const { steps } = planOf(world.have, selection, options);
        const protectedIds = new Set(
          world.have.vms.filter(({ values }) => values['protection'] === '1').map(({ vmid }) => vmid),
        );
        const touched = steps.flatMap((step) =>
          'vmid' in step && protectedIds.has(step.vmid) ? [step.kind] : [],
        );
        if (!options.forceProtected) expect(touched).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('nothing young and nothing under a clone is an orphan', () => {
    fc.assert(
      fc.property(worlds, optionSets, (world, options) => {
        const cautious = { ...options, minAgeSeconds: 7200 };
        const { steps } = planOf(world.have, { by: 'orphans' }, cautious);
        const isCloning = world.have.tasks.some(({ type }) => type === 'qmclone');
        for (const step of steps) {
          if (step.kind === 'vm.delete') {
            expect(isCloning).toBe(false);
            const comment = world.have.pools.find(({ pool }) => pool === step.pool)!.comment;
            const line = comment.split('\n').find((text) => text.includes(String(step.vmid)))!;
            expect(line).toContain('since=2026-11-01');
          }
          if (step.kind === 'bridge.delete') expect(step.comment).toContain('since=2026-11-01');
        }
      }),
      RUNS,
    );
  });

  /** A property over worlds in which nothing ever happens would prove nothing. */
  test('the random clusters exercise every kind of step', () => {
    const seen = new Set<string>();
    for (const [world, selection, options] of fc.sample(cases, { numRuns: 2000, seed: 7 })) {
      for (const step of planOf(world.have, selection, options).steps) seen.add(step.kind);
    }
    expect([...seen].sort()).toEqual([
      'acl.revoke',
      'bridge.delete',
      'ha.remove',
      'network.reload',
      'pool.delete',
      'pool.release',
      'user.delete',
      'vm.delete',
      'vm.stop',
      'vm.unprotect',
    ]);
  });
});
