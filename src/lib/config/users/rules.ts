/** The rules for users that a JSON Schema cannot say, one function each. They report and never change anything. */
import anyAscii from 'any-ascii';
import { isLetterFirst, legalPoolName, poolNameProblem, poolsAbove } from '../../pve-values/pool-name.ts';
import {
  looksLikeAddress,
  nameIn,
  parseUserId,
  realmIn,
  ROOT,
  tokenIn,
  userIn,
} from '../../pve-values/userid.ts';
import { printable, type Issues, type Path } from '../input/issues.ts';
import { isoDay, parseDate } from '../input/dates.ts';
import { RESERVED_POOLS } from '../input/names.ts';
import { isPlain, pveTexts } from '../input/pve-text.ts';
import { isMapping, list, mapping, text } from '../input/written.ts';
import { LegalUserids } from './legal-userid.ts';

/** Stands for the part of the userid before the last `@`, which is the seeds' rule by itself. */
export const USER = '{user}';

/** One user as written; `idPath` is the place of the userid. */
export interface UserView {
  readonly path: Path;
  readonly idPath: Path;
  readonly userid: string;
  /** As written. */
  readonly pool: string | undefined;
  /** What the pool is called then; undefined: the userid tells none. */
  readonly poolName: string | undefined;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** `pattern`: what pools are called that the file does not name; see lab/pool-pattern.ts. */
export function viewUsers(value: unknown, pattern: string = USER): readonly UserView[] {
  const poolOf = (userid: string): string | undefined => {
    const name = parseUserId(userid)?.name;
    return name === undefined ? undefined : pattern.replaceAll(USER, () => name);
  };
  return list(mapping(value)['users']).flatMap((entry, index): UserView[] => {
    const path = ['users', index];
    if (typeof entry === 'string')
      return [{ path, idPath: path, userid: entry, pool: undefined, poolName: poolOf(entry), raw: {} }];
    const userid = text(mapping(entry)['userid']);
    if (!isMapping(entry) || userid === undefined) return [];
    const pool = text(entry['pool']);
    return [
      { path, idPath: [...path, 'userid'], userid, pool, poolName: pool ?? poolOf(userid), raw: entry },
    ];
  });
}

interface Odd {
  readonly path: Path;
  readonly name: string;
}

/** One warning for all: a class of 500 student numbers must not print 500 lines. */
function warnOnce(odd: readonly Odd[], issues: Issues, message: string, hint?: string): void {
  const [first, ...others] = odd;
  if (!first) return;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  issues.warn(first.path, `${message}: ${printable(first.name)}${more}`, { hint });
}

/** The parts of a userid of a legal realm whose name PVE cannot keep. */
function notPlain(userid: string): { readonly name: string; readonly realm: string } | undefined {
  const name = nameIn(userid);
  return name !== '' && !isPlain(name) && parseUserId(`x@${realmIn(userid)}`)
    ? { name, realm: realmIn(userid) }
    : undefined;
}

/** ACLs take lists: `a,b@pve` can never be granted anything, and `x@pve,y@pve` grants to both. */
const LISTS = /[,;]/;

/** Those whose pool can be judged: what is proposed for an illegal userid brings a pool of its own. */
function withPools(users: readonly UserView[]): UserView[] {
  const isSound = (userid: string): boolean =>
    parseUserId(userid) !== undefined && !notPlain(userid) && !LISTS.test(userid) && userid !== ROOT;
  return users.filter(({ pool, poolName, userid }) => poolName && (pool !== undefined || isSound(userid)));
}

function useridsAreLegal(users: readonly UserView[], issues: Issues): void {
  const staying = users.filter(({ userid }) => parseUserId(userid) && !looksLikeAddress(userid));
  const legal = new LegalUserids([
    ...staying.map(({ userid }) => nameIn(userid)),
    ...users.flatMap(({ pool }) => pool ?? []),
  ]);
  const noRealm: Odd[] = [];
  const addresses: Odd[] = [];
  for (const { idPath, userid } of users) {
    if (userid === '') continue;
    const odd = notPlain(userid);
    // Whoever else must not be named depends on the login, and is told by the plan.
    if (userid === ROOT) {
      const message = `${ROOT} is the administrator of the cluster, not a student`;
      issues.add(idPath, message, {
        value: userid,
        hint: 'name somebody else; a stand for trying out needs a user of its own',
      });
    } else if (odd) {
      // user.cfg is spoiled a little more with every write of anybody, and PVE cannot even say what is wrong.
      issues.add(idPath, 'a userid that is not plain ASCII spoils user.cfg, and PVE stops answering', {
        value: userid,
        hint: `write ${legal.for(odd.name, odd.realm)}`,
      });
    } else if (LISTS.test(userid)) {
      issues.add(idPath, 'PVE takes "," and ";" in a userid for the end of it when rights are given', {
        value: userid,
        hint: `write ${legal.for(nameIn(userid), realmIn(userid))}, or list the users one by one`,
      });
    } else if (!userid.includes('@')) noRealm.push({ path: idPath, name: userid });
    else if (!parseUserId(userid)) {
      const [message, hint] = whyIllegal(userid, legal, issues.isTable);
      issues.add(idPath, message, { value: userid, hint });
    } else if (looksLikeAddress(userid)) addresses.push({ path: idPath, name: userid });
  }
  realmsAreGiven(noRealm, legal, issues);
  const [address] = addresses;
  if (address === undefined) return;
  const message = 'PVE takes what is behind the @ of an e-mail address for the realm';
  warnOnce(
    addresses,
    issues,
    message,
    `unless the realm is called so, write ${accountOf(address.name, legal, issues.isTable)}`,
  );
}

/** Of a class from a learning platform none has one: said once. */
function realmsAreGiven(noRealm: readonly Odd[], legal: LegalUserids, issues: Issues): void {
  const [first, ...others] = noRealm;
  if (!first) return;
  const count = others.length;
  const more = count === 0 ? '' : ` (${count} more ${count === 1 ? 'has' : 'have'} none)`;
  const asItIs = `${first.name.trim()}@pve`;
  const column = issues.isTable
    ? ', or add a column "realm" to the roster with pve, or the directory, in each row (users import reads exports of learning platforms)'
    : '';
  issues.add(first.path, `the realm is missing: a user is name@realm${more}`, {
    value: first.name,
    // A number stays a number: it may be what the directory knows a student by.
    hint: `write ${parseUserId(asItIs) && isPlain(asItIs) ? asItIs : legal.for(first.name.trim(), 'pve')}${column}`,
  });
}

/** The user that whoever wrote an address means. */
function accountOf(address: string, legal: LegalUserids, isTable: boolean): string {
  const userid = legal.for(nameIn(address), 'pve');
  return isTable
    ? `${userid}, and ${address} in a column "email"`
    : `{ userid: ${userid}, email: ${address} }`;
}

function whyIllegal(
  userid: string,
  legal: LegalUserids,
  isTable: boolean,
): readonly [message: string, hint: string] {
  const [name, realm] = [nameIn(userid), realmIn(userid)];
  const isRealm = parseUserId(`x@${realm}`) !== undefined;
  const proposal = `write ${legal.for(name, isRealm ? realm : 'pve')}`;
  if (name === '') return ['the name before the @ is missing', 'write name@realm'];
  if (tokenIn(userid) !== undefined) return ['this is an API token, not a user', `write ${userIn(userid)}`];
  if (looksLikeAddress(userid)) {
    const message = 'this is an e-mail address: PVE takes what is behind the @ for the realm';
    return [message, `write ${accountOf(userid, legal, isTable)}`];
  }
  if (/[\s:/]/.test(name)) return ['PVE refuses spaces, ":" and "/" in a userid', proposal];
  if (isRealm) return ['PVE refuses userids of more than 64 characters', proposal];
  const message = 'the realm behind the @ is none: a letter, then letters, digits and . _ -';
  return [message, `realms are pve, pam, or a directory of the cluster: ${proposal}`];
}

function usersAreUnique(users: readonly UserView[], issues: Issues): void {
  const seen = new Map<string, UserView>();
  for (const user of users) {
    const first = seen.get(user.userid);
    if (!first) {
      seen.set(user.userid, user);
      continue;
    }
    const message = `the user is listed twice (first on line ${issues.line(first.idPath)})`;
    issues.add(user.idPath, message, { value: user.userid, hint: 'remove one of them' });
  }
}

function poolPath(user: UserView): Path {
  return user.pool === undefined ? user.idPath : [...user.path, 'pool'];
}

function poolsAreLegal(users: readonly UserView[], issues: Issues): void {
  const notOn9: Odd[] = [];
  for (const user of withPools(users)) {
    const pool = user.poolName ?? '';
    const path = poolPath(user);
    const add = (message: string, hint: string): void => issues.add(path, message, { value: pool, hint });
    const own = (name: string): string =>
      `give the user a pool: { userid: ${JSON.stringify(user.userid)}, pool: ${name} }`;
    if (RESERVED_POOLS.includes(pool)) {
      add(`the pool name ${pool} is used by deploy-stand itself`, own(`${pool}-2`));
      continue;
    }
    const problem = poolNameProblem(pool);
    if (problem === undefined) {
      if (!isLetterFirst(pool)) notOn9.push({ path, name: pool });
      continue;
    }
    const message =
      problem === 'deep'
        ? `PVE has no pools below more than two others: ${JSON.stringify(pool)}`
        : `PVE refuses the pool name ${JSON.stringify(pool)}: only Latin letters, digits and . _ - are allowed, and "/" between pools`;
    const better = legalPoolName(anyAscii(pool));
    add(message, user.pool === undefined ? own(better) : `write pool: ${better}`);
  }
  const hint = 'give these users a pool: that does';
  warnOnce(notOn9, issues, 'PVE 9 refuses a pool name that does not start with a letter', hint);
}

/** Rights on a pool reach those below it, so that a stand below another one's pool would be the other one's as well. */
function poolsAreApart(users: readonly UserView[], issues: Issues): void {
  const judged = withPools(users);
  const owners = new Map(judged.map((user) => [user.poolName, user]));
  for (const user of judged) {
    const pool = user.poolName;
    const above = pool === undefined ? undefined : poolsAbove(pool).find((name) => owners.has(name));
    const owner = owners.get(above);
    if (pool === undefined || poolNameProblem(pool) !== undefined) continue;
    if (above === undefined || !owner || owner.userid === user.userid) continue;
    const message = `pool "${pool}" is below pool "${above}", that of ${owner.userid} (line ${issues.line(owner.idPath)}), whose rights reach it`;
    const hint = `write pool: ${legalPoolName(pool.replaceAll('/', '-'))}`;
    issues.add(poolPath(user), message, { value: user.userid, hint });
  }
}

function poolsAreDistinct(users: readonly UserView[], issues: Issues): void {
  const owners = new Map<string, UserView>();
  for (const user of withPools(users)) {
    const pool = user.poolName;
    if (pool === undefined) continue;
    const owner = owners.get(pool);
    if (!owner) {
      owners.set(pool, user);
    } else if (owner.userid !== user.userid) {
      const message = `pool "${pool}" is that of ${owner.userid} already (line ${issues.line(owner.idPath)})`;
      const hint = `give one of them a pool: { userid: ${JSON.stringify(user.userid)}, pool: ${pool}-2 }`;
      issues.add(poolPath(user), message, { value: user.userid, hint });
    }
  }
}

function emailsAreKept(users: readonly UserView[], issues: Issues): void {
  for (const { path, raw } of users) {
    const value = text(raw['email']);
    const problem = value === undefined ? undefined : pveTexts.email(value);
    if (problem) issues.add([...path, 'email'], problem.message, { value, hint: problem.hint });
  }
}

function expireIsADate(users: readonly UserView[], issues: Issues): void {
  for (const { path, raw } of users) {
    const value = text(raw['expire']);
    if (value === undefined || parseDate(value) !== undefined) continue;
    const hint = `write ${isoDay(value) ?? 'YYYY-MM-DD'}, or 0 for never`;
    issues.add([...path, 'expire'], 'is no date', { value, hint });
  }
}

type Rule = (users: readonly UserView[], issues: Issues) => void;

/** Of users that are only named: what else there is of them is on the cluster. */
export const useridRules: readonly Rule[] = [useridsAreLegal];

export const usersRules: readonly Rule[] = [
  ...useridRules,
  usersAreUnique,
  poolsAreLegal,
  poolsAreDistinct,
  poolsAreApart,
  emailsAreKept,
  expireIsADate,
];
