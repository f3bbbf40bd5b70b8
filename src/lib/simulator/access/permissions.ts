/** Who may do what: PVE's ACL evaluation (AccessControl.pm roles, RPCEnvironment.pm). Must not read requests. */
import { splitList } from '../contract/formats.ts';
import type { Permission, PermissionCheck } from '../contract/parse-tables.ts';
import { die, permError } from '../pve-error.ts';
import { roleBook } from './roles.ts';
import { useridProblem } from './user-config.ts';
import type { VersionFacts } from '../version.ts';
import type { AclNode, World } from '../world.ts';

/** Privilege → whether it propagates. */
export type Privileges = ReadonlyMap<string, boolean>;
export const rootUser = 'root@pam';

/** The user behind a token id, or the user itself. */
export function ownerOf(authUser: string): string {
  return authUser.split('!', 1)[0] ?? authUser;
}

export function isToken(authUser: string): boolean {
  return authUser.includes('!');
}

export class Rights {
  readonly #world: World;
  readonly #facts: VersionFacts;
  #cache = new Map<string, Map<string, Privileges>>();
  #generation = -1;
  #all: Privileges | undefined;

  constructor(world: World, facts: VersionFacts) {
    this.#world = world;
    this.#facts = facts;
  }

  privileges(authUser: string, path: string): Privileges {
    if (this.#generation !== this.#world.userConfigGeneration) {
      this.#cache = new Map();
      this.#generation = this.#world.userConfigGeneration;
    }
    const byPath = this.#cache.get(authUser) ?? new Map<string, Privileges>();
    this.#cache.set(authUser, byPath);
    const known = byPath.get(path);
    if (known) return known;
    const found = this.#compile(authUser, path);
    byPath.set(path, found);
    return found;
  }

