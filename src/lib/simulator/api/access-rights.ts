/** `/access/groups`, `/roles`, `/acl`, `/domains`, `/permissions`. See pve-access-control API2/{Group,Role,ACL}.pm. */
import { splitList } from '../contract/formats.ts';
import { normalizeAclPath } from '../access/permissions.ts';
import { die, paramError } from '../pve-error.ts';
import { roleBook } from '../access/roles.ts';
import { lockUserConfig, type Call, type Handlers, type Sim } from '../sim.ts';
import type { AclState } from '../state.ts';
import { storedText } from '../access/user-config.ts';

function membersOf(sim: Sim, group: string): string[] {
  return [...sim.world.users.values()]
    .filter((user) => user.groups.includes(group))
    .map((user) => user.userid);
}

function listGroups(call: Call): unknown {
  const { sim, user } = call;
  const privs = ['User.Modify', 'Sys.Audit', 'Group.Allocate'];
  return [...sim.world.groups]
    .filter(([group]) => sim.rights.hasAny(user, `/access/groups/${group}`, privs))
    .map(([groupid, comment]) => ({
      groupid,
      ...(comment === '' ? {} : { comment }),
      users: membersOf(sim, groupid).join(','),
    }));
}

function getGroup(call: Call): unknown {
  const group = call.params.text('groupid');
  const comment = call.sim.world.groups.get(group);
  if (comment === undefined) die(`group '${group}' does not exist`);
  return { members: membersOf(call.sim, group), ...(comment === '' ? {} : { comment }) };
}

async function createGroup(call: Call): Promise<null> {
  const { sim, params } = call;
  const group = params.text('groupid');
  await lockUserConfig(sim, 'create group failed', () => {
    if (sim.world.groups.has(group)) die(`group '${group}' already exists`);
    sim.world.groups.set(group, storedText(params.text('comment')));
  });
  return null;
}

async function updateGroup(call: Call): Promise<null> {
  const { sim, params } = call;
  const group = params.text('groupid');
  await lockUserConfig(sim, 'update group failed', () => {
    const old = sim.world.groups.get(group) ?? die(`group '${group}' does not exist`);
    sim.world.groups.set(group, storedText(params.optText('comment') ?? old));
  });
  return null;
}

async function deleteGroup(call: Call): Promise<null> {
  const { sim } = call;
  const group = call.params.text('groupid');
  await lockUserConfig(sim, 'delete group failed', () => {
    if (!sim.world.groups.delete(group)) die(`group '${group}' does not exist`);
    for (const user of sim.world.users.values()) user.groups = user.groups.filter((name) => name !== group);
    for (const node of sim.world.acl.values()) node.group.delete(group);
  });
  return null;
}

function listRoles(call: Call): unknown {
  const { sim } = call;
  const builtIn = [...roleBook(sim.facts.major).builtIn].map(([roleid, privs]) => ({
    roleid,
    privs,
    special: 1,
  }));
  const own = [...sim.world.roles].map(([roleid, privs]) => ({ roleid, privs, special: 0 }));
  return [...builtIn, ...own]
    .map((row) => ({ ...row, privs: [...row.privs].sort().join(',') }))
    .sort((a, b) => (a.roleid < b.roleid ? -1 : 1));
}

function getRole(call: Call): unknown {
  const role = call.params.text('roleid');
  const privs = call.sim.rights.rolePrivileges(role) ?? die(`role '${role}' does not exist`);
  return Object.fromEntries([...privs].map((priv) => [priv, 1]));
}

function ownRole(call: Call): ReadonlySet<string> {
  const role = call.params.text('roleid');
  if (roleBook(call.sim.facts.major).builtIn.has(role))
    die(`auto-generated role '${role}' cannot be modified`);
  return call.sim.world.roles.get(role) ?? die(`role '${role}' does not exist`);
}

async function createRole(call: Call): Promise<null> {
  const { sim, params } = call;
  const role = params.text('roleid');
  await lockUserConfig(sim, 'create role failed', () => {
    if (sim.rights.rolePrivileges(role)) die(`role '${role}' already exists`);
    sim.world.roles.set(role, new Set(splitList(params.text('privs'))));
  });
  return null;
}

