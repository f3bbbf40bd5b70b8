/** `/access/ticket`, `/access/password` and the roots of the tree. See pve-access-control API2/AccessControl.pm. */
import { createCsrfToken, createTicket, enabledUser, verifyTicket } from '../http/auth.ts';
import { rootUser } from '../access/permissions.ts';
import { PveError, die, paramError, permError } from '../pve-error.ts';
import { isSame, secretHash } from '../access/secrets.ts';
import { lockUserConfig, type Call, type Handlers, type Sim } from '../sim.ts';
import type { UserState } from '../state.ts';

function isPassword(user: UserState, password: string): boolean {
  return user.passwordHash !== undefined && isSame(user.passwordHash, secretHash(user.userid, password));
}

/** Sets a password as the realm's type allows; the texts are those of the Auth plugins. */
export function setPassword(sim: Sim, user: UserState, password: string): void {
  const [name, realm] = splitUserid(user.userid);
  const type = sim.world.realms.get(realm)?.type;
  if (type === undefined) die(`domain '${realm}' does not exist`);
  if (type !== 'pve' && type !== 'pam') die(`can't set password on auth type '${type}'`);
  if (type === 'pam' && user.userid !== rootUser)
    die(`change password failed: user '${name}' does not exist`);
  user.passwordHash = secretHash(user.userid, password);
}

export function splitUserid(userid: string): [string, string] {
  const at = userid.lastIndexOf('@');
  return [userid.slice(0, at), userid.slice(at + 1)];
}

type Login = { readonly user: UserState } | { readonly halfTicket: string };

function secondFactor(sim: Sim, user: UserState, call: Call): Login | undefined {
  const challenge = call.params.optText('tfa-challenge');
  if (challenge === undefined) return undefined;
  const [kind, code] = call.params.text('password').split(':');
  const isRight = verifyTicket(sim, challenge, 'PVE:!tfa!') === user.userid;
  return isRight && kind === 'totp' && code !== undefined && code === user.totp ? { user } : undefined;
}

function checkLogin(call: Call, username: string): Login | undefined {
  const { sim, params } = call;
  const user = enabledUser(sim, username);
  if (!user) return undefined;
  if (params.has('tfa-challenge')) return secondFactor(sim, user, call);
  const password = params.text('password');
  // An old ticket renews itself; root@pam's may stand in for anybody's.
  const holder = verifyTicket(sim, password);
  if (holder === username || holder === rootUser) return { user };
  if (!isPassword(user, password)) return undefined;
  if (user.totp === undefined) return { user };
  // 7.4 hands out a ticket of the old format, which cannot be finished here, unless told otherwise.
  const finishes = sim.facts.major > 7 || params.flag('new-format');
  return { halfTicket: finishes ? createTicket(sim, username, 'PVE:!tfa!') : `PVE:u2f!${username}:` };
}

function capabilities(call: Call, userid: string): Record<string, Record<string, 1>> {
  const sections = {
    vms: '/vms',
    storage: '/storage',
    access: '/access',
    nodes: '/nodes',
    dc: '/',
    sdn: '/sdn',
  };
  return Object.fromEntries(
    Object.entries(sections).map(([section, path]) => [
      section,
      Object.fromEntries(
        [...call.sim.rights.privileges(userid, path).keys()].map((priv) => [priv, 1] as const),
      ),
    ]),
  );
}

function createTicketCall(call: Call): unknown {
  const { sim, params } = call;
  const realm = params.optText('realm');
  const username = realm === undefined ? params.text('username') : `${params.text('username')}@${realm}`;
  const login = checkLogin(call, username);
  if (!login) throw new PveError(401, 'authentication failure');
  if ('halfTicket' in login) {
    return {
      username,
      ticket: login.halfTicket,
      CSRFPreventionToken: createCsrfToken(sim, username),
      NeedTFA: 1,
    };
  }
  const mayAudit = sim.rights.has(username, '/', 'Sys.Audit');
  return {
    username,
    ticket: createTicket(sim, username),
    CSRFPreventionToken: createCsrfToken(sim, username),
    cap: capabilities(call, username),
    ...(mayAudit ? { clustername: sim.world.fixed.name } : {}),
  };
}

async function changePassword(call: Call): Promise<null> {
  const { sim, params, user: caller } = call;
  const userid = params.text('userid');
  const user = sim.world.users.get(userid);
  if (!user) die(`no such user ('${userid}')`);
  if (caller !== rootUser) {
    if (caller !== userid && (userid === rootUser || splitUserid(userid)[1] === 'pam')) throw permError();
    const own = sim.world.users.get(caller);
    const confirmation = params.optText('confirmation-password');
    if (sim.facts.major > 7 && confirmation === undefined) {
      throw paramError({ 'confirmation-password': 'password is required to modify user' });
    }
    if (confirmation !== undefined && !(own && isPassword(own, confirmation))) {
      throw new PveError(401, 'authentication failure');
    }
  }
  await lockUserConfig(sim, 'change password failed', () => setPassword(sim, user, params.text('password')));
  return null;
}

export const accessLoginHandlers: Handlers = {
  'GET /access': () =>
    ['users', 'groups', 'roles', 'acl', 'domains', 'ticket', 'password', 'permissions'].map((subdir) => ({
      subdir,
    })),
  'GET /access/ticket': () => null,
  'POST /access/ticket': createTicketCall,
  'PUT /access/password': changePassword,
};
