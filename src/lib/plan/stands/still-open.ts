/**
 * By which rights a stand that was frozen can still be used: by its student, or by another of ours, whom the student may have
 * given one. Those that were there before deploy-stand, those of groups, those from further up, and those on machines that the
 * student made in the pool, which are in its networks. They are told, and never taken away: an administrator may have given
 * them.
 */
import type { AclEntry, Inventory } from '../../inventory/types.ts';
import { takeAwayCommand } from '../../pve-values/admin-commands.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { protectedBecause } from './protected-accounts.ts';
import { privilegesOf } from './roles.ts';

interface Who {
  readonly user: string;
  readonly pool: string;
  readonly vmids: readonly number[];
}

interface Seen {
  readonly have: Inventory;
  readonly index: ClusterView;
}

/** Paths above a pool and its machines, whose rights reach down. */
function above(pool: string): string[] {
  const parents = pool
    .split('/')
    .slice(0, -1)
    .map((_, at, parts) => `/pool/${parts.slice(0, at + 1).join('/')}`);
  return ['/', '/pool', '/vms', ...parents];
}

/** A role that only shows something lets nobody work. */
function isOfUse(role: string, have: Pick<Inventory, 'rolePrivileges'>): boolean {
  return privilegesOf(role, have)?.some((name) => !name.endsWith('.Audit')) ?? true;
}

/** Machines in the pool that no claim names. */
function unclaimedIn(pool: string, { marks, members }: ClusterView): number[] {
  const claimed = new Set(marks.get(pool)?.claims.flatMap(({ vmids }) => vmids));
  return (members.get(pool) ?? []).flatMap(({ vmid }) => (claimed.has(vmid) ? [] : [vmid]));
}

/** Whether a right is one of these users', or of a group with one of them. */
function heldBy(users: ReadonlySet<string>, { users: accounts }: ClusterView): (entry: AclEntry) => boolean {
  const groups = new Set([...users].flatMap((user) => accounts.get(user)?.groups ?? []));
  return ({ type, subject }) =>
    (type === 'user' && users.has(subject)) || (type === 'group' && groups.has(subject));
}

/** Is it a right of somebody who has a stand? */
export function heldByStudents({ have, index }: Seen): (entry: AclEntry) => boolean {
  const users = [...index.marks.values()].flatMap(({ user }) => user ?? []);
  return heldBy(new Set(users.filter((user) => protectedBecause(user, have.caller) === undefined)), index);
}

/** The rights, whoever gave them. */
export function rightsOfUse({ user, pool, vmids }: Who, { have, index }: Seen): AclEntry[] {
  const isOwn = heldBy(new Set([user]), index);
  // Hardly ever asked, and to know them takes a look at all stands.
  let isOfStudents: ReturnType<typeof heldByStudents> | undefined;
  const machines = [...vmids, ...unclaimedIn(pool, index)];
  const here = new Set([`/pool/${pool}`, ...machines.map((vmid) => `/vms/${vmid}`)]);
  const up = new Set(above(pool));
  return have.acls.filter((entry) => {
    const { path, propagate, role } = entry;
    const reaches = here.has(path)
      ? isOwn(entry) || (isOfStudents ??= heldByStudents({ have, index }))(entry)
      : propagate && up.has(path) && isOwn(entry);
    return reaches && isOfUse(role, have);
  });
}

/** `goes`: rights that the plan takes away. */
export function stillOpen(
  who: Who,
  goes: (entry: AclEntry) => boolean,
  { have, index }: Seen,
): Refusal | undefined {
  const { user } = who;
  const isOwn = heldBy(new Set([user]), index);
  const entries = rightsOfUse(who, { have, index }).filter((entry) => !goes(entry));
  if (entries.length === 0) return undefined;
  const says = entries.map((entry) => {
    const { path, role, type, subject } = entry;
    const by = type === 'group' ? ` by group ${subject}` : isOwn(entry) ? '' : ` of ${subject}`;
    return `${role} on ${path}${by}`;
  });
  const whose = entries.some(isOwn) ? user : `somebody beside ${user}`;
  return {
    code: 'ACCESS_LEFT',
    message: `${whose} can still use the stand, by rights that deploy-stand did not give: ${says.join('; ')}`,
    hint: `an administrator takes them away with\n${entries.map((entry) => `  ${takeAwayCommand(entry, entry.subject)}`).join('\n')}`,
  };
}
