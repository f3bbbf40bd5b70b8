/** Text of users.yml or a CSV roster → User[]: validates and normalises, with all problems at once. Touches no file. */
import { expireAfterDay } from '../../pve-values/expire.ts';
import { parseUserId } from '../../pve-values/userid.ts';
import { extname } from 'node:path';
import type { ConfigIssue } from '../../errors.ts';
import type { Collected } from '../input/collect.ts';
import { digestOf } from '../input/file-digest.ts';
import { Issues, type Source } from '../input/issues.ts';
import { parseDate } from '../input/dates.ts';
import { readYaml } from '../input/read-yaml.ts';
import { readRoster } from './roster-csv.ts';
import { checkSchema, textKeysOf } from '../input/schema.ts';
import type { Place, User } from '../types.ts';
import { useridRules, usersRules, viewUsers } from './rules.ts';
import { compact } from '../../compact.ts';
import { isMapping } from '../input/written.ts';

interface WrittenUser {
  userid: string;
  email?: string;
  lms_id?: string;
  first_name?: string;
  last_name?: string;
  groups?: string[];
  expire?: number | string;
  pool?: string;
}

function expireOf(written: number | string | undefined): number | undefined {
  if (typeof written !== 'string') return written;
  const start = parseDate(written);
  return start === undefined ? undefined : expireAfterDay(start);
}

function toUser(entry: string | WrittenUser, pool: string | undefined, place: Place): User {
  const written = typeof entry === 'string' ? { userid: entry } : entry;
  const { userid } = written;
  return compact({
    userid,
    realm: parseUserId(userid)?.realm ?? '',
    pool: pool ?? '',
    email: written.email,
    lmsId: written.lms_id,
    firstName: written.first_name,
    lastName: written.last_name,
    groups: [...new Set(written.groups ?? [])],
    expire: expireOf(written.expire),
    place,
  });
}

export interface UsersOptions {
  /** What pools are called that no user names: `access.pool` of the lab. */
  readonly poolPattern?: string | undefined;
}

/** Extensions lie less often than content, but a bare list of names could be either. */
function isRoster(content: string, file: string): boolean {
  const extension = extname(file).toLowerCase();
  if (['.csv', '.tsv'].includes(extension)) return true;
  if (['.yml', '.yaml', '.json'].includes(extension)) return false;
  return !/^\s*(-\s|---|\[|\{|[\w"']+\s*:(\s|$))/m.test(content);
}

function checkKind(value: unknown): Omit<ConfigIssue, 'file'> | undefined {
  if (!isMapping(value)) {
    const hint = 'write "users:" and below it one "- name@realm" per line';
    return { path: '', message: 'this is no list of users', hint };
  }
  if (value['users'] === undefined && value['machines'] !== undefined) {
    const hint = 'give it with -c, and the users with -u';
    return {
      path: '',
      message: 'this is a lab, not a users file (it has "machines:" and no "users:")',
      hint,
    };
  }
  return undefined;
}

function read(content: string, file: string): Source & { value: unknown; warnings: readonly string[] } {
  if (isRoster(content, file)) return readRoster(content, file);
  return { ...readYaml(content, file, { textKeys: textKeysOf('users'), wrapListAs: 'users' }), warnings: [] };
}

/** Reads users from text, with all their problems instead of an exception. The file's extension says YAML or CSV. */
export function readUsers(
  content: string,
  file: string,
  { poolPattern }: UsersOptions = {},
): Collected<readonly User[]> {
  return check(read(content, file), file, usersRules, poolPattern);
}

/** Users that are on the cluster already, named one by one: their pools are what they are there. */
export function readUserIds(userids: readonly string[], option: string): Collected<readonly User[]> {
  const text = JSON.stringify({ users: [...new Set(userids)] });
  const source = readYaml(text, option, { textKeys: textKeysOf('users') });
  return check({ ...source, warnings: [] }, option, useridRules);
}

function check(
  source: ReturnType<typeof read>,
  file: string,
  rules: typeof usersRules,
  poolPattern?: string,
): Collected<readonly User[]> {
  const wrongKind = checkKind(source.value);
  if (wrongKind) return { errors: [{ file, ...source.locate([], 'value'), ...wrongKind }], warnings: [] };

  const issues = new Issues(source, () => false);
  const views = viewUsers(source.value, poolPattern);
  for (const rule of rules) rule(views, issues);
  checkSchema('users', source.value, issues);

  const { errors } = issues;
  const warnings = [...source.warnings, ...issues.warnings];
  if (errors.length > 0) return { errors, warnings };
  const { users } = source.value as { users: (string | WrittenUser)[] }; // the schema has just said so
  const placed = users.map((user, at) => {
    const { idPath = [], poolName } = views[at] ?? {};
    return toUser(user, poolName, { file, line: issues.line(idPath) });
  });
  return { value: placed, digest: digestOf(source.value), errors, warnings };
}
