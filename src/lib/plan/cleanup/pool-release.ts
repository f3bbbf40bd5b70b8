/** What becomes of the pool of a stand that goes: removed, or left with what it still has to say. The VMs go apart. */
import type { CleanupContext } from './context.ts';
import type { SelectedStand } from './selection.ts';
import { formatPoolComment, type Claim } from '../../marks/pool.ts';
import { profileOf } from '../cluster/profile.ts';
import { parentPool } from '../../pve-values/pool-name.ts';
import { makeStep, type Step } from '../document/step.ts';

/** Guests that the class made, or pools below it, keep a pool and its user. */
export type HeldBy = 'members' | 'subpools';

/** Members of the pool that neither go nor stay claimed: somebody else's, also when they are the student's own. */
function foreignMembers(
  stand: SelectedStand,
  removed: ReadonlySet<number>,
  left: readonly Claim[],
  context: CleanupContext,
): number[] {
  const claimed = new Set(left.flatMap((claim) => claim.vmids));
  return (context.index.members.get(stand.pool) ?? [])
    .filter((guest) => !claimed.has(guest.vmid) && !removed.has(guest.vmid))
    .map((guest) => guest.vmid);
}

interface Rest {
  readonly stand: SelectedStand;
  /** Claims after the cleanup. */
  readonly left: readonly Claim[];
  readonly removed: ReadonlySet<number>;
  readonly deletes: readonly string[];
  /** Access that is taken away: with the mark goes the knowledge that it was ours. */
  readonly revokes: readonly string[];
  readonly heldBy: HeldBy | undefined;
  readonly notes: string[];
  readonly context: CleanupContext;
}

/** The pool stays whatever is in it or below it. */
export function staysAnyway({ stand, left, context }: Pick<Rest, 'stand' | 'left' | 'context'>): boolean {
  const { mark } = stand;
  return (
    left.length > 0 ||
    mark?.adopted === true ||
    (mark?.others.length ?? 0) > 0 ||
    context.options.keepUsers ||
    !stand.removesUser
  );
}

/**
 * A confined caller's claims are no memberships, and only a member may be taken out by it; PVE lists the caller's rights
 * on every member, also on one that does not exist.
 */
function mayBeMember(vmid: number, { have }: CleanupContext): boolean {
  return profileOf(have.rights) === 'full' || have.rights?.[`/vms/${vmid}`] !== undefined;
}

/** With a pool that is below none PVE removes them. */
function rightsLeft({ pool, user }: SelectedStand, { index }: CleanupContext): string[] {
  if (parentPool(pool) === undefined) return [];
  const path = `/pool/${pool}`;
  const others = (index.poolRights.get(path) ?? []).filter(({ subject }) => subject !== user);
  if (others.length === 0) return [];
  const who = others.map(({ type, subject, role }) => `${type === 'group' ? '@' : ''}${subject} (${role})`);
  return [
    `rights that others have on ${path} stay, as PVE keeps those of pools below pools: ${who.join(', ')}`,
  ];
}

const HELD_BECAUSE: Readonly<Record<HeldBy, string>> = {
  members: 'machines that its user made are still in it',
  subpools: 'there are pools below it',
};

function releaseReason({ stand: { mark }, left, heldBy }: Rest): string {
  if (heldBy) return HELD_BECAUSE[heldBy];
  if (left.length > 0) return `still claimed by lab ${left.map((claim) => claim.lab).join(', ')}`;
  return mark?.adopted ? 'it was there before deploy-stand: it stays' : 'the pool stays';
}

export function releasePool(rest: Rest): Step[] {
  const { stand, left, removed, deletes, revokes, heldBy, notes, context } = rest;
  const { mark, pool, user } = stand;
  const present = context.index.pools.get(pool);
  if (!mark || mark.user === undefined || !present) return [];
  const foreign = foreignMembers(stand, removed, left, context);
  if (heldBy === undefined && !staysAnyway(rest)) {
    notes.push(...rightsLeft(stand, context));
    return [
      makeStep(
        'pool.delete',
        pool,
        {
          ...{ user, reason: 'nothing is left in it' },
          // PVE keeps the rights on a pool below another one: without the mark nobody would know them for ours.
          dependsOn: parentPool(pool) === undefined ? deletes : [...deletes, ...revokes],
        },
        { pool, comment: present.comment },
      ),
    ];
  }
  if (left.length === 0 && foreign.length > 0 && heldBy === undefined) {
    notes.push(
      `pool ${pool} stays, without our mark: it has members that are not ours (${foreign.join(', ')})`,
    );
  }
  const keepsMark =
    left.length > 0 || heldBy !== undefined || context.options.keepUsers || !stand.removesUser;
  const comment = keepsMark
    ? formatPoolComment({
        ...mark,
        user: mark.user,
        kept: mark.kept === true || context.options.keepUsers,
        claims: left,
      })
    : // An empty value clears a comment.
      mark.others.join('\n');
  const kept = new Set(left.flatMap((claim) => claim.vmids));
  // PVE takes destroyed VMs out by itself; ids that 0.1.0 claimed and that never became a VM are still members.
  const removeVmids = [...stand.claims, ...stand.trimmed]
    .flatMap((claim) => claim.unnamed)
    .filter((vmid) => !kept.has(vmid) && !context.index.guests.has(vmid))
    .filter((vmid) => mayBeMember(vmid, context));
  if (comment === present.comment && removeVmids.length === 0) return [];
  return [
    makeStep(
      'pool.release',
      pool,
      {
        user,
        reason: releaseReason(rest),
        dependsOn: [...deletes, ...revokes],
      },
      { pool, comment, removeVmids },
    ),
  ];
}
