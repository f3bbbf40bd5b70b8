/** Which stands a cleanup is about. Finds them by marks and claims, never by names alone (but see `adopt`). */
import { isAnyCloning } from '../cluster/locks.ts';
import { standNetworks } from '../cluster/stand-networks.ts';
import { nameIn } from '../../pve-values/userid.ts';
import type { CleanupContext } from './context.ts';
import { isOlder, sinceOf } from '../../marks/time.ts';
import { isAccountOver, isLabOver } from '../stands/expiry.ts';
import { isUserMarked } from '../../marks/user.ts';
import type { Claim, PoolMark } from '../../marks/pool.ts';
import { compareNatural } from '../../order.ts';
import {
  selectedPools,
  type MarkedPool,
  type SelectedUser,
  type StandSelection,
} from '../stands/selection.ts';

/** One user with what is to go. `claims` may be empty: then only bridges, pool or user are left of the stand. */
export interface SelectedStand {
  readonly user: string;
  readonly pool: string;
  /** Undefined: the pool does not exist, or is not ours. */
  readonly mark: PoolMark | undefined;
  /** Claims to give back. */
  readonly claims: readonly Claim[];
  /** Labs of which bridges go too; undefined: of all labs. */
  readonly labs: ReadonlySet<string> | undefined;
  /** Claims of which only the VMs go that were never finished. */
  readonly trimmed: readonly Claim[];
  /** May pool and user go, once no claim is left? */
  readonly removesUser: boolean;
}

function markedPools(context: CleanupContext): MarkedPool[] {
  return selectedPools({}, context.index.marks);
}

/** Users with bridges of ours although no pool of theirs is marked any more. */
function usersOfBridges(context: CleanupContext): Map<string, Set<string>> {
  const labsOf = new Map<string, Set<string>>();
  for (const { lab, user } of standNetworks(context.have.networks)) {
    const labs = labsOf.get(user) ?? new Set();
    labsOf.set(user, labs.add(lab));
  }
  return labsOf;
}

function whole(marked: MarkedPool, claims: readonly Claim[], labs?: ReadonlySet<string>): SelectedStand {
  return { ...marked, claims, labs, trimmed: [], removesUser: true };
}

function unpooled(user: string, pool: string, labs?: ReadonlySet<string>): SelectedStand {
  return { user, pool, mark: undefined, claims: [], labs, trimmed: [], removesUser: true };
}

function byLab(lab: string, context: CleanupContext): SelectedStand[] {
  const pooled = selectedPools({ lab }, context.index.marks).map((marked) => {
    const claims = marked.mark.claims.filter((claim) => claim.lab === lab);
    return whole(marked, claims, new Set([lab]));
  });
  const known = new Set(pooled.map((stand) => stand.user));
  const rest = [...usersOfBridges(context)].filter(([user, labs]) => labs.has(lab) && !known.has(user));
  return [
    ...pooled,
    ...rest
      .map(([user]) => user)
      .sort(compareNatural)
      .map((user) => ({ ...unpooled(user, nameIn(user), new Set([lab])), removesUser: false })),
  ];
}

function byUsers(
  users: readonly Required<SelectedUser>[],
  lab: string | undefined,
  context: CleanupContext,
): SelectedStand[] {
  const labs = lab === undefined ? undefined : new Set([lab]);
  return [...users]
    .sort((a, b) => compareNatural(a.userid, b.userid) || compareNatural(a.pool, b.pool))
    .map(({ userid, pool }) => {
      const mark = context.index.marks.get(pool);
      if (mark?.user !== userid) return unpooled(userid, pool, labs);
      const claims = mark.claims.filter((claim) => lab === undefined || claim.lab === lab);
      return whole({ pool, user: userid, mark }, claims, labs);
    });
}

/** Every pool of a user that no file names, or the one that it would have. */
function poolsOfUser(userid: string, context: CleanupContext): { userid: string; pool: string }[] {
  const own = selectedPools({ users: [{ userid }] }, context.index.marks);
  return own.length === 0 ? [{ userid, pool: nameIn(userid) }] : own.map(({ pool }) => ({ userid, pool }));
}