async function updateRole(call: Call): Promise<null> {
  const { sim, params } = call;
  await lockUserConfig(sim, 'update role failed', () => {
    const old = ownRole(call);
    const added = splitList(params.text('privs'));
    sim.world.roles.set(params.text('roleid'), new Set(params.flag('append') ? [...old, ...added] : added));
  });
  return null;
}

async function deleteRole(call: Call): Promise<null> {
  const { sim, params } = call;
  await lockUserConfig(sim, 'delete role failed', () => {
    ownRole(call);
    const role = params.text('roleid');
    sim.world.roles.delete(role);
    for (const entry of sim.world.aclEntries()) if (entry.role === role) sim.world.revoke(entry);
  });
  return null;
}

const name = '[A-Za-z0-9._-]+';

/** AccessControl.pm check_path: the shapes an ACL path may have. */
function isAclPath(path: string, major: number): boolean {
  const shapes = [
    '/',
    '/access',
    `/access/(?:groups|realm)(?:/${name})?`,
    `/nodes(?:/${name})?`,
    major === 7 ? `/pool(?:/${name})?` : `/pool(?:/${name}){0,3}`,
    '/sdn',
    `/sdn/(?:controllers|dns|ipams)(?:/${name})?`,
    major === 7
      ? `/sdn/(?:zones|vnets)(?:/${name})?`
      : `/sdn/zones(?:/${name}(?:/${name}(?:/[1-9][0-9]{0,3})?)?)?`,
    ...(major === 9 ? [`/sdn/fabrics(?:/${name})?`] : []),
    `/storage(?:/${name})?`,
    '/vms(?:/[1-9][0-9]{2,})?',
    ...(major === 7 ? [] : [`/mapping(?:/${name}(?:/${name})?)?`]),
  ];
  return shapes.some((shape) => new RegExp(`^${shape}$`).test(path));
}

function listAcl(call: Call): unknown {
  const { sim, user } = call;
  const seesAll = sim.rights.has(user, '/access', 'Sys.Audit');
  return sim.world
    .aclEntries()
    .filter((entry) => seesAll || sim.rights.mayModifyPermissions(user, entry.path))
    .map((entry) => ({
      path: entry.path,
      type: entry.type,
      ugid: entry.subject,
      roleid: entry.role,
      propagate: entry.propagate ? 1 : 0,
    }));
}

/** Without Permissions.Modify, 8+ lets a caller hand out only what it has itself. */
function checkHandedOut(call: Call, path: string, role: string): void {
  const { sim, user, params } = call;
  const own = sim.rights.privileges(user, path);
  if (sim.facts.major === 7 || own.has('Permissions.Modify')) return;
  const remove = params.flag('delete');
  const verb = remove ? 'remove' : 'add';
  const refuse = (why: string): never => {
    throw paramError({ role: `Cannot ${verb} role '${role}' ${why}` });
  };
  if (role === 'NoAccess') refuse("- requires 'Permissions.Modify'");
  for (const priv of sim.rights.rolePrivileges(role) ?? []) {
    if (!own.has(priv)) refuse("- requires 'Permissions.Modify' or superset of privileges.");
    if (params.flag('propagate', true) && own.get(priv) !== true && !remove) {
      refuse("with propagation - requires 'Permissions.Modify' or propagated superset of privileges.");
    }
  }
}

function subjects(call: Call): Pick<AclState, 'type' | 'subject'>[] {
  const { sim, params } = call;
  const list = (key: string): string[] => splitList(params.text(key));
  for (const group of list('groups'))
    if (!sim.world.groups.has(group)) die(`group '${group}' does not exist`);
  for (const user of list('users')) if (!sim.world.users.has(user)) die(`user '${user}' does not exist`);
  for (const token of list('tokens')) {
    const [userid = '', id = ''] = token.split('!');
    if (!sim.world.users.get(userid)?.tokens[id]) die(`no such token '${id}' for user '${userid}'`);
  }
  return [
    ...list('groups').map((subject) => ({ type: 'group' as const, subject })),
    ...list('users').map((subject) => ({ type: 'user' as const, subject })),
    ...list('tokens').map((subject) => ({ type: 'token' as const, subject })),
  ];
}

