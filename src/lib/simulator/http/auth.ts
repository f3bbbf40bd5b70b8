/** Who is calling: API tokens, tickets, CSRF tokens, half tickets of a second factor. Must not decide rights. */
import { PveError } from '../pve-error.ts';
import { isSame, secretHash, sign } from '../access/secrets.ts';
import type { Sim } from '../sim.ts';
import type { TokenState, UserState } from '../state.ts';

const lifetimeSeconds = 7200;
const graceSeconds = 300;

interface Headers {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
  readonly csrf?: string | undefined;
}

const hexSeconds = (sim: Sim): string =>
  Math.floor(sim.clock.now() / 1000)
    .toString(16)
    .toUpperCase();

function isYoung(sim: Sim, hexTime: string): boolean {
  const age = Math.floor(sim.clock.now() / 1000) - parseInt(hexTime, 16);
  return age > -graceSeconds && age < lifetimeSeconds;
}

export function createTicket(sim: Sim, userid: string, prefix: 'PVE' | 'PVE:!tfa!' = 'PVE'): string {
  const plain = `${prefix}:${userid}:${hexSeconds(sim)}`;
  return `${plain}::${sign(sim.world.fixed.ticketKey, plain)}`;
}

/** The user of a valid ticket. A half ticket is valid under its own prefix only. */
export function verifyTicket(
  sim: Sim,
  ticket: string,
  prefix: 'PVE' | 'PVE:!tfa!' = 'PVE',
): string | undefined {
  const at = ticket.lastIndexOf('::');
  const plain = ticket.slice(0, at);
  if (at < 0 || !isSame(ticket.slice(at + 2), sign(sim.world.fixed.ticketKey, plain))) return undefined;
  const match = /^(PVE|PVE:!tfa!):([^:!]+):([0-9A-F]+)$/.exec(plain);
  if (match?.[1] !== prefix || !isYoung(sim, match[3] ?? '0')) return undefined;
  return match[2];
}

export function createCsrfToken(sim: Sim, userid: string): string {
  const time = hexSeconds(sim);
  return `${time}:${sign(sim.world.fixed.ticketKey, `${userid}:${time}`)}`;
}

function isCsrfToken(sim: Sim, userid: string, token: string): boolean {
  const [time = '', signature = ''] = token.split(':');
  return isSame(signature, sign(sim.world.fixed.ticketKey, `${userid}:${time}`)) && isYoung(sim, time);
}

function isUsable(sim: Sim, user: UserState | undefined): user is UserState {
  return user?.enable === true && (user.expire === 0 || user.expire > sim.clock.now() / 1000);
}

export function enabledUser(sim: Sim, userid: string): UserState | undefined {
  const user = sim.world.users.get(userid);
  return isUsable(sim, user) ? user : undefined;
}

function unauthorized(sim: Sim, old: string): PveError {
  return new PveError(401, sim.facts.major === 9 ? 'Authentication failed!' : old);
}

/** The secret that was found to be a token's, for the hash that it has. */
const proven = new WeakMap<TokenState, { readonly hash: string; readonly secret: string }>();

/** Each request brings the same one: it is hashed once. */
function isTokenSecret(token: TokenState, authUser: string, secret: string): boolean {
  const known = proven.get(token);
  if (known?.secret === secret && known.hash === token.secretHash) return true;
  if (!isSame(secretHash(authUser, secret), token.secretHash)) return false;
  proven.set(token, { hash: token.secretHash, secret });
  return true;
}

function byToken(sim: Sim, text: string): string {
  const match = /^([^!]+)!([^=]+)=(.+)$/.exec(text);
  if (!match) throw unauthorized(sim, 'no tokenid specified');
  const [, userid = '', tokenid = '', secret = ''] = match;
  const user = sim.world.users.get(userid);
  if (!isUsable(sim, user)) throw unauthorized(sim, `no such user ('${userid}')`);
  const token = user.tokens[tokenid];
  if (!token) throw unauthorized(sim, `no such token '${tokenid}' for user '${userid}'`);
  if (token.expire !== 0 && token.expire < sim.clock.now() / 1000) {
    throw unauthorized(sim, `token '${userid}!${tokenid}' access expired`);
  }
  const authUser = `${userid}!${tokenid}`;
  if (!isTokenSecret(token, authUser, secret)) throw unauthorized(sim, 'invalid token value!');
  return authUser;
}

function cookieTicket(headers: Headers): string | undefined {
  const match = /(?:^|\s)PVEAuthCookie=([^;]*)/.exec(headers.cookie ?? '');
  if (!match?.[1]) return undefined;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return match[1];
  }
}

/** HTTPServer.pm auth_handler: the cookie wins over Authorization. Throws 401. */
export function authenticate(sim: Sim, method: string, headers: Headers): string {
  const authorization = headers.authorization ?? '';
  const ticket =
    cookieTicket(headers) ??
    (authorization.startsWith('PVEAuthCookie=') ? decodeURIComponent(authorization.slice(14)) : undefined);
  if (ticket === undefined) {
    if (authorization.startsWith('PVEAPIToken=')) return byToken(sim, authorization.slice(12));
    throw new PveError(401, 'No ticket');
  }
  if (ticket.startsWith('PVE:!tfa!')) throw new PveError(401, 'No ticket');
  const userid = verifyTicket(sim, ticket);
  if (userid === undefined || !enabledUser(sim, userid)) {
    throw unauthorized(sim, 'permission denied - invalid PVE ticket');
  }
  if (method !== 'GET' && !isCsrfToken(sim, userid, headers.csrf ?? '')) {
    throw new PveError(401, 'Permission denied - invalid csrf token');
  }
  return userid;
}
