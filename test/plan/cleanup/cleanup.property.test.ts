import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Inventory } from '../../../src/lib/inventory/types.ts';
import { parsePoolComment } from '../../../src/lib/marks/pool.ts';
import type { CleanupOptions, CleanupSelection } from '../../../src/lib/plan/cleanup/context.ts';
import { planCleanup } from '../../../src/lib/plan/cleanup/cleanup.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import type { Step } from '../../../src/lib/plan/document/step.ts';
import { runs } from '../../runs.ts';
import { machine } from '../builders.ts';
import { appliedCleanup } from './applied.ts';
import { optionSets, selections, shuffled, worlds, type World } from './world.ts';

const cases = fc.record({ world: worlds, selection: selections, options: optionSets });

interface Case {
  readonly world: World;
  readonly selection: CleanupSelection;
  readonly options: CleanupOptions;
}

/** A case with its plan and what comes of it: made once, looked at in all respects. */
interface Done extends Case {
  readonly plan: Plan;
  readonly after: Inventory;
}

/** The files are those of the lab that is there. */
function ofThisLab(selection: CleanupSelection, have: Inventory): CleanupSelection {
  if (selection.by !== 'stands' || !selection.labMachines) return selection;
  const claims = have.pools.flatMap(({ comment }) => parsePoolComment(comment).claims);
  const claimed = claims.flatMap(({ machines }) => machines.map(({ machine: name }) => machine(name, [])));
  return { ...selection, labMachines: [...selection.labMachines, ...claimed] };
}

function planOf(have: Inventory, selection: CleanupSelection, options: CleanupOptions): Plan {
  return planCleanup({ have, selection: ofThisLab(selection, have), options });
}

/** May this cleanup count unmarked stands of the older Python tool as ours? */
function mayAdopt(selection: CleanupSelection, { adopt }: CleanupOptions): boolean {
  return (
    adopt && selection.by === 'stands' && selection.labMachines?.some(({ name }) => name === 'pc') === true
  );
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
    if (whose === 'adoptable' && mayAdopt(selection, options)) return true;
    return whose === 'ours' || (options.includeMembers && world.members.has(vmid));
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
      const isBare = info?.comments === '' && [...info.ports, ...info.addresses, ...info.above].length === 0;
      const isLedTo = world.have.vms.some(
        ({ vmid, node, values }) =>
          node === step.node &&
          world.guests.get(vmid) === 'adoptable' &&
          values['net0']?.endsWith(`bridge=${step.bridge}`),
      );
      const isAdopted = mayAdopt(selection, options) && isBare && isLedTo;
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
      ({ node, bridges, snapshotBridges }) =>
        node === step.node &&
        (bridges.includes(step.bridge) || bridges.includes('*') || snapshotBridges.includes(step.bridge)),
    )
    .map(({ vmid }) => vmid)
    .filter((vmid) => !going.has(vmid));
}

/** Is this stand among those that the selection names? Expired ones and orphans are not told by name. */
function isSelected(lab: string, user: string, selection: CleanupSelection): boolean {
  if (selection.by !== 'stands') return false;
  const { lab: ofLab = lab, users = [{ userid: user }] } = selection;
  return ofLab === lab && users.some(({ userid }) => userid === user);
}