async function updateAcl(call: Call): Promise<null> {
  const { sim, params } = call;
  const kinds = ['users', 'groups', 'tokens'];
  if (kinds.every((kind) => params.text(kind) === '')) {
    const problem = "either 'users', 'groups' or 'tokens' is required.";
    throw paramError(Object.fromEntries(kinds.map((kind) => [kind, problem])));
  }
  const path = normalizeAclPath(params.text('path'));
  const remove = params.flag('delete');
  if (path === undefined || (!remove && !isAclPath(path, sim.facts.major))) {
    throw paramError({ path: `invalid ACL path '${params.text('path')}'` });
  }
  await lockUserConfig(sim, 'ACL update failed', () => {
    const roles = splitList(params.text('roles'));
    for (const role of roles) {
      if (!sim.rights.rolePrivileges(role)) die(`role '${role}' does not exist`);
      checkHandedOut(call, path, role);
    }
    const propagate = params.flag('propagate', true);
    const entries = subjects(call).flatMap((one) => roles.map((role) => ({ path, ...one, role, propagate })));
    for (const entry of entries) {
      if (remove) sim.world.revoke(entry);
      else sim.world.grant(entry);
    }
  });
  return null;
}

/** ACLs are a tree, and the nodes between count as paths of it (AccessControl.pm, iterate_acl_tree). */
function withParents(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)];
}

function listPermissions(call: Call): unknown {
  const { sim, params, user: caller } = call;
  const userid = params.optText('userid') ?? caller;
  if (userid !== caller && !caller.startsWith(`${userid}!`)) sim.rights.need(caller, '/access', 'Sys.Audit');
  if (!sim.world.users.has(userid.split('!')[0] ?? '')) die(`no such user ('${userid}')`);
  const wanted = params.optText('path');
  // 7.4 says `/pools`, where no ACL can be (RPCEnvironment.pm, get_effective_permissions).
  const pools = sim.facts.major === 7 ? '/pools' : '/pool';
  const base = ['/', '/access', '/access/groups', '/nodes', pools, '/sdn', '/storage', '/vms'];
  const members = [...sim.world.pools.values()].flatMap((pool) => [
    ...[...pool.vms].map((vmid) => `/vms/${vmid}`),
    ...[...pool.storage].map((storage) => `/storage/${storage}`),
  ]);
  const paths =
    wanted === undefined
      ? new Set([...base, ...[...sim.world.acl.keys()].flatMap(withParents), ...members])
      : new Set([wanted]);
  const result: Record<string, Record<string, 0 | 1>> = {};
  for (const path of paths) {
    const privs = sim.rights.privileges(userid, path);
    if (privs.size === 0 && wanted === undefined) continue;
    result[path] = Object.fromEntries(
      [...privs].map(([priv, propagate]) => [priv, propagate ? 1 : 0] as const),
    );
  }
  return result;
}

export const accessRightsHandlers: Handlers = {
  'GET /access/groups': listGroups,
  'POST /access/groups': createGroup,
  'GET /access/groups/{groupid}': getGroup,
  'PUT /access/groups/{groupid}': updateGroup,
  'DELETE /access/groups/{groupid}': deleteGroup,
  'GET /access/roles': listRoles,
  'POST /access/roles': createRole,
  'GET /access/roles/{roleid}': getRole,
  'PUT /access/roles/{roleid}': updateRole,
  'DELETE /access/roles/{roleid}': deleteRole,
  'GET /access/acl': listAcl,
  'PUT /access/acl': updateAcl,
  'GET /access/domains': (call) =>
    [...call.sim.world.realms.values()].map(({ realm, type, comment }) => ({ realm, type, comment })),
  'GET /access/permissions': listPermissions,
};
