/** Takes PVE's user and token ids apart. Knows no realm by name, and one user: the one that every PVE has. */

/** To it nothing is refused, and it can be neither removed nor shut out. */
export const ROOT = 'root@pam';

export interface UserId {
  readonly name: string;
  readonly realm: string;
}

/** verify_username of pve-access-control: the realm is behind the last `@`; 3 to 64 characters. */
export function parseUserId(userid: string): UserId | undefined {
  const match = /^([^\s:/]+)@([A-Za-z][A-Za-z0-9._-]{1,31})$/.exec(userid);
  if (!match || userid.length > 64) return undefined;
  return { name: match[1] ?? '', realm: match[2] ?? '' };
}

/** The part before the last `@`, of an id that PVE has. It is also the pool that a user has unless told otherwise. */
export function nameIn(userid: string): string {
  return userid.slice(0, userid.lastIndexOf('@'));
}

/** The part behind the last `@`, of an id that PVE has. */
export function realmIn(userid: string): string {
  return userid.slice(userid.lastIndexOf('@') + 1);
}

/** Where the token's name begins. Names of users may hold a `!`, but neither realms nor names of tokens. */
function tokenMark(account: string): number | undefined {
  const at = account.lastIndexOf('!');
  return at > account.lastIndexOf('@') ? at : undefined;
}

/** `user@realm`, of a user or of a token's owner. */
export function userIn(account: string): string {
  return account.slice(0, tokenMark(account));
}

/** The name of the token in `user@realm!token`; undefined for a user. */
export function tokenIn(account: string): string | undefined {
  const at = tokenMark(account);
  return at === undefined ? undefined : account.slice(at + 1);
}

/** An e-mail address: PVE would take its domain for the realm, which may be called so, and hardly ever is. */
export function looksLikeAddress(userid: string): boolean {
  return /^[^\s:/@]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$/.test(userid);
}
