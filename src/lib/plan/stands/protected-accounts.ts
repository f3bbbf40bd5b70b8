/**
 * Which accounts are never created, changed or removed, nor their rights taken away, whatever their comment, a file or a
 * plan says. The one answer: planners ask it, and handlers once more right before they write. Reads nothing.
 */
import type { User } from '../../config/types.ts';
import type { PoolRight, PoolWriter, UserInfo } from '../../inventory/types.ts';
import { takeAwayCommand } from '../../pve-values/admin-commands.ts';
import type { Refusal } from '../document/plan.ts';
import { ROOT, tokenIn, userIn } from '../../pve-values/userid.ts';

/** Realms may fold case (LDAP, AD): who logs in as `Deploy@school` is PVE's `deploy@school`. */
function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** What it is, in words that follow a userid; undefined: an account like any other. `caller`: a user's or a token's id. */
export function protectedBecause(userid: string, caller: string | undefined): string | undefined {
  if (isSame(userid, ROOT)) return 'is the administrator of the cluster';
  if (caller === undefined || !isSame(userid, userIn(caller))) return undefined;
  return tokenIn(caller) !== undefined
    ? `owns the token ${caller} that deploy-stand uses here`
    : 'is the account that deploy-stand uses here';
}

/** What a plan that removes says of it. */
export function protectedNote(userid: string, caller: string | undefined): string | undefined {
  const because = protectedBecause(userid, caller);
  return because === undefined ? undefined : `user ${userid} and its rights stay: it ${because}`;
}

/** An option has no lines. */
function placeOf({ place }: User): string {
  if (place === undefined) return '';
  return place.file.startsWith('--') ? `${place.file}: ` : `${place.file}:${place.line}: `;
}

/** Of those that a class list must not name. */
export function protectedRefusals(users: readonly User[], caller: string | undefined): Refusal[] {
  return users.flatMap((user) => {
    const because = protectedBecause(user.userid, caller);
    if (because === undefined) return [];
    return [
      {
        code: 'PROTECTED_ACCOUNT',
        message: `${placeOf(user)}${user.userid} ${because}: it is given no stand, and neither changed nor removed`,
        hint: 'remove it from the list; a stand for trying out needs a user of its own',
      },
    ];
  });
}

/**
 * The right by which this user writes a pool that therefore does not count. With the user PVE takes it away, and from then
 * on what stands in that pool would be believed.
 */
export function poolRightOf(
  { userid, groups }: Pick<UserInfo, 'userid' | 'groups'>,
  writers: readonly (PoolRight | PoolWriter)[],
): PoolRight | undefined {
  const given = writers.flatMap((writer) => ('subject' in writer ? [writer] : []));
  return given.find(({ type, subject }) => {
    if (type === 'group') return groups.includes(subject);
    return (type === 'token' ? userIn(subject) : subject) === userid;
  });
}

/** Why such a user is not removed, not even for a moment. */
export function poolRightRefusal(
  userid: string,
  right: PoolRight,
): Refusal & { readonly code: 'USER_WRITES_POOL'; readonly hint: string } {
  const { says, path, subject } = right;
  const pool = path.slice('/pool/'.length);
  return {
    code: 'USER_WRITES_POOL',
    message: `${userid} is not removed: ${says}, and with the user that right would go, so that what stands in pool ${pool} would be believed`,
    hint: `look at the comment of pool ${pool}, take that right away with \`${takeAwayCommand(right, subject)}\`, then run again; or name the account in \`operators:\` of the connections file if it runs deploy-stand too`,
  };
}
