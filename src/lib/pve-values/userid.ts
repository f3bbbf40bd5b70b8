/** Takes PVE's user ids apart. Knows no realm by name. */

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
