/** `/access/users` with tokens. See pve-access-control API2/User.pm. */
import { splitList } from '../contract/formats.ts';
import { rootUser } from '../access/permissions.ts';
import { die, paramError } from '../pve-error.ts';
import { randomUuid, secretHash } from '../access/secrets.ts';
import { lockUserConfig, type Call, type Handlers, type Sim } from '../sim.ts';
import type { TokenState, UserState } from '../state.ts';
import { listedUsers, storedText } from '../access/user-config.ts';
import { setPassword, splitUserid } from './access-login.ts';

const flag = (value: boolean): 0 | 1 => (value ? 1 : 0);

function tokenRow(tokenid: string, token: TokenState): Record<string, unknown> {
  return {
    tokenid,
    privsep: flag(token.privsep),
    expire: token.expire,
    ...(token.comment === '' ? {} : { comment: token.comment }),
  };
}

function userRow(sim: Sim, user: UserState): Record<string, unknown> {
  const optional = ['comment', 'email', 'firstname', 'lastname', 'keys'] as const;
  const filled = optional.filter((key) => user[key] !== '').map((key) => [key, user[key]]);
  const realmType = sim.world.realms.get(splitUserid(user.userid)[1])?.type;
  return {
    enable: flag(user.enable),
    expire: user.expire,
    ...(Object.fromEntries(filled) as Record<string, string>),
    ...(realmType === undefined ? {} : { 'realm-type': realmType }),
  };
}

function listUsers(call: Call): unknown {
  const { sim, params, user: caller } = call;
  const privs = ['User.Modify', 'Sys.Audit'];
  const all = sim.rights.hasAny(caller, '/access/groups', privs);
  const groups = all ? new Set<string>() : sim.rights.groupsWith(caller, privs);
  const enabled = params.has('enabled') ? params.flag('enabled') : undefined;
  const rows: unknown[] = [];
  for (const user of sim.world.users.values()) {
    const visible = all || user.userid === caller || user.groups.some((group) => groups.has(group));
    if (!visible || (enabled !== undefined && enabled !== user.enable)) continue;
    const full = {
      groups: user.groups.join(','),
      tokens: Object.entries(user.tokens).map(([id, token]) => tokenRow(id, token)),
    };
    rows.push({ userid: user.userid, ...userRow(sim, user), ...(params.flag('full') ? full : {}) });
  }
  return rows;
}

function knownUser(call: Call): UserState {
  const userid = call.params.text('userid');
  return call.sim.world.users.get(userid) ?? die(`no such user ('${userid}')`);
}

function getUser(call: Call): unknown {
  const user = knownUser(call);
  const tokens = Object.fromEntries(
    Object.entries(user.tokens).map(([id, token]) => [id, tokenRow(id, token)]),
  );
  return { ...userRow(call.sim, user), groups: user.groups, tokens };
}

function joinGroups(sim: Sim, user: UserState, groups: readonly string[], append: boolean): void {
  const missing = groups.find((group) => !sim.world.groups.has(group));
  if (missing !== undefined) die(`no such group '${missing}'`);
  if (!append) user.groups = [];
  // The group's line is a list: a userid with a comma in it is read as other users.
  for (const member of listedUsers(user.userid)) {
    const listed = member === user.userid ? user : sim.world.users.get(member);
    if (listed) listed.groups = [...new Set([...listed.groups, ...groups])];
  }
}

function applyDetails(call: Call, user: UserState): void {
  const { params } = call;
  for (const key of ['comment', 'email', 'firstname', 'lastname', 'keys'] as const) {
    user[key] = storedText(params.optText(key) ?? user[key]);
  }
  if (params.has('enable')) user.enable = params.flag('enable');
  if (params.has('expire')) user.expire = params.number('expire');
  if (params.has('groups'))
    joinGroups(call.sim, user, splitList(params.text('groups')), params.flag('append'));
}

