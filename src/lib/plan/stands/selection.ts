/**
 * Which stands a command is about: made once, of flags and files, and asked by reading, planning and the privilege check
 * alike. Finds stands by claims, never by names of guests; judges no guest.
 */
import { addTo } from '../../group.ts';
import type { BridgeRange, Machine } from '../../config/types.ts';
import type { PoolInfo } from '../../inventory/types.ts';
import { parsePoolComment, type Claim, type PoolMark } from '../../marks/pool.ts';
import { compareNatural } from '../../order.ts';

/** `pool`: as the users file says it; else all pools that are marked as the user's. */
export interface SelectedUser {
  readonly userid: string;
  readonly pool?: string;
}

/** Each part narrows the others; what is absent selects all. */
export interface StandSelection {
  readonly lab?: string;
  /** Machines of the lab's file, where one was given. */
  readonly labMachines?: readonly Machine[];
  /** Of the same lab file. */
  readonly bridgeRange?: BridgeRange;
  readonly users?: readonly SelectedUser[];
  /** The users are all whom the files of a class name. */
  readonly isWholeClass?: boolean;
  /** Only these machines of the stands. */
  readonly machines?: readonly string[];
  /** Only machines on these nodes. */
  readonly nodes?: readonly string[];
}

export interface MarkedPool {
  readonly pool: string;
  readonly user: string;
  readonly mark: PoolMark;
}

export interface SelectedClaim extends MarkedPool {
  readonly claim: Claim;
}

export type Marks = ReadonlyMap<string, PoolMark>;

export function marksOf(pools: readonly Pick<PoolInfo, 'pool' | 'comment'>[]): Map<string, PoolMark> {
  return new Map(pools.map(({ pool, comment }) => [pool, parsePoolComment(comment)]));
}

/** Are stands of this user in this lab selected, in whichever pool? */
export function picksStand({ lab, users }: StandSelection): (user: string, lab: string) => boolean {
  const userids = users && new Set(users.map(({ userid }) => userid));
  return (user, of) => (userids?.has(user) ?? true) && (lab === undefined || of === lab);
}

function picksPool(users: readonly SelectedUser[] | undefined): (pool: string, user: string) => boolean {
  if (!users) return () => true;
  const anyPool = new Set<string>();
  const inPool = new Map<string, string[]>();
  for (const { userid, pool } of users) {
    if (pool === undefined) anyPool.add(userid);
    else addTo(inPool, pool, userid);
  }
  return (pool, user) => anyPool.has(user) || inPool.get(pool)?.includes(user) === true;
}

/** Pools of ours that have, or of named users may get, something that is selected. By user, then pool. */
export function selectedPools(selection: StandSelection, marks: Marks): MarkedPool[] {
  const { lab, users } = selection;
  const isPicked = picksPool(users);
  const hasLab = ({ claims }: PoolMark): boolean =>
    lab === undefined || claims.some((one) => one.lab === lab);
  return [...marks]
    .flatMap(([pool, mark]) => (mark.user === undefined ? [] : [{ pool, user: mark.user, mark }]))
    .filter(({ pool, user, mark }) => isPicked(pool, user) && (users !== undefined || hasLab(mark)))
    .sort((a, b) => compareNatural(a.user, b.user) || compareNatural(a.pool, b.pool));
}

/** The stands selected, by user and pool. Machines and nodes narrow what is done in them, see selected.ts. */
export function selectedClaims(selection: StandSelection, marks: Marks): SelectedClaim[] {
  const { lab } = selection;
  return selectedPools(selection, marks).flatMap((marked) =>
    marked.mark.claims
      .filter((claim) => lab === undefined || claim.lab === lab)
      .map((claim) => ({ ...marked, claim })),
  );
}

/** VMIDs that the selected stands claim. */
export function selectedVmids(selection: StandSelection, marks: Marks): number[] {
  return selectedClaims(selection, marks).flatMap(({ claim }) => claim.vmids);
}

/** All labs in the pools of the selected stands. */
export function wholePools(selection: StandSelection, marks: Marks): StandSelection {
  const pools = selectedClaims(selection, marks).map(({ user, pool }) => ({ userid: user, pool }));
  return { users: [...new Map(pools.map((one) => [`${one.userid} ${one.pool}`, one])).values()] };
}