/** Claims, bridges and users of what was selected; what was refused by name may stay. */
function leftovers({ world, selection, options, plan, after }: Done): string[] {
  const refused = new Set(plan.stands.filter((stand) => stand.refused).map((stand) => stand.user));
  const claims = after.pools.flatMap(({ pool, comment }) => {
    const user = /^deploy-stand user=(\S+)/m.exec(comment)?.[1] ?? '';
    // A class knows a user's pool by its name in the users file.
    const named = selection.by === 'stands' ? selection.users?.flatMap((one) => one.pool ?? []) : undefined;
    if (named && named.length > 0 && !named.includes(pool)) return [];
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
      selection.by === 'stands' &&
      selection.lab === undefined &&
      selection.users?.some((one) => one.userid === userid) === true &&
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

function namesNothingForeign({ world, selection, options, plan }: Done): void {
  expect(plan.steps.flatMap((step) => trespass(step, world, selection, options) ?? [])).toEqual([]);
}

/** A bridge goes only when no guest that stays names it, and after those that named it. */
function takesNoBridgeInUse({ world, plan }: Done): void {
  for (const step of plan.steps) {
    if (step.kind !== 'bridge.delete') continue;
    expect(world.have.bridgeUseNodes).toContain(step.node);
    expect(world.have.hidden?.guests).toBe(false);
    expect(remainingUsers(step, world.have, plan)).toEqual([]);
    const named = world.have.bridgeUse.filter(
      ({ node, bridges, snapshotBridges }) =>
        node === step.node && [...bridges, ...snapshotBridges].includes(step.bridge),
    );
    expect(step.dependsOn).toEqual(expect.arrayContaining(named.map(({ vmid }) => `vm.delete:${vmid}`)));
  }
}

/** Nothing selected is left afterwards, and planning again gives an empty plan. */
function isComplete(done: Done): void {
  expect(leftovers(done)).toEqual([]);
  expect(planOf(done.after, done.selection, done.options).steps).toEqual([]);
}

/** A claim is given back only when its VMs are gone. */
function losesNoVm({ world, after }: Done): void {
  const claimed = new Set(
    after.pools.flatMap(({ comment }) =>
      [...comment.matchAll(/(?:vmids=|[,:])(\d+)(?:-(\d+))?/g)].flatMap(([, first, last = first]) =>
        Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i),
      ),
    ),
  );
  const lost = after.guests
    .filter(({ vmid }) => world.guests.get(vmid) === 'ours' && !claimed.has(vmid))
    .map(({ vmid }) => vmid);
  expect(lost).toEqual([]);
}

/** What a class made itself is named by a stand that goes, and its pool is known to the next cleanup. */
function forgetsNoMember({ world, selection, plan, after }: Done): void {
  const comments = new Map(after.pools.map(({ pool, comment }) => [pool, comment]));
  for (const { vmid, pool = '' } of after.guests.filter((guest) => world.members.has(guest.vmid))) {
    const comment = comments.get(pool);
    expect([vmid, comment]).toEqual([vmid, expect.stringMatching(/^deploy-stand user=/m)]);
    const stand = plan.stands.find((one) => one.pool === pool);
    const labs = [...comment!.matchAll(/^lab=(\S+)/gm)].map(([, lab]) => lab!);
    const isWhole = stand && labs.length > 0 && labs.every((lab) => isSelected(lab, stand.user, selection));
    if (isWhole) expect([vmid, stand.refused?.message]).toEqual([vmid, expect.stringMatching(/./)]);
  }
}

function listsCausesFirst({ plan }: Done): void {
  const seen = plan.steps.map((step) => step.id);
  for (const step of plan.steps) {
    for (const id of [...step.dependsOn, ...step.after]) {
      expect(seen.indexOf(id)).toBeLessThan(seen.indexOf(step.id));
    }
  }
}

function dependsOnNoOrder({ world, selection, options, plan }: Done): void {
  expect(planOf(shuffled(world.have), selection, options)).toEqual(plan);
}

/** A protected VM stays unless --force-protected says otherwise. */
function sparesProtected({ world, options, plan }: Done): void {
  const protectedIds = new Set(
    world.have.vms.filter(({ values }) => values['protection'] === '1').map(({ vmid }) => vmid),
  );
  const touched = plan.steps.flatMap((step) =>
    'vmid' in step && protectedIds.has(step.vmid) ? [step.kind] : [],
  );
  if (!options.forceProtected) expect(touched).toEqual([]);
}

/** Nothing young and nothing under a clone is an orphan. */
function sparesTheYoung({ world, options }: Done): void {
  const { steps } = planOf(world.have, { by: 'orphans' }, { ...options, minAgeSeconds: 7200 });
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
}

test('whatever the cluster and whatever is selected', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(cases, (one) => {
      const plan = planOf(one.world.have, one.selection, one.options);
      const done = { ...one, plan, after: appliedCleanup(one.world.have, plan.steps) };
      namesNothingForeign(done);
      takesNoBridgeInUse(done);
      isComplete(done);
      losesNoVm(done);
      forgetsNoMember(done);
      listsCausesFirst(done);
      dependsOnNoOrder(done);
      sparesProtected(done);
      sparesTheYoung(done);
      for (const step of plan.steps) seen.add('member' in step ? `${step.kind} of a member` : step.kind);
    }),
    runs(600, 50_000),
  );
  // A property over worlds in which nothing ever happens would prove nothing.
  expect([...seen].sort()).toEqual([
    'acl.revoke',
    'bridge.delete',
    'ha.remove',
    'network.reload',
    'pool.delete',
    'pool.release',
    'user.delete',
    'vm.delete',
    'vm.delete of a member',
    'vm.stop',
    'vm.stop of a member',
    'vm.unprotect',
  ]);
});