async function createUser(call: Call): Promise<null> {
  const { sim, params } = call;
  const userid = params.text('userid');
  await lockUserConfig(sim, 'create user failed', () => {
    if (sim.world.users.has(userid)) die(`user '${userid}' already exists`);
    const realm = splitUserid(userid)[1];
    if (!sim.world.realms.has(realm)) die(`domain '${realm}' does not exist`);
    const user: UserState = {
      userid,
      enable: true,
      expire: 0,
      comment: '',
      email: '',
      firstname: '',
      lastname: '',
      keys: '',
      groups: [],
      tokens: {},
    };
    const password = params.optText('password');
    if (password !== undefined) setPassword(sim, user, password);
    applyDetails(call, user);
    sim.world.users.set(userid, user);
  });
  return null;
}

async function updateUser(call: Call): Promise<null> {
  await lockUserConfig(call.sim, 'update user failed', () => applyDetails(call, knownUser(call)));
  return null;
}

async function deleteUser(call: Call): Promise<null> {
  const { sim } = call;
  const userid = call.params.text('userid');
  if (userid === rootUser) die(`Unable to delete system user '${rootUser}'`);
  await lockUserConfig(sim, 'delete user failed', () => {
    sim.world.users.delete(userid);
    sim.world.revokeUser(userid);
  });
  return null;
}

function listTokens(call: Call): unknown {
  return Object.entries(knownUser(call).tokens).map(([id, token]) => tokenRow(id, token));
}

function knownToken(call: Call): TokenState {
  const user = knownUser(call);
  const id = call.params.text('tokenid');
  return user.tokens[id] ?? die(`no such token '${id}' for user '${user.userid}'`);
}

function info(token: TokenState): Record<string, unknown> {
  const { privsep, expire, comment } = token;
  return { privsep: flag(privsep), expire, ...(comment === '' ? {} : { comment }) };
}

async function createToken(call: Call): Promise<unknown> {
  const { sim, params } = call;
  const user = knownUser(call);
  const id = params.text('tokenid');
  if (user.tokens[id]) throw paramError({ tokenid: 'Token already exists.' });
  const full = `${user.userid}!${id}`;
  const value = randomUuid(sim.world);
  const token: TokenState = {
    privsep: params.flag('privsep', true),
    expire: params.number('expire'),
    comment: storedText(params.text('comment')),
    secretHash: secretHash(full, value),
  };
  await lockUserConfig(sim, 'generating token failed', () => {
    user.tokens[id] = token;
  });
  return { 'full-tokenid': full, info: info(token), value };
}

async function updateToken(call: Call): Promise<unknown> {
  const { sim, params } = call;
  const full = `${params.text('userid')}!${params.text('tokenid')}`;
  let value: string | undefined;
  const token = knownToken(call);
  await lockUserConfig(sim, 'updating token info failed', () => {
    if (params.has('privsep')) token.privsep = params.flag('privsep');
    if (params.has('expire')) token.expire = params.number('expire');
    token.comment = storedText(params.optText('comment') ?? token.comment);
    for (const key of splitList(params.text('delete'))) {
      if (key === 'comment') token.comment = '';
      if (key === 'expire') token.expire = 0;
    }
    if (params.flag('regenerate')) {
      value = randomUuid(sim.world);
      token.secretHash = secretHash(full, value);
    }
  });
  return value === undefined ? info(token) : { ...info(token), 'full-tokenid': full, value };
}

async function deleteToken(call: Call): Promise<null> {
  const user = knownUser(call);
  knownToken(call);
  await lockUserConfig(call.sim, 'deleting token failed', () => {
    const id = call.params.text('tokenid');
    user.tokens = Object.fromEntries(Object.entries(user.tokens).filter(([known]) => known !== id));
    for (const node of call.sim.world.acl.values()) node.token.delete(`${user.userid}!${id}`);
  });
  return null;
}

export const accessUserHandlers: Handlers = {
  'GET /access/users': listUsers,
  'POST /access/users': createUser,
  'GET /access/users/{userid}': getUser,
  'PUT /access/users/{userid}': updateUser,
  'DELETE /access/users/{userid}': deleteUser,
  'GET /access/users/{userid}/token': listTokens,
  'GET /access/users/{userid}/token/{tokenid}': (call) => info(knownToken(call)),
  'POST /access/users/{userid}/token/{tokenid}': createToken,
  'PUT /access/users/{userid}/token/{tokenid}': updateToken,
  'DELETE /access/users/{userid}/token/{tokenid}': deleteToken,
};
