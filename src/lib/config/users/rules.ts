/** The rules for users that a JSON Schema cannot say, one function each. They report and never change anything. */
import { nameIn, parseUserId, realmIn, ROOT, tokenIn } from '../../pve-values/userid.ts';
import { printable, type Issues, type Path } from '../input/issues.ts';
import { judgePool, parseDate, RESERVED_POOLS } from '../input/names.ts';
import { isPlain, pveTexts } from '../input/pve-text.ts';
import { isMapping, list, mapping, text } from '../input/written.ts';
import { LegalUserids } from './legal-userid.ts';

/** One user as written; `idPath` is the place of the userid. */
export interface UserView {
  readonly path: Path;
  readonly idPath: Path;
  readonly userid: string;
  readonly pool: string | undefined;
  readonly raw: Readonly<Record<string, unknown>>;
}

export function viewUsers(value: unknown): readonly UserView[] {
  return list(mapping(value)['users']).flatMap((entry, index): UserView[] => {
    const path = ['users', index];
    if (typeof entry === 'string') return [{ path, idPath: path, userid: entry, pool: undefined, raw: {} }];
    const userid = text(mapping(entry)['userid']);
    if (!isMapping(entry) || userid === undefined) return [];
    return [{ path, idPath: [...path, 'userid'], userid, pool: text(entry['pool']), raw: entry }];
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

function useridsAreLegal(users: readonly UserView[], issues: Issues): void {
  const legal = new LegalUserids(users.flatMap(({ userid, pool }) => [nameIn(userid), pool ?? '']));
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
    } else if (/[,;]/.test(userid)) {
      // ACLs take lists: `a,b@pve` can never be granted anything, and `x@pve,y@pve` grants to both.
      issues.add(idPath, 'PVE takes "," and ";" in a userid for the end of it when rights are given', {
        value: userid,
        hint: `write ${userid.replaceAll(/[,;]+/g, '.')}, or list the users one by one`,
      });
    } else if (!parseUserId(userid)) {
      const [message, hint] = whyIllegal(userid);
      issues.add(idPath, message, { value: userid, hint });
    }
  }
}

function missingRealm(name: string): string {
  return isPlain(name) ? `${name.trim().slice(0, 40)}@pve` : new LegalUserids([]).for(name, 'pve');
}

function whyIllegal(userid: string): readonly [message: string, hint: string] {
  const at = userid.lastIndexOf('@');
  if (at < 0) return ['the realm is missing: a user is name@realm', `write ${missingRealm(userid)}`];
  if (at === 0) return ['the name before the @ is missing', 'write name@realm'];
  if (userid.length > 64) return ['PVE refuses userids of more than 64 characters', 'choose a shorter name'];
  if (/[\s:/]/.test(userid)) return ['PVE refuses spaces, ":" and "/" in a userid', 'remove them'];
  if (tokenIn(userid) !== undefined)
    return ['this is an API token, not a user', 'write the part before the "!"'];
  return [
    'the realm behind the @ is none: a letter, then letters, digits and . _ -',
    'realms are pve, pam, or a directory of the cluster',
  ];
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

/** The seeds' rule: the part before the last `@`. */
export function poolOf(userid: string, pool: string | undefined): string | undefined {
  return pool ?? parseUserId(userid)?.name;
}

function poolPath(user: UserView): Path {
  return user.pool === undefined ? user.idPath : [...user.path, 'pool'];
}

function poolsAreLegal(users: readonly UserView[], issues: Issues): void {
  const notOn9: Odd[] = [];
  for (const user of users) {
    const pool = poolOf(user.userid, user.pool);
    if (pool === undefined || pool === '') continue;
    // The userid that is proposed brings its own pool.
    if (user.pool === undefined && notPlain(user.userid)) continue;
    const path = poolPath(user);
    const add = (message: string, hint: string): void => issues.add(path, message, { value: pool, hint });
    const elsewhere = `give the user a pool: { userid: ${JSON.stringify(user.userid)}, pool: … }`;
    if (RESERVED_POOLS.includes(pool)) {
      add(`the pool name ${pool} is used by deploy-stand itself`, elsewhere);
      continue;
    }
    const verdict = judgePool(pool);
    if (verdict === 'illegal') {
      const hint = user.pool === undefined ? elsewhere : 'use letters, digits and . _ -';
      add(
        `PVE refuses the pool name ${JSON.stringify(pool)}: only Latin letters, digits and . _ - are allowed`,
        hint,
      );
    } else if (verdict === 'nested') {
      // Whoever has a right on the parent pool has it here too.
      const hint = `write it without "/", e.g. ${pool.replaceAll('/', '-')}`;
      add("a stand has a pool of its own, and a pool below another one is the other one's as well", hint);
    } else if (verdict === 'not-on-9') notOn9.push({ path, name: pool });
  }
  const hint = 'give these users a pool: that does';
  warnOnce(notOn9, issues, 'PVE 9 refuses a pool name that does not start with a letter', hint);
}

function poolsAreDistinct(users: readonly UserView[], issues: Issues): void {
  const owners = new Map<string, UserView>();
  for (const user of users) {
    const pool = poolOf(user.userid, user.pool);
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
    const hint = 'write YYYY-MM-DD, or 0 for never';
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
  emailsAreKept,
  expireIsADate,
];
