/**
 * Which pools somebody else may write. Whoever has Pool.Allocate on a pool, or passed down from a parent pool, writes its
 * comment (PVE/API2/Pool.pm), whoever has Permissions.Modify there gives it to himself, and everybody may copy ours: the
 * comment of such a pool proves nothing, for no command. PVE keeps rights on pools that do not exist (yet, or any more), so
 * that this is asked of names. What the caller does not see counts as somebody's right: PVE leaves it out of its lists
 * without a word. Must not know what marks say.
 */
import { addTo, groupBy } from '../group.ts';
import { poolsAbove } from '../pve-values/pool-name.ts';
import { ROOT, userIn } from '../pve-values/userid.ts';
import { delegatedWayOut, mayBeWritten, sayFirst } from './delegated-words.ts';
import { privilegesOn } from './rights.ts';
import type { AclEntry, Gap, PoolInfo, PoolRight, PoolWriter, Rights, UserInfo } from './types.ts';

/** Whose writing counts as ours: `user@realm`, `user@realm!token`, `@group`. */
export interface Trust {
  /** Whose login it is; undefined where nobody said. */
  readonly caller: string | undefined;
  /** The other accounts that run deploy-stand, or that administer its pools. */
  readonly operators: readonly string[];
}

export interface Lists {
  readonly acls: readonly AclEntry[];
  /** Role → its privileges; a role that is not there is taken to hold everything. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  readonly users: readonly Pick<UserInfo, 'userid' | 'groups'>[];
  /** Pools that the caller sees. */
  readonly pools: readonly Pick<PoolInfo, 'pool'>[];
  /** What the caller may do, which says what these lists leave out. */
  readonly rights: Rights;
}

const WRITES_POOLS = ['Pool.Allocate', 'Permissions.Modify'];
/** Makes a VM in a pool, names it, or turns it into a template (`PUT config template=1` takes VM.Config.Options alone). */
const WRITES_MEMBERS = [...WRITES_POOLS, 'VM.Allocate', 'VM.Config.Options'];

function membersOf(users: Lists['users']): Map<string, string[]> {
  const members = new Map<string, string[]>();
  for (const { userid, groups } of users) {
    for (const group of groups) addTo(members, group, userid);
  }
  return members;
}

export function holds(rights: Rights, path: string, privileges: readonly string[]): boolean {
  const held = privilegesOn(rights, path);
  return privileges.some((privilege) => held[privilege] !== undefined);
}

/** Are all members of the group in the list of users (PVE/API2/User.pm, `index`)? */
function seesMembers(rights: Rights, group: string): boolean {
  const paths = ['/access/groups', `/access/groups/${group}`];
  return paths.some((path) => holds(rights, path, ['User.Modify', 'Sys.Audit']));
}

/** A group is trusted by name, or when each of its members is, and all of them are in sight. */
export function judgeOf(
  { caller, operators }: Trust,
  { users, rights }: Pick<Lists, 'users' | 'rights'>,
): (entry: AclEntry) => boolean {
  const trusted = new Set([ROOT, ...operators, ...(caller === undefined ? [] : [caller, userIn(caller)])]);
  const members = membersOf(users);
  return ({ type, subject }) => {
    if (type === 'user') return trusted.has(subject);
    if (type === 'token') return trusted.has(subject) || trusted.has(userIn(subject));
    const inGroup = members.get(subject) ?? [];
    if (trusted.has(`@${subject}`)) return true;
    const isSeen = inGroup.length > 0 && seesMembers(rights, subject);
    return isSeen && inGroup.every((user) => trusted.has(user));
  };
}

/** `/pool/a/b` is below `/pool/a`. */
function pathsOf(pool: string): readonly string[] {
  return [...poolsAbove(pool), pool].map((name) => `/pool/${name}`);
}

export function say({ type, subject, role, path }: AclEntry): string {
  return `${type === 'group' ? '@' : ''}${subject} has ${role} on ${path}`;
}

type DelegatedGap = Extract<Gap, { readonly pools: unknown }>;

/** What comes of it. */
const SO: Readonly<Record<DelegatedGap['kind'], string>> = {
  'stands-delegated': 'so the marks there are not believed',
  'copies-delegated': 'so the copies of templates there are passed over, neither cloned nor removed',
};

/**
 * What is told of pools that are not believed, of those that concern us: `written` as they are on the cluster.
 */
