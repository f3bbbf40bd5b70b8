/**
 * Who may look: hosts that a browser may know this server by, and the access token. Decides, and keeps nothing.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Takes as long for a wrong text as for the right one, whatever their lengths. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

/** `[::1]:8080` → `::1`. */
function nameOf(host: string): string {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  return (bracketed ?? plain).toLowerCase().replace(/\.$/, '');
}

/**
 * A page of somebody else whose name is turned to this machine (DNS rebinding) asks under that name: only addresses,
 * which cannot be turned, and names that were allowed are answered.
 */
export function isHostAllowed(host: string | undefined, allowed: ReadonlySet<string>): boolean {
  if (host === undefined) return false;
  const name = nameOf(host);
  return isIP(name) !== 0 || name === 'localhost' || allowed.has(name);
}

export const allowedNames = (names: readonly string[]): ReadonlySet<string> =>
  new Set(names.map((name) => name.toLowerCase().replace(/\.$/, '')));

const COOKIE_FOR = 'deploy-stand serve, cookie';

export interface Gate {
  /** What a browser keeps: made of the token, and of no use for finding it out. A new token ends it. */
  readonly cookie: string;
  isToken(text: string): boolean;
  admits(given: {
    readonly authorization?: string | undefined;
    readonly cookie?: string | undefined;
  }): boolean;
}

export function createGate(token: string): Gate {
  const cookie = createHmac('sha256', token).update(COOKIE_FOR).digest('base64url');
  return {
    cookie,
    isToken: (text) => isSame(text, token),
    admits: ({ authorization, cookie: kept }) => {
      const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
      return (bearer !== undefined && isSame(bearer, token)) || (kept !== undefined && isSame(kept, cookie));
    },
  };
}