function usersWithPools(users: readonly SelectedUser[], context: CleanupContext): Required<SelectedUser>[] {
  const once = new Map(users.map((user) => [`${user.userid} ${user.pool ?? ''}`, user]));
  return [...once.values()].flatMap(({ userid, pool }) =>
    pool === undefined ? poolsOfUser(userid, context) : [{ userid, pool }],
  );
}

/** Nothing, where nothing was selected. */
function byStands({ lab, users }: StandSelection, context: CleanupContext): SelectedStand[] {
  if (users) return byUsers(usersWithPools(users, context), lab, context);
  return lab === undefined ? [] : byLab(lab, context);
}

function expired(context: CleanupContext): SelectedStand[] {
  const { now } = context.have;
  return markedPools(context).flatMap((marked) => {
    const userIsOver = isAccountOver(context.index.users.get(marked.user)?.expire, now);
    const claims = marked.mark.claims.filter(({ expires }) => userIsOver || isLabOver(expires, now));
    if (claims.length === 0) return [];
    return [whole(marked, claims, new Set(claims.map((claim) => claim.lab)))];
  });
}

function isOld(since: string | undefined, { have, options }: CleanupContext): boolean {
  return isOlder(since, options.minAgeSeconds, have.now);
}

/** Anything under way on a guest of the claim, or any clone at all, may be a deploy at work. */
function isBusy(claim: Claim, context: CleanupContext): boolean {
  const ids = new Set(claim.vmids.map(String));
  return isAnyCloning(context.have) === true || context.have.tasks.some((task) => ids.has(task.id));
}

function isGone(claim: Claim, context: CleanupContext): boolean {
  return claim.vmids.every((vmid) => !context.index.guests.has(vmid));
}

/**
 * Is nothing of this user's under way, and old enough? A pool that is kept for the class waits for its next stand as long
 * as its user is there. An empty pool has no date of its own; without its user it is what
 * a killed run left, for pools are created under the planning lock, and given back under it.
 */
function isAbandoned({ user, mark }: MarkedPool, kept: readonly Claim[], context: CleanupContext): boolean {
  const owner = context.index.users.get(user);
  if ((mark.kept || context.options.keepUsers) && owner !== undefined) return false;
  if (mark.claims.length > 0) return kept.length === 0;
  return owner === undefined || (isUserMarked(owner.comment) && isOld(sinceOf(owner.comment), context));
}

function orphanOf(marked: MarkedPool, context: CleanupContext): SelectedStand[] {
  const { claims } = marked.mark;
  const quiet = claims.filter((claim) => isOld(claim.since, context) && !isBusy(claim, context));
  const kept = claims.filter((claim) => !quiet.includes(claim));
  const dead = quiet.filter((claim) => isGone(claim, context));
  const removesUser = isAbandoned(marked, kept, context);
  if (quiet.length === 0 && !removesUser) return [];
  return [{ ...whole(marked, dead), trimmed: quiet.filter((claim) => !dead.includes(claim)), removesUser }];
}

/** Claims without any VM, half-made VMs, bridges and users that belong to nothing: all old enough, none under a task. */
function orphans(context: CleanupContext): SelectedStand[] {
  const pools = markedPools(context);
  const stands = pools.flatMap((marked) => orphanOf(marked, context));
  const owners = new Set(pools.map((marked) => marked.user));
  const listed = new Set(stands.map((stand) => stand.user));
  for (const { userid, comment } of context.have.users) {
    if (owners.has(userid) || !isUserMarked(comment) || !isOld(sinceOf(comment), context)) continue;
    stands.push(unpooled(userid, nameIn(userid)));
    listed.add(userid);
  }
  for (const user of usersOfBridges(context).keys()) {
    if (!listed.has(user)) stands.push({ ...unpooled(user, nameIn(user)), removesUser: false });
  }
  return stands.sort((a, b) => compareNatural(a.user, b.user) || compareNatural(a.pool, b.pool));
}

export function selectStands(context: CleanupContext): SelectedStand[] {
  const { selection } = context;
  switch (selection.by) {
    case 'stands':
      return byStands(selection, context);
    case 'expired':
      return expired(context);
    case 'orphans':
      return orphans(context);
  }
}
