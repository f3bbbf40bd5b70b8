/**
 * Which pools somebody else may write. Whoever has Pool.Allocate on a pool, or passed down from a parent pool, writes its
 * comment (PVE/API2/Pool.pm), whoever has Permissions.Modify there gives it to himself, and everybody may copy ours: the
 * comment of such a pool proves nothing, for no command. PVE keeps rights on pools that do not exist (yet, or any more), so
 * that this is asked of names. Must not know what marks say.
 */
import { ROOT, userIn } from '../pve-values/userid.ts';
import type { AclEntry, PoolInfo, PoolRight, PoolWriter, UserInfo } from './types.ts';

/** Whose writing counts as ours: `user@realm`, `user@realm!token`, `@group`. */
export interface Trust {
  /** Whose login it is; undefined where nobody said. */
  readonly caller: string | undefined;
  /** The other accounts that run deploy-stand, or that administer its pools. */
  readonly operators: readonly string[];
}

interface Lists {
  readonly acls: readonly AclEntry[];
  /** Role → its privileges; a role that is not there is taken to hold everything. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  readonly users: readonly Pick<UserInfo, 'userid' | 'groups'>[];
}

const WRITES_POOLS = ['Pool.Allocate', 'Permissions.Modify'];
/** Makes a VM in a pool, names it, or turns it into a template (`PUT config template=1` takes VM.Config.Options alone). */
const WRITES_MEMBERS = [...WRITES_POOLS, 'VM.Allocate', 'VM.Config.Options'];

function addTo<T>(lists: Map<string, T[]>, key: string, entry: T): void {
  const list = lists.get(key);
  if (list) list.push(entry);
  else lists.set(key, [entry]);
}

function membersOf(users: Lists['users']): Map<string, string[]> {
  const members = new Map<string, string[]>();
  for (const { userid, groups } of users) {
    for (const group of groups) addTo(members, group, userid);
  }
  return members;
}

/** A group is trusted by name, or when each of its members is. */
function judgeOf({ caller, operators }: Trust, users: Lists['users']): (entry: AclEntry) => boolean {
  const trusted = new Set([ROOT, ...operators, ...(caller === undefined ? [] : [caller, userIn(caller)])]);
  const members = membersOf(users);
  return ({ type, subject }) => {
    if (type === 'user') return trusted.has(subject);
    if (type === 'token') return trusted.has(subject) || trusted.has(userIn(subject));
    const inGroup = members.get(subject) ?? [];
    return trusted.has(`@${subject}`) || (inGroup.length > 0 && inGroup.every((user) => trusted.has(user)));
  };
}

/** `/pool/a/b` is below `/pool/a`. */
function pathsOf(pool: string): readonly string[] {
  const parts = pool.split('/');
  return parts.map((_, index) => `/pool/${parts.slice(0, index + 1).join('/')}`);
}

function say({ type, subject, role, path }: AclEntry): string {
  return `${type === 'group' ? '@' : ''}${subject} has ${role} on ${path}`;
}

export const OR_OPERATOR =
  'or name the account in `operators:` of the connections file if it runs deploy-stand too';

/** What was written into the comment while somebody else could is believed as soon as nobody else can any more. */
export const DELEGATED_WAY_OUT = `take that right away and then look at the comment of the pool, which may have been changed meanwhile (its \`lab=\` lines are believed again: take out what is not ours), ${OR_OPERATOR}`;

/** What is told of pools whose marks are not believed; those without a mark of ours are nobody's concern. */
export function delegatedGaps(
  written: readonly PoolInfo[],
  pools: readonly PoolInfo[],
  isMarked: (comment: string) => boolean,
): string[] {
  const marked = new Set(written.filter(({ comment }) => isMarked(comment)).map(({ pool }) => pool));
  const told = pools.filter(({ pool, delegated }) => delegated !== undefined && marked.has(pool));
  const [first] = told;
  if (!first) return [];
  const names = told.slice(0, 5).map(({ pool }) => pool);
  const more = told.length > names.length ? ` and ${told.length - names.length} more` : '';
  const list = `${told.length === 1 ? 'pool' : 'pools'} ${names.join(', ')}${more}`;
  return [
    `${list} can be written by somebody else, so the marks there are not believed: ${first.delegated ?? ''}; ${DELEGATED_WAY_OUT}`,
  ];
}

/**
 * Who else has one of these on which pools. ACLs on `/` and `/pool` are not looked at: whoever has them administers every
 * pool.
 */
function holdersOf(privileges: readonly string[], { acls, roles, users }: Lists, trust: Trust): PoolRight[] {
  const isTrusted = judgeOf(trust, users);
  const writes = (role: string): boolean =>
    roles[role]?.some((privilege) => privileges.includes(privilege)) ?? true;
  return acls
    .filter((entry) => entry.path.startsWith('/pool/') && writes(entry.role) && !isTrusted(entry))
    .map((entry) => {
      return { ...entry, says: say(entry) };
    });
}

/** Who else may write which pools. */
export function poolWriters(lists: Lists, trust: Trust): PoolRight[] {
  return holdersOf(WRITES_POOLS, lists, trust);
}

/** Who else may make and name the members of which pools, or write those. */
export function memberWriters(lists: Lists, trust: Trust): PoolWriter[] {
  return holdersOf(WRITES_MEMBERS, lists, trust);
}

/** Asked of a pool's name, whether the pool exists or not: who else may write it, in words; undefined: nobody. */
export type DelegatedBy = (pool: string) => string | undefined;

export function delegatedBy(writers: readonly PoolWriter[]): DelegatedBy {
  const byPath = new Map<string, PoolWriter[]>();
  for (const writer of writers) addTo(byPath, writer.path, writer);
  return (pool) =>
    pathsOf(pool)
      .flatMap((path) => byPath.get(path) ?? [])
      .find(({ path, propagate }) => path === `/pool/${pool}` || propagate)?.says;
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
