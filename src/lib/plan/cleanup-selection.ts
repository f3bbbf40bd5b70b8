/** Which stands a cleanup is about. Finds them by marks and claims, never by names alone (but see `adopt`). */
import type { CleanupContext } from './cleanup-context.ts';
import { isUserMarked, parseBridgeMark, type Claim, type PoolMark } from './marks.ts';
import { compareNatural } from './order.ts';

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
  /** May pool and user go, once no claim is left? */
  readonly removesUser: boolean;
  /** Of the claimed VMs, only those that were never finished. */
  readonly halfMadeOnly: boolean;
}

interface MarkedPool {
  readonly pool: string;
  readonly user: string;
  readonly mark: PoolMark;
}

function markedPools(context: CleanupContext): MarkedPool[] {
  return [...context.index.marks]
    .flatMap(([pool, mark]) => (mark.user === undefined ? [] : [{ pool, user: mark.user, mark }]))
    .sort((a, b) => compareNatural(a.user, b.user));
}

/** Users with bridges of ours although no pool of theirs is marked any more. */
function usersOfBridges(context: CleanupContext): Map<string, Set<string>> {
  const labsOf = new Map<string, Set<string>>();
  for (const { bridges } of context.have.networks) {
    for (const { comments } of bridges) {
      const mark = parseBridgeMark(comments);
      if (mark?.kind !== 'stand') continue;
      const labs = labsOf.get(mark.user) ?? new Set();
      labsOf.set(mark.user, labs.add(mark.lab));
    }
  }
  return labsOf;
}

/** The part before the last `@`: the pool a user has unless told otherwise. */
function poolOf(userid: string): string {
  return userid.slice(0, userid.lastIndexOf('@'));
}

function whole(marked: MarkedPool, claims: readonly Claim[], labs?: ReadonlySet<string>): SelectedStand {
  return { ...marked, claims, labs, removesUser: true, halfMadeOnly: false };
}

function unpooled(user: string, pool: string, labs?: ReadonlySet<string>): SelectedStand {
  return { user, pool, mark: undefined, claims: [], labs, removesUser: true, halfMadeOnly: false };
}

function byLab(lab: string, context: CleanupContext): SelectedStand[] {
  const pooled = markedPools(context).flatMap((marked) => {
    const claims = marked.mark.claims.filter((claim) => claim.lab === lab);
    return claims.length === 0 ? [] : [whole(marked, claims, new Set([lab]))];
  });
  const known = new Set(pooled.map((stand) => stand.user));
  const rest = [...usersOfBridges(context)].filter(([user, labs]) => labs.has(lab) && !known.has(user));
  return [
    ...pooled,
    ...rest.map(([user]) => ({ ...unpooled(user, poolOf(user), new Set([lab])), removesUser: false })),
  ];
}

function byUsers(
  users: readonly { readonly userid: string; readonly pool: string }[],
  lab: string | undefined,
  context: CleanupContext,
): SelectedStand[] {
  const labs = lab === undefined ? undefined : new Set([lab]);
  return [...users]
    .sort((a, b) => compareNatural(a.userid, b.userid))
    .map(({ userid, pool }) => {
      const mark = context.index.marks.get(pool);
      if (mark?.user !== userid) return unpooled(userid, pool, labs);
      const claims = mark.claims.filter((claim) => lab === undefined || claim.lab === lab);
      return whole({ pool, user: userid, mark }, claims, labs);
    });
}

function poolsOfUser(userid: string, context: CleanupContext): { userid: string; pool: string }[] {
  const own = markedPools(context).filter((marked) => marked.user === userid);
  return own.length === 0 ? [{ userid, pool: poolOf(userid) }] : own.map(({ pool }) => ({ userid, pool }));
}

/** A lab expires at the end of its last day, UTC; a user at the second PVE says. */
function expired(context: CleanupContext): SelectedStand[] {
  const today = context.have.now.slice(0, 10);
  return markedPools(context).flatMap((marked) => {
    const until = context.index.users.get(marked.user)?.expire ?? 0;
    const userIsOver = until !== 0 && until * 1000 <= context.now;
    const claims = marked.mark.claims.filter(
      (claim) => userIsOver || (claim.expires !== undefined && claim.expires < today),
    );
    if (claims.length === 0) return [];
    return [whole(marked, claims, new Set(claims.map((claim) => claim.lab)))];
  });
}

function isOld(since: string | undefined, context: CleanupContext): boolean {
  const at = Date.parse(since ?? '');
  return !Number.isNaN(at) && context.now - at >= context.options.minAgeSeconds * 1000;
}

function sinceOf(comment: string): string | undefined {
  return /\bsince=(\S+)/.exec(comment)?.[1];
}

/** Anything under way on a guest of the claim, or any clone at all, may be a deploy at work. */
function isBusy(claim: Claim, context: CleanupContext): boolean {
  const ids = new Set(claim.vmids.map(String));
  return context.have.tasks.some((task) => ids.has(task.id) || task.type === 'qmclone');
}

function isGone(claim: Claim, context: CleanupContext): boolean {
  return claim.vmids.every((vmid) => !context.index.guests.has(vmid));
}

/** Claims without any VM, half-made VMs, bridges and users that belong to nothing: all old enough, none under a task. */
function orphans(context: CleanupContext): SelectedStand[] {
  const stands: SelectedStand[] = [];
  const owners = new Set<string>();
  for (const marked of markedPools(context)) {
    const { claims } = marked.mark;
    const quiet = claims.filter((claim) => isOld(claim.since, context) && !isBusy(claim, context));
    const dead = quiet.filter((claim) => isGone(claim, context));
    const live = quiet.filter((claim) => !dead.includes(claim));
    const created = sinceOf(context.index.users.get(marked.user)?.comment ?? '');
    const isEmpty = claims.length === 0 ? isOld(created, context) : dead.length === claims.length;
    if (!isEmpty) owners.add(marked.user);
    if (isEmpty || dead.length > 0) {
      stands.push({ ...whole(marked, dead, new Set(dead.map((claim) => claim.lab))), removesUser: isEmpty });
    }
    if (live.length > 0) {
      stands.push({ ...whole(marked, live, new Set()), removesUser: false, halfMadeOnly: true });
    }
  }
  const listed = new Set([...stands.map((stand) => stand.user), ...owners]);
  for (const user of context.have.users) {
    if (listed.has(user.userid) || !isUserMarked(user.comment)) continue;
    if (isOld(sinceOf(user.comment), context))
      stands.push(unpooled(user.userid, poolOf(user.userid), new Set()));
  }
  for (const [user] of usersOfBridges(context)) {
    if (stands.some((stand) => stand.user === user)) continue;
    stands.push({ ...unpooled(user, poolOf(user)), removesUser: false });
  }
  return stands;
}

export function selectStands(context: CleanupContext): SelectedStand[] {
  const { selection } = context;
  switch (selection.by) {
    case 'class':
      return byUsers(selection.users, selection.lab, context);
    case 'lab':
      return byLab(selection.lab, context);
    case 'user':
      return byUsers(
        selection.users.flatMap((userid) => poolsOfUser(userid, context)),
        undefined,
        context,
      );
    case 'expired':
      return expired(context);
    case 'orphans':
      return orphans(context);
  }
}
