/** Who may use a stand: the roles that its user gets, and those of a former lab file that go. */
import { sortedUnique } from '../../order.ts';
import { frozenSince } from '../../marks/pool.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { StandState } from '../stands/state.ts';
import type { StandContext } from './context.ts';
import type { StandVms } from './stand-vms.ts';

/** Those that the user has before the pool becomes ours are not ours to take away. */
export function rolesBefore({ user, mark }: StandState, { index }: StandContext): readonly string[] {
  if (mark?.user !== undefined) return mark.roles ?? [];
  const entries = index.acls.get(`/pool/${user.pool} ${user.userid}`) ?? [];
  return sortedUnique(entries.map((entry) => entry.role));
}

/** The stand's last step before start, so that nobody reaches a half-made VM. A frozen stand keeps what it has: a thaw gives it back. */
export function planAccess(
  state: StandState,
  vms: StandVms,
  before: readonly Step[],
  context: StandContext,
): Step[] {
  if (frozenSince(state.mark) !== undefined) return [];
  const { user } = state;
  const { lab, index } = context;
  const wanted: { key: string; path: string; role: string }[] = [
    { key: user.pool, path: `/pool/${user.pool}`, role: lab.access.role },
  ];
  for (const machine of lab.machines) {
    const vm = vms.vms.find((candidate) => candidate.name === machine.name);
    if (machine.poolRole === undefined || !vm) continue;
    wanted.push({ key: `${user.pool}/${machine.name}`, path: `/vms/${vm.vmid}`, role: machine.poolRole });
  }
  // What is frozen gets its rights back by a thaw alone.
  if (context.reclone && state.claim?.frozen !== undefined) return [];
  const dependsOn = [...before.map((step) => step.id), ...vms.lastStep.values()];
  const isThere = ({ path, role }: { path: string; role: string }): boolean =>
    (index.acls.get(`${path} ${user.userid}`) ?? []).some((entry) => entry.role === role);
  // PVE takes the rights on a VM away with it.
  const gone = new Set([...(state.remade?.values() ?? [])].map(({ vmid }) => `/vms/${vmid}`));
  const isDue = ({ path }: { path: string }): boolean => !context.reclone || path.startsWith('/vms/');
  const grants = wanted
    .filter((entry) => isDue(entry) && (gone.has(entry.path) || !isThere(entry)))
    .map(({ key, path, role }) =>
      makeStep(
        'acl.grant',
        key,
        { user: user.userid, reason: 'the stand is finished', dependsOn },
        {
          ...{ path, role, userid: user.userid, propagate: reachesBelow(path) },
          ...(reachesBelow(path) ? {} : { pool: user.pool }),
        },
      ),
    );
  return context.reclone ? grants : [...grants, ...revokeFormerRoles(state, grants, context)];
}

/** Nothing is below a VM; and rights by way of a pool never propagate, so that they do not suffice for a role that does. */
function reachesBelow(path: string): boolean {
  return !path.startsWith('/vms/');
}

/** PVE adds roles up: the one that the lab gave before it was changed has to go. */
function revokeFormerRoles(state: StandState, grants: readonly Step[], context: StandContext): Step[] {
  const { user, mark } = state;
  if (mark?.user === undefined) return [];
  const kept = rolesBefore(state, context);
  const path = `/pool/${user.pool}`;
  return (context.index.acls.get(`${path} ${user.userid}`) ?? [])
    .filter((entry) => entry.role !== context.lab.access.role && !kept.includes(entry.role))
    .map(({ role }) =>
      makeStep(
        'acl.revoke',
        `${path} ${role}`,
        {
          user: user.userid,
          reason: `the lab gives ${context.lab.access.role} now`,
          dependsOn: grants
            .filter((step) => step.kind === 'acl.grant' && step.path === path)
            .map((step) => step.id),
        },
        { path, role, userid: user.userid },
      ),
    );
}
