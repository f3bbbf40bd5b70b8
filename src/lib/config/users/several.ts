/** Several users files → one class: each user once, each pool once, every message with its file and line. Reads none. */
import type { ConfigIssue } from '../../errors.ts';
import { addTo } from '../../group.ts';
import type { Collected } from '../input/collect.ts';
import { digestOf } from '../input/file-digest.ts';
import type { Place, User } from '../types.ts';

export interface UsersFile {
  readonly file: string;
  readonly read: Collected<readonly User[]>;
}

const shown = (place: Place | undefined): string => (place ? `${place.file}:${place.line}` : 'another file');

function poolIsTaken(user: User, owner: User): ConfigIssue {
  const { file = '', line } = user.place ?? {};
  return {
    file,
    ...(line === undefined ? {} : { line }),
    path: '',
    message: `pool "${user.pool}" is that of ${owner.userid} already (${shown(owner.place)})`,
    value: user.userid,
    hint: `give one of them a pool: { userid: ${JSON.stringify(user.userid)}, pool: ${user.pool}-2 }`,
  };
}

/** One line for two files that overlap, however many users both name. */
function twiceWarnings(twice: ReadonlyMap<string, readonly [User, User][]>): string[] {
  return [...twice.values()].flatMap(([first, ...more]) => {
    if (!first) return [];
    const [again, counts] = first;
    const others = more.length === 0 ? '' : `; so ${more.length === 1 ? 'is' : 'are'} ${more.length} more`;
    return [
      `${shown(again.place)}: ${again.userid} is in ${shown(counts.place)} already, which counts${others}`,
    ];
  });
}

/** The digest of one file is that of the class. */
function digestOfAll(files: readonly UsersFile[]): string | undefined {
  const digests = files.map(({ read }) => read.digest);
  return digests.length === 1 ? digests[0] : digestOf(digests);
}

/** A user of several files is taken as the first says. */
export function mergeUsers(files: readonly UsersFile[]): Collected<readonly User[]> {
  const errors = files.flatMap(({ read }) => read.errors);
  const warnings = files.flatMap(({ read }) => read.warnings);
  if (errors.length > 0) return { errors, warnings };
  const users = new Map<string, User>();
  const pools = new Map<string, User>();
  const twice = new Map<string, [User, User][]>();
  const taken: ConfigIssue[] = [];
  for (const user of files.flatMap(({ read }) => read.value ?? [])) {
    const first = users.get(user.userid);
    const owner = pools.get(user.pool);
    if (first) addTo(twice, JSON.stringify([first.place?.file, user.place?.file]), [user, first]);
    else if (owner) taken.push(poolIsTaken(user, owner));
    else {
      users.set(user.userid, user);
      pools.set(user.pool, user);
    }
  }
  if (taken.length > 0) return { errors: taken, warnings };
  const digest = digestOfAll(files);
  return {
    value: [...users.values()],
    ...(digest === undefined ? {} : { digest }),
    errors: [],
    warnings: [...warnings, ...twiceWarnings(twice)],
  };
}
