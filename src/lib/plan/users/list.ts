/** The users of a class, or all users of ours, as they stand on the cluster. Plans nothing. */
import { realmIn } from '../../pve-values/userid.ts';
import type { User } from '../../config/types.ts';
import type { GuestInfo, Inventory } from '../../inventory/types.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { frozenSince } from '../../marks/pool.ts';
import { isUserMarked } from '../../marks/user.ts';
import { compareNatural, compareText } from '../../order.ts';
import { isDirectory } from '../stands/accounts.ts';
import { machinesIn } from '../stands/judge.ts';
import { labsOf, poolNameOf, poolsOfUser } from './context.ts';

export interface UserRow {
  readonly userid: string;
  readonly realm: string;
  /** False: the file names the user, the cluster has none. */
  readonly exists: boolean;
  /** Created by deploy-stand. */
  readonly ours: boolean;
  readonly enabled: boolean;
  /** Seconds since the epoch; null: never. */
  readonly expire: number | null;
  readonly pool: string;
  /** Labs. */
  readonly stands: readonly string[];
  /** Since when access to a pool of theirs is taken away; null: it is not. */
  readonly frozen: string | null;
  readonly vms: { readonly total: number; readonly running: number };
  /** Does the credentials file know it? */
  readonly password: 'known' | 'unknown' | 'directory';
}

function guestsOf(userid: string, index: ClusterView): GuestInfo[] {
  return poolsOfUser(userid, index).flatMap((pool) => machinesIn(pool, index).map(({ guest }) => guest));
}

function frozenTime(userid: string, index: ClusterView): string | null {
  const times = poolsOfUser(userid, index).flatMap((pool) => frozenSince(index.marks.get(pool)) ?? []);
  return times.sort(compareText)[0] ?? null;
}

function everybody(have: Inventory, index: ClusterView): string[] {
  const marked = have.users.filter(({ comment }) => isUserMarked(comment)).map(({ userid }) => userid);
  const pooled = [...index.marks.values()].flatMap(({ user }) => user ?? []);
  return [...new Set([...marked, ...pooled])];
}

/** Without `users`: all that are ours or have a pool of ours. */
export function userRows(
  have: Inventory,
  users: readonly User[] | undefined,
  isKnown: (userid: string) => boolean,
): UserRow[] {
  const index = viewOf(have);
  const pools = new Map(users?.map((user) => [user.userid, user.pool]));
  const userids = users ? users.map((user) => user.userid) : everybody(have, index);
  return userids.sort(compareNatural).map((userid): UserRow => {
    const present = index.users.get(userid);
    const realm = realmIn(userid);
    const guests = guestsOf(userid, index);
    const directory = isDirectory(realm, have) ? 'directory' : 'unknown';
    return {
      userid,
      realm,
      exists: present !== undefined,
      ours: present !== undefined && isUserMarked(present.comment),
      enabled: present?.enabled ?? false,
      expire: present === undefined || present.expire === 0 ? null : present.expire,
      pool: poolsOfUser(userid, index)[0] ?? pools.get(userid) ?? poolNameOf(userid, index),
      stands: labsOf(userid, index),
      frozen: frozenTime(userid, index),
      vms: {
        total: guests.length,
        running: guests.filter((guest) => guest.status === 'running').length,
      },
      password: isKnown(userid) ? 'known' : directory,
    };
  });
}
