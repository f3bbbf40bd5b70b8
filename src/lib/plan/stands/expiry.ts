/** When a lab or an account is over: `cleanup --expired` takes its stands then, and whoever plans one is told before. */
import type { Lab, User } from '../../config/types.ts';
import { endOfDay, endText } from '../../pve-values/expire.ts';

/** A lab ends with its last day, UTC. `now`: ISO 8601. */
export function isLabOver(expires: string | undefined, now: string): boolean {
  return expires !== undefined && expires < now.slice(0, 10);
}

/** An account ends at the second that PVE says; 0 or undefined: never. */
export function isAccountOver(expire: number | undefined, now: string): boolean {
  return expire !== undefined && expire !== 0 && expire * 1000 <= Date.parse(now);
}

/** Whatever comes first, in seconds as PVE counts, and how many are left. */
export function nearestEnd(
  { expires, expire = 0 }: { readonly expires: string | undefined; readonly expire: number | undefined },
  now: string,
): { readonly end: number; readonly left: number } | undefined {
  const ends = [expires === undefined ? 0 : endOfDay(expires), expire].filter((end) => end > 0);
  if (ends.length === 0) return undefined;
  const end = Math.min(...ends);
  return { end, left: end - Date.parse(now) / 1000 };
}

/** An account that is there is used as it is. */
export function accountEnd(
  { userid, expire }: Pick<User, 'userid' | 'expire'>,
  accounts: ReadonlyMap<string, { readonly expire?: number | undefined }>,
): number | undefined {
  return (accounts.get(userid) ?? { expire }).expire;
}

/** Why a deploy makes no stand that is not there: what `cleanup --expired` took, no run every night makes again. */
export function whyNoneIsMade(
  user: Pick<User, 'userid' | 'expire'>,
  expires: string | undefined,
  { accounts, now }: { readonly accounts: Parameters<typeof accountEnd>[1]; readonly now: string },
): 'lab-over' | 'account-over' | undefined {
  if (isLabOver(expires, now)) return 'lab-over';
  return isAccountOver(accountEnd(user, accounts), now) ? 'account-over' : undefined;
}

const NEXT = 'the next `cleanup --expired` removes';

export function labWarnings(
  { expires, file, name }: Pick<Lab, 'expires' | 'file' | 'name'>,
  now: string,
): string[] {
  if (expires === undefined || !isLabOver(expires, now)) return [];
  return [
    `${file}: lab ${name} expired on ${expires}: no stand is made, and ${NEXT} those that are there; set a later day in \`expires\``,
  ];
}

/** `expireOf`: when the account of a user is over, once all that is planned is done. */
export function accountWarnings(
  users: readonly User[],
  now: string,
  expireOf: (user: User) => number | undefined = ({ expire }) => expire,
): string[] {
  const over = users.filter((user) => isAccountOver(expireOf(user), now));
  const [first] = over;
  if (!first) return [];
  const { place } = first;
  const where = place ? `${place.file}:${place.line}: ` : '';
  const more = over.length === 1 ? '' : ` (and ${over.length - 1} more)`;
  const who = over.length === 1 ? 'the account' : 'these accounts';
  return [
    `${where}the account of ${first.userid} expired, ${endText(expireOf(first) ?? 0)}${more}: nobody can log in with ${who}, no stand is made, and ${NEXT} those that are there; set a later \`expire\`, and run \`users sync\` for accounts that are there already`,
  ];
}

/** Of an end that was asked for by name: what it is called (`--until`) stands in no file. */
export function endWarnings(end: string, isOfAccounts: boolean, now: string): string[] {
  if (!isLabOver(end, now)) return [];
  const accounts = isOfAccounts ? 'nobody can log in with the accounts that end with it, and ' : '';
  return [`${end} is past, today is ${now.slice(0, 10)}: ${accounts}${NEXT} the stands`];
}