export function delegatedGaps(
  written: readonly PoolInfo[],
  pools: readonly PoolInfo[],
  concerns: (pool: PoolInfo) => boolean,
  kind: DelegatedGap['kind'],
): DelegatedGap[] {
  const ours = new Set(written.filter(concerns).map(({ pool }) => pool));
  const told = pools.filter(({ pool, delegated }) => delegated !== undefined && ours.has(pool));
  return [true, false].flatMap((isUnseen) => {
    const some = told.filter(({ delegated }) => (delegated?.unseen ?? false) === isUnseen);
    const [first] = some;
    if (!first?.delegated) return [];
    const names = some.map(({ pool }) => pool);
    const writer = first.delegated;
    const list = `${some.length === 1 ? 'pool' : 'pools'} ${sayFirst(names)}`;
    const text = `${list} ${mayBeWritten(writer)}, ${SO[kind]}: ${writer.says}; ${delegatedWayOut(writer)}`;
    return [{ kind, pools: names, writer, text }];
  });
}

export interface Writers {
  /** Who else may write which pools. */
  readonly poolWriters: readonly (PoolRight | PoolWriter)[];
  /** Who else may make and name the members of which pools, or write those. */
  readonly memberWriters: readonly PoolWriter[];
}

/**
 * Both from one look at groups and unseen pools. ACLs on `/` and `/pool` are not looked at: whoever has them administers every
 * pool.
 */
export function findWriters(lists: Lists, trust: Trust): Writers {
  const { acls, roles } = lists;
  const isTrusted = judgeOf(trust, lists);
  const foreign = acls.filter((entry) => entry.path.startsWith('/pool/') && !isTrusted(entry));
  const unseen = unseenWriters(lists);
  const holdersOf = (privileges: readonly string[]): (PoolRight | PoolWriter)[] => {
    const holds = (role: string): boolean =>
      roles[role]?.some((privilege) => privileges.includes(privilege)) ?? true;
    const seen = foreign.filter(({ role }) => holds(role));
    return [...seen.map((entry): PoolRight => ({ ...entry, says: say(entry) })), ...unseen];
  };
  return { poolWriters: holdersOf(WRITES_POOLS), memberWriters: holdersOf(WRITES_MEMBERS) };
}

/**
 * Whose rights the caller is not told of (PVE/API2/ACL.pm, `read_acl`; RPCEnvironment.pm, `check_perm_modify`). A pool above
 * one that it sees and that is not in sight itself tells it nothing either, whatever its other rights are.
 */
function unseenWriters({ pools, rights }: Lists): PoolWriter[] {
  if (holds(rights, '/access', ['Sys.Audit'])) return [];
  const listed = new Set(pools.map(({ pool }) => `/pool/${pool}`));
  const paths = new Set(pools.flatMap(({ pool }) => pathsOf(pool)));
  return [...paths]
    .filter((path) => !listed.has(path) || !holds(rights, path, WRITES_POOLS))
    .map((path) => ({
      ...{ path, propagate: true, unseen: true },
      says: `who has rights on ${path} is not shown to the caller`,
    }));
}

/** Asked of a pool's name, whether the pool exists or not: who else may write it; undefined: nobody. */
export type DelegatedBy = (pool: string) => PoolWriter | undefined;

export function delegatedBy(writers: readonly PoolWriter[]): DelegatedBy {
  const byPath = groupBy(writers, ({ path }) => path);
  return (pool) =>
    together(
      pathsOf(pool)
        .flatMap((path) => byPath.get(path) ?? [])
        .filter(({ path, propagate }) => path === `/pool/${pool}` || propagate),
    );
}

/** Taking one right away changes nothing while another is left, and who has one gives it to others: all are said. */
function together(writers: readonly PoolWriter[]): PoolWriter | undefined {
  const [first] = writers;
  const seen = writers.filter(({ unseen }) => !unseen);
  if (!first || first.unseen || seen.length === 1) return first;
  return { ...first, says: sayFirst(seen.map(({ says }) => says)) };
}

/** The pools, with what tells of those that somebody else may write. */
export function tellDelegated(pools: readonly PoolInfo[], writers: readonly PoolWriter[]): PoolInfo[] {
  const ask = delegatedBy(writers);
  return pools.map((info) => {
    const delegated = ask(info.pool);
    // What stands there is noise: it is not passed on, so that nobody can believe it.
    return delegated === undefined ? info : { pool: info.pool, comment: '', delegated };
  });
}
