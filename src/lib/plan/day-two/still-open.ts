/**
 * By which rights a student can still use a stand that was frozen: those that were there before deploy-stand, those of
 * groups, and those from further up. They are told, and never taken away: an administrator gave them.
 */
import type { AclEntry, Inventory } from '../../inventory/types.ts';
import { takeAwayCommand } from '../../pve-values/admin-commands.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { privilegesOf } from '../stands/roles.ts';

interface Who {
  readonly user: string;
  readonly pool: string;
  readonly vmids: readonly number[];
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

/** `goes`: rights that the plan takes away. */
export function stillOpen(
  { user, pool, vmids }: Who,
  goes: (entry: AclEntry) => boolean,
  { have, index }: { readonly have: Inventory; readonly index: ClusterView },
): Refusal | undefined {
  const groups = new Set(index.users.get(user)?.groups);
  const here = new Set([`/pool/${pool}`, ...vmids.map((vmid) => `/vms/${vmid}`)]);
  const up = new Set(above(pool));
  const entries = have.acls.filter((entry) => {
    const { path, type, subject, propagate, role } = entry;
    const isTheirs = (type === 'user' && subject === user) || (type === 'group' && groups.has(subject));
    return isTheirs && (here.has(path) || (propagate && up.has(path))) && isOfUse(role, have) && !goes(entry);
  });
  if (entries.length === 0) return undefined;
  const says = entries.map(
    ({ path, role, type, subject }) => `${role} on ${path}${type === 'group' ? ` by group ${subject}` : ''}`,
  );
  return {
    code: 'ACCESS_LEFT',
    message: `${user} can still use the stand, by rights that deploy-stand did not give: ${says.join('; ')}`,
    hint: `an administrator takes them away with\n${entries.map((entry) => `  ${takeAwayCommand(entry, entry.subject)}`).join('\n')}`,
  };
}