  #compile(authUser: string, path: string): Privileges {
    const owner = ownerOf(authUser);
    if (!isToken(authUser))
      return authUser === rootUser ? this.#everything() : this.#fromRoles(authUser, path);
    const token = this.#world.users.get(owner)?.tokens[authUser.slice(owner.length + 1)];
    if (!token) return new Map();
    if (!token.privsep) return this.privileges(owner, path);
    const own = this.#fromRoles(authUser, path);
    if (owner === rootUser) return own;
    const ofOwner = this.privileges(owner, path);
    const both = [...own].filter(([priv]) => ofOwner.has(priv));
    return new Map(both.map(([priv, propagate]) => [priv, propagate && ofOwner.get(priv) === true]));
  }

  #everything(): Privileges {
    this.#all ??= new Map([...roleBook(this.#facts.major).privileges].map((priv) => [priv, true]));
    return this.#all;
  }

  #fromRoles(subject: string, path: string): Privileges {
    const roles = new Map(this.#rolesOn(subject, path));
    // Pool grants reach their members' own paths, never deeper, and NoAccess wins over them.
    if (!roles.has('NoAccess')) {
      for (const role of this.#poolRoles(subject, path)) if (!roles.has(role)) roles.set(role, false);
      if (roles.has('NoAccess')) return new Map();
    }
    const privileges = new Map<string, boolean>();
    for (const [role, propagate] of roles) {
      for (const priv of this.rolePrivileges(role) ?? []) {
        privileges.set(priv, privileges.get(priv) === true || propagate);
      }
    }
    return privileges;
  }

  #poolRoles(subject: string, path: string): string[] {
    const [, kind, id, ...deeper] = path.split('/');
    if (id === undefined || deeper.length > 0) return [];
    if (kind === 'vms') {
      const pool = this.#world.poolOf(Number(id));
      return pool === undefined ? [] : [...this.#rolesOn(subject, `/pool/${pool}`).keys()];
    }
    if (kind !== 'storage') return [];
    const pools = [...this.#world.pools.values()].filter((pool) => pool.storage.has(id));
    return pools.flatMap((pool) => [...this.#rolesOn(subject, `/pool/${pool.poolid}`).keys()]);
  }

  rolePrivileges(role: string): ReadonlySet<string> | undefined {
    return roleBook(this.#facts.major).builtIn.get(role) ?? this.#world.roles.get(role);
  }

  /** AccessControl.pm roles(): the deepest node that says something about the subject replaces what is above. */
  #rolesOn(subject: string, path: string): ReadonlyMap<string, boolean> {
    let effective: ReadonlyMap<string, boolean> = new Map();
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = 0; depth <= parts.length; depth += 1) {
      const node = this.#world.acl.get(`/${parts.slice(0, depth).join('/')}`);
      const granted = node && this.#grantsAt(node, subject, depth === parts.length);
      if (granted) effective = granted;
    }
    return effective.has('NoAccess')
      ? new Map([['NoAccess', effective.get('NoAccess') === true]])
      : effective;
  }

  #grantsAt(node: AclNode, subject: string, final: boolean): ReadonlyMap<string, boolean> | undefined {
    const applying = (grants: ReadonlyMap<string, boolean> | undefined): [string, boolean][] =>
      [...(grants ?? [])].filter(([, propagate]) => final || propagate);
    for (const direct of [node.token.get(subject), node.user.get(subject)]) {
      const found = applying(direct);
      if (found.length > 0) return new Map(found);
    }
    const groups = this.#world.users.get(subject)?.groups ?? [];
    const viaGroups = groups.flatMap((group) => applying(node.group.get(group)));
    return viaGroups.length > 0 ? new Map(viaGroups) : undefined;
  }

  has(authUser: string, path: string, priv: string): boolean {
    return this.privileges(authUser, path).has(priv);
  }

  hasAny(authUser: string, path: string, privs: readonly string[]): boolean {
    const held = this.privileges(authUser, path);
    return privs.some((priv) => held.has(priv));
  }

  /** Throws 403 naming the first privilege that is missing. */
  need(authUser: string, path: string, ...privs: readonly string[]): void {
    const held = this.privileges(authUser, path);
    const missing = privs.find((priv) => !held.has(priv));
    if (missing !== undefined) throw permError(`${path}, ${missing}`);
  }

  needAny(authUser: string, path: string, privs: readonly string[]): void {
    if (!this.hasAny(authUser, path, privs)) throw permError(`${path}, ${privs.join('|')}`);
  }

  /** 403, not 404, for pools that do not exist (RPCEnvironment.pm check_pool_exist). */
  needPool(poolid: string): void {
    if (!this.#world.pools.has(poolid)) throw permError(`pool '${poolid}' does not exist`);
  }

  /** RPCEnvironment.pm check_perm_modify. */
  needPermissionsModify(authUser: string, path: string): void {
    this.needAny(authUser, path, modifyPrivileges(path));
  }

  mayModifyPermissions(authUser: string, path: string): boolean {
    return this.hasAny(authUser, path, modifyPrivileges(path));
  }

  /** The endpoint's permission, before its parameters have been checked; `raw` may lack any of them. */
  checkEndpoint(permission: Permission, authUser: string, raw: (name: string) => string | undefined): void {
    if (permission === 'all' || permission === 'world') return;
    if (permission === 'root') {
      if (authUser !== rootUser) throw permError();
      return;
    }
    if (authUser === rootUser) return;
    // RPCEnvironment.pm verifies the name before it asks for rights, with a plain die.
    const userid = JSON.stringify(permission).includes('"userid-') ? (raw('userid') ?? '') : undefined;
    const problem = userid === undefined ? undefined : useridProblem(userid);
    if (problem !== undefined) die(problem);
    this.#run(permission, authUser, raw);
  }

  #run(check: PermissionCheck, authUser: string, raw: (name: string) => string | undefined): void {
    const [kind, ...rest] = check;
    if (kind === 'and') {
      for (const part of rest) this.#run(part as PermissionCheck, authUser, raw);
      return;
    }
    if (kind === 'or') {
      const passes = rest.some((part) => passed(() => this.#run(part as PermissionCheck, authUser, raw)));
      if (!passes) throw permError();
      return;
    }
    if (kind === 'perm') this.#runPerm(rest, authUser, raw);
    else if (kind === 'perm-modify') {
      const path = normalizeAclPath(raw('path') ?? '');
      // What is no path is left to the endpoint itself to refuse.
      if (path !== undefined) this.needPermissionsModify(authUser, path);
    } else if (kind === 'userid-param') this.#runUserParam(String(rest[0]), authUser, raw('userid') ?? '');
    else if (kind === 'userid-group') this.#runUserGroup(rest, authUser, raw);
    else throw permError();
  }

  #runPerm(rest: readonly unknown[], authUser: string, raw: (name: string) => string | undefined): void {
    const [template, privs, ...options] = rest as [string, readonly string[], ...unknown[]];
    const at = options.indexOf('require_param');
    if (at >= 0 && raw(String(options[at + 1])) === undefined) throw permError();
    const path = normalizeAclPath(template.replaceAll(/\{([^}]+)\}/g, (_, name: string) => raw(name) ?? ''));
    // A path that cannot be one grants nothing to anybody, and is shown as nothing.
    if (path === undefined)
      throw permError(`, ${options.includes('any') ? privs.join('|') : (privs[0] ?? '')}`);
    if (options.includes('any')) this.needAny(authUser, path, privs);
    else this.need(authUser, path, ...privs);
  }

  #runUserParam(what: string, authUser: string, userid: string): void {
    if (what === 'self') {
      if (userid !== authUser) throw permError();
      return;
    }
    this.need(authUser, `/access/realm/${userid.slice(userid.lastIndexOf('@') + 1)}`, what);
  }

  #runUserGroup(rest: readonly unknown[], authUser: string, raw: (name: string) => string | undefined): void {
    const [privs, ...options] = rest as [readonly string[], ...unknown[]];
    const userid = raw('userid') ?? '';
    const groupsParam = options.includes('groups_param');
    const creating = options.includes('create');
    if (!creating && !this.#world.users.has(userid)) die(`no such user ('${userid}')`);
    if (this.hasAny(authUser, '/access/groups', privs)) return;
    const mine = this.groupsWith(authUser, privs);
    if (groupsParam) {
      const wanted = splitList(raw('groups') ?? '');
      if (wanted.length === 0) throw permError(`/access/groups, ${privs.join('|')}`);
      const missing = wanted.find((group) => !mine.has(group));
      if (missing !== undefined) throw permError(`/access/groups/${missing}, ${privs.join('|')}`);
    }
    if (creating) return;
    const groups = this.#world.users.get(userid)?.groups ?? [];
    if (!groups.some((group) => mine.has(group))) throw permError();
  }

  groupsWith(authUser: string, privs: readonly string[]): ReadonlySet<string> {
    return new Set(
      [...this.#world.groups.keys()].filter((group) =>
        this.hasAny(authUser, `/access/groups/${group}`, privs),
      ),
    );
  }
}

function modifyPrivileges(path: string): string[] {
  if (/^\/storage\/.+$/.test(path)) return ['Permissions.Modify', 'Datastore.Allocate'];
  if (/^\/vms\/.+$/.test(path)) return ['Permissions.Modify', 'VM.Allocate'];
  if (/^\/pool\/.+$/.test(path)) return ['Permissions.Modify', 'Pool.Allocate'];
  return ['Permissions.Modify'];
}

function passed(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

/** AccessControl.pm normalize_path; undefined when it cannot be a path at all. */
export function normalizeAclPath(path: string): string | undefined {
  const normal = `/${path
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;
  return /^[a-zA-Z0-9._\-/]+$/.test(normal) ? normal : undefined;
}
